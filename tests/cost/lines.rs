//! Lines whose answers come so many in a batch, whatever the broker makes of them.

use std::time::Duration;

use anyhow::Result;
use domain::Pid;
use jobs::report::Event;
use telltale_tests::flow::device;

use super::{
    meter::{Cost, Meter},
    signal::Signal,
};

/// A line of sensors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// How many there are.
    pub sensors: Pid,
    /// How many of their answers come in one batch.
    pub together: Pid,
    /// How often the line is asked in all, and how long after each other.
    pub rounds: u32,
    /// See `rounds`.
    pub interval: Duration,
    /// The chance that a reading differs from the one before.
    pub moves: f64,
}

impl Line {
    /// Asks the line, and keeps what it says.
    pub(crate) async fn measure(self) -> Result<Cost> {
        let meter = Meter::start().await?;
        meter.flow.sensors(1..=self.sensors).await;
        let mut signal = Signal::new(self.moves);
        // The first round finds nothing to compare with.
        self.round(&meter, &mut signal).await;
        let (before, mut news) = (meter.mark(), 0);
        for _ in 0..self.rounds {
            news += self.round(&meter, &mut signal).await;
        }
        meter.cost_since(before, self.rounds * u32::from(self.sensors), news)
    }

    /// Asks every sensor once, and does all that follows. How many said something new.
    async fn round(self, meter: &Meter, signal: &mut Signal) -> u32 {
        let (flow, mut news) = (&meter.flow, 0);
        flow.sleeps(self.interval);
        let pids: Vec<Pid> = (1..=self.sensors).collect();
        for batch in pids.chunks(self.together.into()) {
            let mut says = |&pid: &Pid| {
                let (celsius, is_new) = signal.next(&device(pid));
                news += u32::from(is_new);
                flow.climate(pid, celsius, 60.0)
            };
            let answers: Vec<Event> = batch.iter().map(&mut says).collect();
            flow.reports(answers).await;
            flow.settle().await;
        }
        news
    }
}
