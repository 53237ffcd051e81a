//! The time along a chart.

use std::ops::Range;

use jiff::Timestamp;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// About how many ticks there are.
const TICKS: i64 = 8;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How far ticks may be apart.
const STEPS: [i64; 14] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    60 * MINUTE,
    120 * MINUTE,
    180 * MINUTE,
    360 * MINUTE,
    720 * MINUTE,
    DAY,
    2 * DAY,
    7 * DAY,
];

/// A time as a chart takes it.
pub(crate) struct Time {
    from: i64,
    to: i64,
}

impl Time {
    pub(crate) fn over(from: i64, to: i64) -> Self {
        Self { from, to }
    }

    fn long(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

impl Ranged for Time {
    type FormatOption = NoDefaultFormatting;
    type ValueType = i64;

    fn map(&self, value: &i64, (from, to): (i32, i32)) -> i32 {
        let share = share(value.saturating_sub(self.from), self.long());
        #[expect(clippy::cast_possible_truncation, reason = "a place on a sheet has few pixels")]
        let pixels = (share * f64::from(to - from)).round() as i32;
        from + pixels
    }

    /// Round instants.
    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<i64> {
        let wanted = self.long() / TICKS;
        let step = STEPS.into_iter().find(|step| *step >= wanted);
        let step = step.unwrap_or_else(|| (wanted / DAY).saturating_add(1).saturating_mul(DAY));
        let first = self.from.div_euclid(step) * step;
        let ticks = (0..=2 * TICKS).map(|number| first.saturating_add(number.saturating_mul(step)));
        ticks.filter(|tick| (self.from..=self.to).contains(tick)).collect()
    }

    fn range(&self) -> Range<i64> {
        self.from..self.to
    }
}

/// By UTC's clocks.
impl ValueFormatter<i64> for Time {
    fn format_ext(&self, tick: &i64) -> String {
        let form = if self.long() > 2 * DAY { "%m-%d" } else { "%d. %H:%M" };
        Timestamp::from_millisecond(*tick).map_or_else(|_| String::new(), |at| at.strftime(form).to_string())
    }
}

/// A part of a whole, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a share of a chart's width")]
pub(crate) fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole.max(1) as f64
}
