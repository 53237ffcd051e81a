//! The values of what speaks no protocol: their names never change, since rules name them.

use super::{Observed, Target};
use crate::reading::{Datum, Quality};

/// A value that every source of a kind may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// What rules call it.
    pub name: &'static str,
    /// Its unit; empty where it has none.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

const fn metric(name: &'static str, unit: &'static str, meaning: &'static str) -> Metric {
    Metric { name, unit, meaning }
}

/// The fault of a UPS: `OK`, or the two hex digits of its code.
pub const UPS_FAULT: Metric = metric(
    "ups_fault",
    "",
    "the fault of a UPS that answers QGS: OK, its code in hex, or ? while it does not say which",
);

/// The signal of a terminal.
pub const SIGNAL: Metric = metric("signal", "", "the signal strength as the DTU counts it, 0 to 31");
/// The state of its connection.
pub const STATE: Metric = metric("state", "", "the connection as its gateway sees it: ONLINE, DEGRADED, ...");
/// The score of its connection.
pub const SCORE: Metric = metric("score", "", "the gateway's score of the connection, 0 to 100");
/// The days until its SIM expires.
pub const SIM_DAYS_LEFT: Metric =
    metric("sim_days_left", "d", "days until the SIM's plan expires; negative afterwards");
/// What is left of its data plan.
pub const DATA_LEFT: Metric = metric("data_left", "%", "what is left of the SIM's data plan, in hundredths of it");
/// The same, in KB.
pub const DATA_LEFT_KB: Metric = metric("data_left_kb", "KB", "what is left of the SIM's data plan");
/// What of it is used.
pub const DATA_USED_KB: Metric = metric("data_used_kb", "KB", "what of the SIM's data plan is used");

/// How many terminals a node holds.
pub const CONNECTIONS: Metric = metric("connections", "", "the DTU connections that the gateway holds");
/// How loaded its machine is.
pub const LOAD: Metric = metric("load", "", "the load of the gateway's machine over one minute");
/// What is free of its memory.
pub const MEMORY_FREE: Metric = metric("memory_free", "%", "what is free of the memory of the gateway's machine");
/// Since when its machine runs.
pub const UPTIME: Metric = metric("uptime", "s", "for how long the gateway's machine has been up");

/// What waits in the queue.
pub const QUEUE_DEPTH: Metric =
    metric("queue_depth", "", "messages of all jobs that wait, are due later or are worked on");
/// What was given up.
pub const DEAD_LETTERS: Metric = metric("dead_letters", "", "messages of all jobs that were given up and are kept");
/// How full the spool is.
pub const SPOOL_FILL: Metric = metric("spool_fill", "%", "how full the spool of a broker is");
/// How far its clock is off.
pub const CLOCK_AHEAD_MS: Metric =
    metric("clock_ahead_ms", "ms", "by how much a broker's clock is ahead of the queue's; negative where it is behind");

impl Metric {
    /// The values of a target.
    pub(super) fn of(target: Target) -> &'static [Self] {
        match target {
            Target::Device => &[UPS_FAULT],
            Target::Terminal => &[SIGNAL, STATE, SCORE, SIM_DAYS_LEFT, DATA_LEFT, DATA_LEFT_KB, DATA_USED_KB],
            Target::Node => &[CONNECTIONS, LOAD, MEMORY_FREE, UPTIME],
            Target::Platform => &[QUEUE_DEPTH, DEAD_LETTERS, SPOOL_FILL, CLOCK_AHEAD_MS],
        }
    }

    /// That it is this number; one that is none is a bad value, and says nothing.
    pub fn number(&self, value: f64) -> Observed {
        let rounded = (value * 100.0).round() / 100.0;
        let good = (Datum::Number(rounded), Quality::Good);
        let (value, quality) = if value.is_finite() { good } else { (Datum::None, Quality::Bad) };
        self.observed(value, quality)
    }

    /// That it is this text.
    pub fn text(&self, value: &str) -> Observed {
        self.observed(Datum::Text(value.to_owned()), Quality::Good)
    }

    fn observed(&self, value: Datum, quality: Quality) -> Observed {
        let (name, unit) = (self.name.to_owned(), self.unit.to_owned());
        Observed { name, display: value.text(), value, unit, quality }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_said_in_hundredths_and_one_that_is_none_is_bad() {
        let said = LOAD.number(1.2345);
        assert_eq!((said.name.as_str(), said.display.as_str(), said.quality), ("load", "1.23", Quality::Good));
        assert_eq!(said.value, Datum::Number(1.23));
        let none = LOAD.number(f64::NAN);
        assert_eq!((none.value, none.quality), (Datum::None, Quality::Bad));
    }

    #[test]
    fn a_text_is_said_as_it_is() {
        let said = STATE.text("ONLINE");
        assert_eq!((said.value, said.unit.as_str()), (Datum::Text("ONLINE".to_owned()), ""));
    }
}
