//! The values of the last time, in sixty equal parts of it: as much memory for a day as for a minute.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::Figure;
use crate::Timestamp;

/// Of how many parts a window is made.
const PARTS: u128 = 60;

/// What was seen in each part that saw anything, by its number since the epoch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Window(BTreeMap<i64, Sum>);

/// What one part saw: how many values, their sum, the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Sum(u32, f64, f64, f64);

impl Window {
    /// Adds a value, and forgets what is older than `within`.
    pub(super) fn add(&mut self, at: Timestamp, within: Duration, value: f64) {
        let width = width(within);
        let number = at.0.div_euclid(width);
        let oldest = number - i64::try_from(PARTS).unwrap_or(i64::MAX) + 1;
        self.0.retain(|part, _| (oldest..=number).contains(part));
        let Sum(count, sum, min, max) = self.0.entry(number).or_insert(Sum(0, 0.0, value, value));
        (*count, *sum, *min, *max) = (*count + 1, *sum + value, min.min(value), max.max(value));
    }

    /// Takes all that is in it for so much newer.
    pub(super) fn put_off(&mut self, within: Duration, by: Duration) {
        let parts = i64::try_from(by.as_millis()).unwrap_or(i64::MAX) / width(within);
        self.0 = std::mem::take(&mut self.0).into_iter().map(|(part, sum)| (part.saturating_add(parts), sum)).collect();
    }

    /// A figure over all that is in it; there is something in it.
    pub(super) fn figure(&self, figure: Figure) -> f64 {
        let parts = self.0.values();
        match figure {
            Figure::Mean => {
                let (count, sum) = parts.fold((0.0, 0.0), |(n, sum), part| (n + f64::from(part.0), sum + part.1));
                sum / count
            }
            Figure::Min => parts.map(|part| part.2).fold(f64::INFINITY, f64::min),
            Figure::Max => parts.map(|part| part.3).fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// How long a part is, in milliseconds.
fn width(within: Duration) -> i64 {
    i64::try_from((within.as_millis() / PARTS).max(1)).unwrap_or(i64::MAX)
}
