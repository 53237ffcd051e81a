//! What a push costs by how many watch: the server's processor, from `/proc`, and the time until the last one saw it. Beside
//! it, a bare room (`room.rs`) of that size.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use boot::SystemClock;
use records::Clock;
use serde_json::Value;
use telltale_tests::Server;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    apart::Apart,
    gateways::Gateway,
    poster::Poster,
    process::Spent,
    room,
    site::{self, Scale},
    watchers::{Door, Watchers},
};

/// How often something is pushed: so seldom that a thousand watchers are done with one before the next.
const PACE: Duration = Duration::from_millis(50);
/// What is left to do after the last push, when nobody watches.
const REST: Duration = Duration::from_millis(300);

/// A push to so many.
pub(crate) struct Cost {
    pub(crate) watchers: u32,
    /// How long the server's processors ran for a push, beyond what its post takes when nobody watches.
    pub(crate) processor: Duration,
    /// By how much the same posts differed when nobody watched.
    pub(crate) doubt: Duration,
    /// From post to the last watcher, shortest first.
    pub(crate) waits: Vec<Duration>,
}

impl Cost {
    /// Whether what it costs is well beyond that.
    pub(crate) fn is_clear(&self) -> bool {
        self.processor > 2 * self.doubt
    }

    /// How long so many of a hundred pushes took at most.
    pub(crate) fn wait(&self, percentile: usize) -> Duration {
        self.waits[(self.waits.len() - 1) * percentile / 100]
    }
}

/// A server, and what it is asked for.
struct Pushing<'a> {
    url: &'a str,
    pid: u32,
    token: &'a str,
    door: Door,
    pushes: u32,
}

/// What a door of `telltale serve` costs at these sizes, each larger than the one before; and what it shows.
pub(crate) async fn of_ours(door: Door, sizes: &[u32], pushes: u32) -> Result<(Vec<Cost>, Value)> {
    let scale = Scale { gateways: 1, terminals: 1 };
    let server = Server::start(&site::site(scale)?, "[schedule]\nminimum_interval_ms = 3600000\n").await?;
    let admin = server.sign_in(site::ADMIN, site::PASSWORD).await?;
    let gateway = tokio::spawn(Gateway::connect(server.url(), scale, 0).await?.stay());
    let pid = server.pid().context("the server runs")?;
    let measured = Pushing { url: server.url(), pid, token: admin.token(), door, pushes }.measure(sizes).await;
    gateway.abort();
    measured
}

/// What a bare room costs that shows the same.
pub(crate) async fn of_a_bare_room(shown: &Value, sizes: &[u32], pushes: u32) -> Result<Vec<Cost>> {
    let server = Apart::start(&[room::SERVE, &shown.to_string()]).await?;
    let pushing = Pushing { url: &server.url, pid: server.pid()?, token: "", door: Door::Web, pushes };
    Ok(pushing.measure(sizes).await?.0)
}

impl Pushing<'_> {
    async fn measure(&self, sizes: &[u32]) -> Result<(Vec<Cost>, Value)> {
        let poster = Arc::new(Poster::new(self.url)?);
        let mut watchers = Watchers::none(self.door, &poster);
        // The first ones warm up what is cold.
        self.post(&poster).await?;
        let (one, other) = (self.post(&poster).await?, self.post(&poster).await?);
        let (unwatched, doubt) = ((one + other) / 2, one.abs_diff(other) / self.pushes);
        let (mut costs, mut shown) = (Vec::new(), Value::Null);
        for size in sizes {
            watchers.grow(self.url, self.token, *size).await?;
            let processor = self.post(&poster).await?.saturating_sub(unwatched) / self.pushes;
            let seen = watchers.see(self.pushes).await?;
            let mut waits: Vec<Duration> = seen.iter().map(|seen| seen.wait).collect();
            waits.sort_unstable();
            shown = seen.into_iter().next_back().map(|seen| seen.reading).unwrap_or(shown);
            costs.push(Cost { watchers: *size, processor, doubt, waits });
        }
        Ok((costs, shown))
    }

    /// Posts one answer after the other, and says how long the server's processors ran meanwhile.
    async fn post(&self, poster: &Arc<Poster>) -> Result<Duration> {
        let mut pace = interval(PACE);
        // Never two at once: they would be asked in the same millisecond, and be one.
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let before = Spent::of(self.pid)?;
        for number in 0..self.pushes {
            pace.tick().await;
            let tenths = 200 + u16::try_from(number % 60)?;
            poster.post(0, (0, SystemClock.now().0), tenths).await?;
        }
        sleep(REST).await;
        Ok(Spent::of(self.pid)?.since(&before))
    }
}
