//! The whole path: the broker asks, gateways post, the server verifies, stores, evaluates, and shows browsers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::{
    browsers::{Browsers, Seen},
    gateways::{Answers, Gateway},
    homes::{Home, Kind},
    outcome,
    poster::Poster,
    process::{self, Spent},
    site::{self, Scale},
};

/// How many sensors are too warm in the end.
const TOO_WARM: u32 = 100;
/// How fast a closed loop is asked: more than it can answer, so that there is always a query waiting.
const ASKED_PER_MILLISECOND: u32 = 16;

/// One run.
pub(crate) struct Run {
    /// The readings after the warm-up: stored, their alarms evaluated, shown, a second.
    pub(crate) per_second: f64,
    pub(crate) waits: Vec<Duration>,
    /// How long the server's processors ran for a reading, all its processes together.
    pub(crate) processor: Duration,
    /// The most that each of its processes held in memory, in mebibytes.
    pub(crate) memory: Vec<(&'static str, f64)>,
}

impl Run {
    /// How long so many of a hundred readings took from post to push at most.
    pub(crate) fn wait(&self, percentile: usize) -> Duration {
        self.waits[(self.waits.len() - 1) * percentile / 100]
    }

    /// The most that its processes held in memory together, in mebibytes.
    pub(crate) fn memory(&self) -> f64 {
        self.memory.iter().map(|(_, mebibytes)| mebibytes).sum()
    }
}

/// As fast as it goes.
pub(crate) async fn closed_loop(kind: Kind, terminals: u32, rounds: u16) -> Result<Run> {
    run(kind, terminals, rounds, (terminals / ASKED_PER_MILLISECOND).max(1)).await
}

/// Every terminal asked each `interval_ms`.
pub(crate) async fn run(kind: Kind, terminals: u32, rounds: u16, interval_ms: u32) -> Result<Run> {
    let scale = Scale { gateways: 16, terminals };
    let settings = format!(
        "[schedule]\nwindow_ms = 1000\nlead_ms = 500\ninstruction_ms = 1\nminimum_interval_ms = {interval_ms}\n"
    );
    let home = Home::start(kind, &site::site(scale)?, &settings).await?;
    let (url, admin) = (home.url(), home.admin().await?);
    let poster = Arc::new(Poster::new(&url)?);
    let browsers = Browsers::open(&url, admin.token(), terminals, &poster).await?;
    let answers = Answers { rounds, too_warm: TOO_WARM.min(terminals) };
    let before = spent(&home)?;
    let mut gateways = JoinSet::new();
    for number in 0..scale.gateways {
        let mut gateway = Gateway::connect(&url, scale, number).await?;
        gateway.announce().await?;
        gateways.spawn(gateway.answer(Arc::clone(&poster), answers));
    }
    let readings = terminals * u32::from(rounds);
    let Seen { warm, last, waits } = browsers.see(terminals, readings).await?;
    while let Some(ended) = gateways.join_next().await {
        ended??;
    }
    outcome::until_evaluated(&admin, answers.too_warm).await;
    let ended = last.max(Instant::now());
    let processor = spent(&home)?.iter().zip(&before).map(|(after, before)| after.since(before)).sum::<Duration>();
    let memory = most_resident(&home)?;
    let stored = outcome::stored(&admin, terminals).await?;
    ensure!(stored == readings, "{readings} answers were acknowledged, {stored} are stored");
    let per_second = f64::from(readings - terminals) / (ended - warm).as_secs_f64();
    Ok(Run { per_second, waits, processor: processor / readings, memory })
}

fn spent(home: &Home) -> Result<Vec<Spent>> {
    home.processes().into_iter().map(|(_, pid)| Spent::of(pid)).collect()
}

fn most_resident(home: &Home) -> Result<Vec<(&'static str, f64)>> {
    let each = home.processes().into_iter();
    each.map(|(name, pid)| Ok((name, process::mebibytes(process::most_resident(pid)?)))).collect()
}
