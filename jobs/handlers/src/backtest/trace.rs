//! What a value was over time, thinned out so that it can be drawn.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    reading::{Datum, Quality, Reading},
};

/// Into how many parts the time is cut.
const PARTS: i64 = 400;

/// The least and the greatest good value of each part of a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    name: Option<String>,
    from: Timestamp,
    step: i64,
    parts: BTreeMap<i64, Point>,
}

/// What a value was in a part of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it was read first in that part.
    pub at: Timestamp,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Trace {
    /// Of the value of that name; of none when there is no name.
    pub(super) fn new(name: Option<String>, from: Timestamp, to: Timestamp) -> Self {
        let step = (to.0.saturating_sub(from.0) / PARTS).max(1);
        Self { name, from, step, parts: BTreeMap::new() }
    }

    /// The value's name; none when it is of no value.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The parts in which something was read, oldest first.
    pub fn points(&self) -> impl Iterator<Item = &Point> {
        self.parts.values()
    }

    /// How far apart the least and the greatest of all lie; none when nothing was read.
    pub fn range(&self) -> Option<f64> {
        let least = self.points().map(|point| point.least).min_by(f64::total_cmp)?;
        let greatest = self.points().map(|point| point.greatest).max_by(f64::total_cmp)?;
        Some(greatest - least)
    }

    /// Takes in what was read.
    pub(super) fn see(&mut self, reading: &Reading) {
        let Some(name) = &self.name else { return };
        let good = reading.values.iter().find(|value| value.name == *name && value.quality == Quality::Good);
        let Some(Datum::Number(number)) = good.map(|value| &value.value) else { return };
        let part = reading.at.0.saturating_sub(self.from.0) / self.step;
        let first = Point { at: reading.at, least: *number, greatest: *number };
        let point = self.parts.entry(part).or_insert(first);
        point.least = point.least.min(*number);
        point.greatest = point.greatest.max(*number);
    }
}
