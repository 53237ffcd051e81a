//! An installation, and what follows from its numbers.

use domain::schedule::PER_INSTRUCTION;
use serde::Serialize;

use crate::{
    Batch, DAYS,
    figures::{HISTORY, LATEST, READS_PER_READING, READS_PER_TERMINAL, Sizes},
};

/// The bytes that one write unit pays.
const WRITE_UNIT: f64 = 1024.0;

/// What is there, and what happens there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Installation {
    /// Terminals.
    pub terminals: f64,
    /// Devices on each.
    pub devices_per_terminal: f64,
    /// Values of each device.
    pub values: f64,
    /// How often a device is asked, in seconds.
    pub interval: f64,
    /// The share of readings that say nothing new, from 0 to 1.
    pub suppressed: f64,
    /// For how long a reading that says nothing new is not stored, in seconds.
    pub silence: f64,
    /// How many devices of one terminal come in one batch. None for as many as a broker gathers of what gateways post.
    pub together: Option<f64>,
    /// Gateway programs.
    pub nodes: f64,
    /// Brokers.
    pub brokers: f64,
    /// How long a broker gathers a batch, in seconds.
    pub gather: f64,
    /// How many messages a function is given at once.
    pub messages_per_run: f64,
    /// For how many days readings are kept.
    pub kept_days: f64,
    /// Alarms of one device in a month.
    pub alarms: f64,
    /// Text messages for each alarm with its end.
    pub sms: f64,
    /// What a text message costs, in US dollars.
    pub sms_price: f64,
    /// E-mails for each alarm with its end.
    pub emails: f64,
}

impl Default for Installation {
    fn default() -> Self {
        Self {
            terminals: 1000.0,
            devices_per_terminal: 1.0,
            values: 3.0,
            interval: 60.0,
            suppressed: 0.9,
            silence: 300.0,
            together: None,
            nodes: 10.0,
            brokers: 2.0,
            gather: 1.0,
            messages_per_run: 1.0,
            kept_days: 30.0,
            alarms: 1.0,
            sms: 2.0,
            sms_price: 0.03,
            emails: 2.0,
        }
    }
}

/// Numbers that no installation has.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} is {least} to {most}, not {told}")]
pub struct InstallationError {
    what: &'static str,
    least: f64,
    most: f64,
    told: f64,
}

impl Installation {
    /// Whether there can be such an installation.
    pub fn check(&self) -> Result<(), InstallationError> {
        // A line is asked one device after another.
        let line = PER_INSTRUCTION.as_secs_f64() * self.devices_per_terminal;
        for (what, told, least, most) in [
            ("the number of terminals", self.terminals, 1.0, 10e6),
            ("the number of devices on a terminal", self.devices_per_terminal, 1.0, 247.0),
            ("the number of values of a device", self.values, 1.0, 4000.0),
            ("the interval in seconds, of which each device of a line takes one,", self.interval, line, 86_400.0),
            ("the share that says nothing new", self.suppressed, 0.0, 1.0),
            ("the silence in seconds", self.silence, 0.0, 86_400.0),
            ("the number of devices in one batch", self.together.unwrap_or(1.0), 1.0, self.devices_per_terminal),
            ("the number of nodes", self.nodes, 1.0, self.terminals),
            ("the number of brokers", self.brokers, 1.0, 1000.0),
            ("the seconds that a batch gathers", self.gather, 0.0, 10.0),
            ("the number of messages that a function is given at once", self.messages_per_run, 1.0, 10.0),
            ("the days that readings are kept", self.kept_days, 1.0, 3650.0),
            ("the number of alarms", self.alarms, 0.0, 1e5),
            ("the number of text messages", self.sms, 0.0, 1e4),
            ("the price of a text message", self.sms_price, 0.0, 10.0),
            ("the number of e-mails", self.emails, 0.0, 1e4),
        ] {
            if !(least..=most).contains(&told) {
                return Err(InstallationError { what, least, most, told });
            }
        }
        Ok(())
    }

    /// All devices.
    pub fn devices(&self) -> f64 {
        self.terminals * self.devices_per_terminal
    }

    /// Readings a month.
    pub fn readings(&self) -> f64 {
        self.devices() * DAYS * 86_400.0 / self.interval
    }

    /// What a broker's batch holds.
    pub fn batch(&self) -> Batch {
        let gathered = Batch::gathered(self);
        let Some(together) = self.together else { return gathered };
        Batch { readings: gathered.readings.max(together), of_a_terminal: together }
    }

    /// Batches a month.
    pub(crate) fn batches(&self) -> f64 {
        self.readings() / self.batch().readings
    }

    /// The share of readings that are stored: those that say something new, and what was not stored for the whole silence.
    ///
    /// Between two that are stored there are as many as say nothing new in a row, and no more than the silence holds.
    pub fn stored(&self) -> f64 {
        let most = (self.silence / self.interval).ceil().max(1.0);
        let news = 1.0 - self.suppressed;
        if news < f64::EPSILON { 1.0 / most } else { news / (1.0 - self.suppressed.powf(most)) }
    }

    /// Of the answers of one terminal in a batch: the chance that any is stored, and how many are then. News of one device
    /// begins its silence anew, so the devices of a line fall out of step; only those that never move stay in it.
    fn stored_together(&self, together: f64) -> (f64, f64) {
        let stored = self.stored();
        let never_moves = self.suppressed > 1.0 - f64::EPSILON;
        let any = if never_moves { stored } else { 1.0 - (1.0 - stored).powf(together) };
        (any, (together * stored / any).clamp(1.0, together))
    }

    /// Write units for one reading. Of the answers of one terminal in a batch nothing is written if none of them is stored;
    /// else an item of the history, and the latest readings of the terminal.
    pub fn writes_per_reading(&self) -> f64 {
        let units = |sizes: Sizes, devices| (sizes.of(devices, self.values) / WRITE_UNIT).ceil().max(1.0);
        let together = self.batch().of_a_terminal;
        let (any, stored) = self.stored_together(together);
        any * (units(HISTORY, stored) + units(LATEST, self.devices_per_terminal)) / together
    }

    /// Read units for one reading.
    pub fn reads_per_reading(&self) -> f64 {
        READS_PER_TERMINAL / self.batch().of_a_terminal + READS_PER_READING
    }

    /// How many bytes of the history there are for each reading, stored or not.
    pub(crate) fn bytes_per_reading(&self) -> f64 {
        let together = self.batch().of_a_terminal;
        let (any, stored) = self.stored_together(together);
        any * HISTORY.of(stored, self.values) / together
    }
}
