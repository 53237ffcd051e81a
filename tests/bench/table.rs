//! The one table: what was measured, beside what, what it should be, and whether it is.

use std::{fmt::Display, time::Duration};

/// How wide each column is, at least.
const WIDTHS: [usize; 5] = [58, 12, 44, 16, 6];
const HEADS: [&str; 5] = ["measured", "figure", "beside", "target", ""];

/// The rows so far, which are printed as they come.
pub(crate) struct Table(String);

/// What was measured.
pub(crate) struct Row([String; 5]);

impl Table {
    /// One with nothing but its head, which is printed.
    pub(crate) fn begin() -> Self {
        let mut table = Self(String::new());
        table.line(&HEADS.map(str::to_owned));
        table.line(&WIDTHS.map(|width| "-".repeat(width)));
        table
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: Row) {
        let Row(cells) = row;
        self.line(&cells);
    }

    /// The whole, as Markdown.
    pub(crate) fn markdown(&self) -> &str {
        &self.0
    }

    fn line(&mut self, cells: &[String; 5]) {
        let padded = cells.iter().zip(WIDTHS).map(|(cell, width)| format!("| {cell:<width$} "));
        let line = padded.collect::<String>() + "|";
        println!("{line}");
        self.0.push_str(&line);
        self.0.push('\n');
    }
}

impl Row {
    /// Of what was measured, the figure.
    pub(crate) fn new(measured: impl Into<String>, figure: impl Display) -> Self {
        Self([measured.into(), figure.to_string(), String::new(), String::new(), String::new()])
    }

    /// What it is beside something else of this run.
    pub(crate) fn beside(mut self, what: impl Into<String>) -> Self {
        self.0[2] = what.into();
        self
    }

    /// It should be so much at least.
    pub(crate) fn at_least(self, value: f64, least: f64, unit: &str) -> Self {
        self.should(&format!("{least}{unit} at least"), value >= least)
    }

    /// It should be so much at most.
    pub(crate) fn at_most(self, value: f64, most: f64, unit: &str) -> Self {
        self.should(&format!("{most}{unit} at most"), value <= most)
    }

    fn should(mut self, target: &str, is_met: bool) -> Self {
        target.clone_into(&mut self.0[3]);
        if is_met { "met" } else { "missed" }.clone_into(&mut self.0[4]);
        self
    }
}

/// A rate, `12,528/s`.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", grouped(per_second))
}

/// Milliseconds, with a tenth.
pub(crate) fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Microseconds, with a tenth below a hundred.
pub(crate) fn micros(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 100.0 { format!("{micros:.1} us") } else { format!("{} us", grouped(micros)) }
}

/// A whole number, its thousands apart: `12,528`.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
