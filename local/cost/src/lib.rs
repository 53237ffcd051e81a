//! What an installation on AWS costs a month: a model of what the jobs do, fed by [`figures`] that tests measure and by
//! [`prices`] from AWS's list.
//!
//! Nothing here is billed to the cent. Each [`Line`] shows what it counts, at which price, so that a reader can put in
//! what they know better.

pub mod figures;
mod fixed;
mod gathering;
mod installation;
pub mod prices;
mod usage;

pub use gathering::Batch;
pub use installation::{Installation, InstallationError};
pub use usage::Consumption;

use serde::Serialize;

/// The days of an average month.
pub(crate) const DAYS: f64 = 30.4375;

/// One line of the bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What is paid.
    pub what: &'static str,
    /// How much of it a month.
    pub amount: f64,
    /// In which unit.
    pub unit: &'static str,
    /// What one unit costs, in US dollars.
    pub price: f64,
    /// What it costs a month, in US dollars.
    pub dollars: f64,
}

impl Line {
    fn new(what: &'static str, amount: f64, unit: &'static str, price: f64) -> Self {
        Self { what, amount, unit, price, dollars: amount * price }
    }
}

/// A month's bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bill {
    /// What it is about.
    pub installation: Installation,
    /// Readings a month.
    pub readings: f64,
    /// What a batch of a broker holds.
    pub batch: Batch,
    /// What a thousand readings consume.
    pub thousand_readings: Consumption,
    /// What an alarm consumes with its end.
    pub alarm: Consumption,
    /// What grows with the readings.
    pub usage: Vec<Line>,
    /// What alarms cost.
    pub alarms: Vec<Line>,
    /// What is there whether anything is read or not.
    pub fixed: Vec<Line>,
    /// All of it.
    pub dollars: f64,
    /// Of one device.
    pub dollars_per_device: f64,
}

/// The bill of an installation. Free tiers are left out.
pub fn bill(installation: Installation) -> Bill {
    let usage = usage::lines(&installation);
    let alarms = usage::of_alarms(&installation);
    let fixed = fixed::lines(&installation);
    let dollars = usage.iter().chain(&alarms).chain(&fixed).map(|line| line.dollars).sum();
    Bill {
        readings: installation.readings(),
        batch: installation.batch(),
        thousand_readings: usage::of_a_thousand(&installation),
        alarm: usage::of_an_alarm(),
        usage,
        alarms,
        fixed,
        dollars,
        dollars_per_device: dollars / installation.devices(),
        installation,
    }
}

#[cfg(test)]
mod tests;
