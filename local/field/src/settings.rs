//! What a field is made of and how it behaves.

use std::{path::PathBuf, time::Duration};

use reqwest::Url;

use crate::TruthSink;

/// A field to be: its size, its pace and its faults.
#[derive(Debug, Clone)]
pub struct FieldSettings {
    /// The server's base address; plain http.
    pub server: Url,
    /// Gateway programs.
    pub nodes: u16,
    /// Terminals of each node. When there are two or more, the last is a text line with one UPS.
    pub terminals_per_node: u16,
    /// Sensors on each Modbus line, at the addresses 1 and up; 247 at most.
    pub devices_per_terminal: u8,
    /// Where all chance comes from.
    pub seed: u64,
    /// How often things go wrong.
    pub faults: FaultRates,
    /// How often rooms get warm.
    pub cooling: Cooling,
    /// The nodes connect one after the other over this time.
    pub ramp: Duration,
    /// How long after `registerSuccess` a node says `ready`.
    pub ready_delay: Duration,
    /// About how long a device takes to answer an instruction.
    pub answer_time: Duration,
    /// How long a node waits for a device's answer.
    pub answer_timeout: Duration,
    /// About how long a terminal that lost its connection stays away.
    pub away_time: Duration,
    /// How long a terminal that the node rebooted is not called back.
    pub reline_delay: Duration,
    /// Whether the nodes tell every change of a terminal's queue.
    pub busy_reports: BusyReports,
    /// The shortest poll interval that the site gives for its devices, if any.
    pub min_query_interval: Option<Duration>,
    /// Where every acknowledged result is recorded, if anywhere.
    pub truth: Option<TruthSink>,
}

impl FieldSettings {
    /// A small faultless field: two nodes with four terminals each, two sensors a line.
    pub fn new(server: Url) -> Self {
        Self {
            server,
            nodes: 2,
            terminals_per_node: 4,
            devices_per_terminal: 2,
            seed: 1,
            faults: FaultRates::default(),
            cooling: Cooling::default(),
            ramp: Duration::ZERO,
            ready_delay: Duration::from_millis(500),
            answer_time: Duration::from_millis(60),
            answer_timeout: Duration::from_secs(10),
            away_time: Duration::from_secs(45),
            reline_delay: Duration::from_mins(1),
            busy_reports: BusyReports::Quiet,
            min_query_interval: None,
            truth: None,
        }
    }

    /// Says what is wrong with the settings, if anything is.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.server.scheme() != "http" || self.server.host().is_none() {
            return Err(FieldError::Server(self.server.scheme().to_owned()));
        }
        if self.nodes == 0 || self.terminals_per_node == 0 || !(1..=247).contains(&self.devices_per_terminal) {
            return Err(FieldError::Size);
        }
        self.cooling.check()?;
        self.faults.check()
    }
}

/// Whether the nodes send `busy` events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BusyReports {
    /// None: the server hears what matters.
    #[default]
    Quiet,
    /// One for every change of a terminal's queue, as the real programs do.
    Chatty,
}

/// How often a room's cooling fails: it gets warmer than 30 °C then, in the middle of that time, and cool again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cooling {
    /// In which share of the time.
    pub fails: f64,
    /// For how long each time, in whole seconds.
    pub lasts: Duration,
}

impl Default for Cooling {
    fn default() -> Self {
        Self { fails: 1.0 / 12.0, lasts: Duration::from_mins(5) }
    }
}

impl Cooling {
    fn check(&self) -> Result<(), FieldError> {
        let is_one = (0.0..=1.0).contains(&self.fails) && self.lasts >= Duration::from_secs(1);
        is_one.then_some(()).ok_or(FieldError::Cooling)
    }
}

/// How often things go wrong. The default is never.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FaultRates {
    /// The share of devices that never answer.
    pub dead_devices: f64,
    /// The share of replies whose bytes are damaged: flipped bits on a Modbus line, a lost end on a text line.
    pub damaged_replies: f64,
    /// The share of replies that answer something else: a neighbour's, or one to another instruction.
    pub foreign_replies: f64,
    /// The share of replies that refuse: a Modbus exception, or `(NAK`.
    pub refusing_replies: f64,
    /// The share of instructions that a living device leaves unanswered.
    pub withheld_replies: f64,
    /// The share of the time in which a UPS has a fault of its own, and says so.
    pub faulty_ups: f64,
    /// How often each terminal loses its connection and comes back.
    pub terminal_drops_per_hour: f64,
    /// How often each node's transport is cut, without a goodbye.
    pub transport_cuts_per_hour: f64,
}

impl FaultRates {
    /// Every kind of fault at once: each share is `rate`, and each terminal and node loses its connection
    /// `60 * rate` times an hour.
    pub fn uniform(rate: f64) -> Self {
        Self {
            dead_devices: rate,
            damaged_replies: rate,
            foreign_replies: rate,
            refusing_replies: rate,
            withheld_replies: rate,
            faulty_ups: rate,
            terminal_drops_per_hour: 60.0 * rate,
            transport_cuts_per_hour: 60.0 * rate,
        }
    }

    fn check(&self) -> Result<(), FieldError> {
        let shares = [self.damaged_replies, self.foreign_replies, self.refusing_replies, self.withheld_replies];
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let is_rate = |rate: f64| (0.0..=MOST_PER_HOUR).contains(&rate);
        let all_shares = is_share(self.dead_devices) && is_share(self.faulty_ups) && shares.into_iter().all(is_share);
        let all_rates = is_rate(self.terminal_drops_per_hour) && is_rate(self.transport_cuts_per_hour);
        if all_shares && all_rates && is_share(shares.iter().sum()) { Ok(()) } else { Err(FieldError::Faults) }
    }
}

/// Ten a second: more is no field.
const MOST_PER_HOUR: f64 = 36_000.0;

/// Why a field cannot start.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// The gateway programs speak plain http.
    #[error("the virtual field needs a server address such as http://127.0.0.1:9000, not one of {0}:")]
    Server(String),
    /// A field without devices, or with more than a line can address.
    #[error("a field has at least one node, one terminal a node, and 1 to 247 devices a terminal")]
    Size,
    /// Rates that are none.
    #[error(
        "fault shares lie between 0 and 1, those of the four kinds of bad replies together at most 1 (so a common rate is 0.25 at most), and nothing drops more than 36000 times an hour"
    )]
    Faults,
    /// A room that is no room.
    #[error("a room's cooling fails in a share of the time between 0 and 1, for a second each time at least")]
    Cooling,
    /// The truth cannot be recorded.
    #[error("the record of acknowledged results cannot be written to {path}: {cause}")]
    Truth {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The HTTP client cannot be built.
    #[error("the field's HTTP client cannot be built: {0}")]
    Http(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(server: &str) -> FieldSettings {
        FieldSettings::new(Url::parse(server).unwrap())
    }

    #[test]
    fn settings_that_make_no_field_are_refused_with_advice() {
        let good = settings("http://127.0.0.1:9000");
        assert!(good.check().is_ok());
        for (bad, advice) in [
            (settings("https://127.0.0.1"), "http://127.0.0.1:9000"),
            (FieldSettings { nodes: 0, ..good.clone() }, "at least one node"),
            (FieldSettings { devices_per_terminal: 248, ..good.clone() }, "1 to 247"),
            (FieldSettings { faults: FaultRates::uniform(0.3), ..good.clone() }, "together at most 1"),
            (FieldSettings { faults: FaultRates::uniform(f64::NAN), ..good.clone() }, "between 0 and 1"),
            (
                FieldSettings { cooling: Cooling { fails: 2.0, ..Cooling::default() }, ..good.clone() },
                "between 0 and 1",
            ),
            (FieldSettings { cooling: Cooling { lasts: Duration::ZERO, ..Cooling::default() }, ..good }, "a second"),
        ] {
            let why = bad.check().unwrap_err().to_string();
            assert!(why.contains(advice), "{why}");
        }
    }
}
