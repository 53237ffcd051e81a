//! What a broker makes one batch of, as chances: the rule is the broker's (`infra/broker`, `reports/gather.rs`), and
//! `tests/cost` measures what the real one does by it.
//!
//! A batch begins with a reading, and ends when it has gathered for its time, when it is full, or when a node waits with three
//! posts: a gateway has no more than four under way. Readings come by chance, as hashed phases have it.

use serde::Serialize;

use crate::Installation;

/// The most reports one batch holds.
const MOST: f64 = 200.0;

/// A node's posts are so many when they are answered at once.
const HELD_UP: f64 = 3.0;

/// How finely time is cut.
const STEPS: u32 = 2000;

/// A usual batch of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Batch {
    /// How many readings it holds.
    pub readings: f64,
    /// How many of these are of one terminal.
    pub of_a_terminal: f64,
}

impl Batch {
    /// The batches of an installation whose readings come as gateways post them.
    pub(crate) fn gathered(installation: &Installation) -> Self {
        let broker = Broker::of(installation);
        let more = |devices: f64, seconds: f64| devices / installation.interval * seconds;
        let readings = 1.0 + more(broker.devices - 1.0, broker.gathers(|_| 1.0));
        // The first one's terminal is there; of another, some device is.
        let on_a_line = installation.devices_per_terminal;
        let silent = |seconds: f64| (1.0 - seconds / installation.interval).max(0.0);
        let another = more(on_a_line, broker.gathers(|seconds| silent(seconds).powf(on_a_line - 1.0)));
        let terminals = 1.0 + (broker.devices / on_a_line - 1.0).max(0.0) * another;
        Self { readings, of_a_terminal: (readings / terminals).clamp(1.0, on_a_line) }
    }
}

/// A broker and what is posted to it.
struct Broker {
    /// Its devices.
    devices: f64,
    /// Its nodes.
    nodes: f64,
    /// How many readings a node has in a second.
    rate: f64,
    /// The same of the node that posted the first one of a batch, but for that one's device.
    rate_of_the_first: f64,
    /// How long a batch can last.
    longest: f64,
}

impl Broker {
    fn of(installation: &Installation) -> Self {
        let brokers = installation.brokers.min(installation.nodes);
        let (devices, nodes) = (installation.devices() / brokers, installation.nodes / brokers);
        let rate = devices / nodes / installation.interval;
        let full = (MOST - 1.0) / (rate * nodes);
        let rate_of_the_first = (devices / nodes - 1.0).max(0.0) / installation.interval;
        Self { devices, nodes, rate, rate_of_the_first, longest: installation.gather.min(full) }
    }

    /// The chance that a batch still gathers after so many seconds: of the first one's node fewer than two more are there, of
    /// each other fewer than three.
    fn still_gathers(&self, seconds: f64) -> f64 {
        let fewer_than = |posts: f64, expected: f64| {
            let second = if posts < HELD_UP { 0.0 } else { expected * expected / 2.0 };
            (-expected).exp() * (1.0 + expected + second)
        };
        let others = fewer_than(HELD_UP, self.rate * seconds).powf(self.nodes - 1.0);
        fewer_than(HELD_UP - 1.0, self.rate_of_the_first * seconds) * others
    }

    /// How many seconds a batch gathers, each instant counted as it weighs.
    fn gathers(&self, weight: impl Fn(f64) -> f64) -> f64 {
        let step = self.longest / f64::from(STEPS);
        let middles = (0..STEPS).map(|number| (f64::from(number) + 0.5) * step);
        middles.map(|seconds| self.still_gathers(seconds) * weight(seconds) * step).sum()
    }
}
