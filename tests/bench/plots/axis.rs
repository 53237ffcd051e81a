//! Where a value lies along a plot, and where its ticks are.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// One side of a plot.
pub(crate) struct Axis {
    /// What it shows, and in what unit.
    pub(crate) title: &'static str,
    /// How a tick is called.
    pub(crate) label: fn(f64) -> String,
    scale: Scale,
}

#[derive(Clone, Copy, PartialEq)]
enum Scale {
    /// From nothing on.
    Linear,
    /// Each tenfold as far as the one before.
    Logarithmic,
    /// Each nine as far as the one before: 50, 90, 99.
    Percentiles,
}

impl Axis {
    pub(crate) fn linear(title: &'static str, label: fn(f64) -> String) -> Self {
        Self { title, label, scale: Scale::Linear }
    }

    pub(crate) fn logarithmic(title: &'static str, label: fn(f64) -> String) -> Self {
        Self { title, label, scale: Scale::Logarithmic }
    }

    pub(crate) fn of_percentiles(title: &'static str) -> Self {
        Self { title, label: |percentile| format!("p{percentile:.0}"), scale: Scale::Percentiles }
    }

    /// From the least to the most of these values with some air around them, its ticks at round values.
    pub(crate) fn over(&self, values: &[f64]) -> Places {
        let (least, most) = self.ends(values);
        let air = (most - least).max(0.3) * 0.06;
        let span = if self.scale == Scale::Linear { 0.0..most * 1.12 } else { least - air..most + air };
        let ticks = self.ticks(&span);
        Places { scale: self.scale, label: self.label, span, ticks }
    }

    /// The same, its ticks at the values themselves.
    pub(crate) fn at(&self, values: &[f64]) -> Places {
        let mut ticks = values.to_vec();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        Places { ticks, ..self.over(values) }
    }

    /// Where the first and the last of them lie.
    fn ends(&self, values: &[f64]) -> (f64, f64) {
        let places = values.iter().map(|value| self.scale.place(*value));
        places.fold((f64::MAX, f64::MIN), |(least, most), place| (least.min(place), most.max(place)))
    }

    /// 1, 2 and 5 of each power of ten, or the multiples of one of them.
    fn ticks(&self, span: &Range<f64>) -> Vec<f64> {
        if self.scale == Scale::Linear {
            let step = round_up(span.end / 7.0);
            return (0..20).map(|number| f64::from(number) * step).take_while(|value| *value <= span.end).collect();
        }
        let values = (-3..9).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
        values.filter(|value| span.contains(&self.scale.place(*value))).collect()
    }
}

impl Scale {
    /// Where a value lies.
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
            Self::Percentiles => -(1.0 - value / 100.0).log10(),
        }
    }
}

/// An axis over certain values, as a chart takes it.
pub(crate) struct Places {
    scale: Scale,
    label: fn(f64) -> String,
    span: Range<f64>,
    ticks: Vec<f64>,
}

impl Ranged for Places {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (self.scale.place(*value) - self.span.start) / (self.span.end - self.span.start);
        #[expect(clippy::cast_possible_truncation, reason = "a place on a sheet has few pixels")]
        let pixels = (share * f64::from(to - from)).round() as i32;
        from + pixels
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        match (self.ticks.first(), self.ticks.last()) {
            (Some(first), Some(last)) => *first..*last,
            _ => 0.0..0.0,
        }
    }
}

impl ValueFormatter<f64> for Places {
    fn format_ext(&self, value: &f64) -> String {
        (self.label)(*value)
    }
}

/// The next larger 1, 2 or 5 of a power of ten.
fn round_up(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let digit = [1.0, 2.0, 5.0].into_iter().find(|digit| step <= digit * power);
    digit.unwrap_or(10.0) * power
}
