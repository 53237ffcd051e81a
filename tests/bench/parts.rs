//! The parts of the bench: each measures something beside its limit, and adds its rows and figures.

mod footprint;
mod growth;
mod judging;
mod pushing;
mod several;
mod speed;
mod usual;

use std::time::Duration;

use anyhow::Result;
pub(crate) use growth::MOST_GROWTH;

use crate::{
    figures::{Curve, Figures},
    path::Run,
    table::{Row, Table, rate},
};

/// How many terminals, where nothing else is said.
const TERMINALS: u32 = 1000;
/// A reading of every terminal each half second: 2,000 a second.
const OPEN_LOOP_INTERVAL_MS: u32 = 500;
/// What of that must have been kept up with, or the waits say little.
const KEPT_UP_WITH: f64 = 1900.0;
/// The most milliseconds from post to push that half, and 99 of a hundred readings should take.
pub(crate) const PROMPT_P95_MS: f64 = 10.0;
pub(crate) const PROMPT_P99_MS: f64 = 25.0;
/// What the curves of both homes are called.
pub(crate) const ONE_PROCESS: &str = "one process";
const OVER_REDIS: &str = "over Redis";
/// The percentiles that are drawn.
const PERCENTILES: [u32; 4] = [50, 90, 95, 99];

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Speed,
    Redis,
    Alarms,
    Pushes,
    Cpu,
    Storm,
    Memory,
    GrowthOverRedis,
    Growth,
}

/// Each part and its option, in the order of the table.
pub(crate) const PARTS: [(&str, Part); 9] = [
    ("--speed", Part::Speed),
    ("--redis", Part::Redis),
    ("--alarms", Part::Alarms),
    ("--pushes", Part::Pushes),
    ("--cpu", Part::Cpu),
    ("--storm", Part::Storm),
    ("--memory", Part::Memory),
    ("--growth-redis", Part::GrowthOverRedis),
    ("--growth", Part::Growth),
];

/// How long it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    /// How often each terminal answers: in the limit, in the closed loop, in the open one.
    limit: u16,
    closed: u16,
    open: u16,
    /// How many jobs go through the queue.
    jobs: u32,
    /// How many readings of each terminal are judged.
    judged: u32,
    /// How many terminals hang on a node that is lost.
    lost_terminals: u32,
    /// How many pushes go to how many watchers.
    pushes: u32,
    watchers: &'static [u32],
}

/// Enough to show that all of it works.
pub(crate) const SHORT: Length =
    Length { limit: 5, closed: 5, open: 6, jobs: 4_000, judged: 2, lost_terminals: 20, pushes: 5, watchers: &[50] };
/// Enough to mean something.
pub(crate) const LONG: Length = Length {
    limit: 60,
    closed: 60,
    open: 30,
    jobs: 40_000,
    judged: 60,
    lost_terminals: 500,
    pushes: 200,
    watchers: &[1, 100, 1_000],
};

/// What was measured so far.
pub(crate) struct Report {
    pub(crate) table: Table,
    pub(crate) figures: Figures,
    length: Length,
    is_short: bool,
    /// How long the server's processors ran for a reading in the closed loop.
    processor: Option<Duration>,
}

impl Report {
    /// Nothing yet.
    pub(crate) fn begin(is_short: bool) -> Self {
        let length = if is_short { SHORT } else { LONG };
        Self { table: Table::begin(), figures: Figures::default(), length, is_short, processor: None }
    }

    /// Measures a part.
    pub(crate) async fn measure(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Speed => speed::measure(self).await,
            Part::Redis => several::measure(self).await,
            Part::Alarms => judging::measure(self).await,
            Part::Pushes => pushing::measure(self).await,
            Part::Cpu => usual::pace(self).await,
            Part::Storm => usual::storm(self).await,
            Part::Memory => footprint::measure(self).await,
            Part::GrowthOverRedis => growth::over_redis(self).await,
            Part::Growth => growth::of_one_process(self).await,
        }
    }

    fn draw_waits(&mut self, name: &str, run: &Run) {
        let point = |percentile: u32| (f64::from(percentile), millis(run.wait(percentile as usize)));
        self.figures.waits.push(Curve::new(name, PERCENTILES.map(point).to_vec()));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What was shown a second of what an open loop was asked.
fn speed_of_an_open_loop(name: &str, run: &Run) -> Row {
    Row::new(name, rate(run.per_second)).at_least(run.per_second, KEPT_UP_WITH, "/s")
}
