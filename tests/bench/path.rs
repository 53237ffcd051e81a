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
    let admin = home.admin().await?;
    let driven = drive((&home.url(), admin.token()), &home.processes(), scale, rounds).await?;
    let readings = terminals * u32::from(rounds);
    outcome::until_evaluated(&admin, too_warm(terminals)).await;
    let run = driven.end()?;
    let stored = outcome::stored(&admin, terminals).await?;
    ensure!(stored == readings, "{readings} answers were acknowledged, {stored} are stored");
    Ok(run)
}

/// How many of so many sensors are too warm in the end.
fn too_warm(terminals: u32) -> u32 {
    TOO_WARM.min(terminals)
}

/// A server under load, by its address and the token of a user who may see all, and its processes: until every answer was shown.
pub(crate) async fn drive(
    (url, token): (&str, &str),
    processes: &[(&'static str, u32)],
    scale: Scale,
    rounds: u16,
) -> Result<Driven> {
    let Scale { gateways, terminals } = scale;
    let poster = Arc::new(Poster::new(url)?);
    let browsers = Browsers::open(url, token, terminals, &poster).await?;
    let answers = Answers { rounds, too_warm: too_warm(terminals) };
    let before = spent(processes)?;
    let mut answering = JoinSet::new();
    for number in 0..gateways {
        let mut gateway = Gateway::connect(url, scale, number).await?;
        gateway.announce().await?;
        answering.spawn(gateway.answer(Arc::clone(&poster), answers));
    }
    let readings = terminals * u32::from(rounds);
    let seen = browsers.see(terminals, readings).await?;
    while let Some(ended) = answering.join_next().await {
        ended??;
    }
    Ok(Driven { processes: processes.to_vec(), before, seen, counted: readings - terminals, readings })
}

/// A server that has shown all that it was posted.
pub(crate) struct Driven {
    processes: Vec<(&'static str, u32)>,
    before: Vec<Spent>,
    seen: Seen,
    counted: u32,
    readings: u32,
}

impl Driven {
    /// What came of it, now that the server has done all it is to do.
    pub(crate) fn end(self) -> Result<Run> {
        let Self { processes, before, seen: Seen { warm, last, waits }, counted, readings } = self;
        let ended = last.max(Instant::now());
        let each = spent(&processes)?.into_iter().zip(&before).map(|(after, before)| after.since(before));
        let processor = each.sum::<Duration>() / readings;
        let per_second = f64::from(counted) / (ended - warm).as_secs_f64();
        Ok(Run { per_second, waits, processor, memory: most_resident(&processes)? })
    }
}

fn spent(processes: &[(&'static str, u32)]) -> Result<Vec<Spent>> {
    processes.iter().map(|(_, pid)| Spent::of(*pid)).collect()
}

fn most_resident(processes: &[(&'static str, u32)]) -> Result<Vec<(&'static str, f64)>> {
    let each = processes.iter();
    each.map(|(name, pid)| Ok((*name, process::mebibytes(process::most_resident(*pid)?)))).collect()
}
