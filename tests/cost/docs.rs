//! The tables of `docs/COST.md`.

use std::time::Duration;

use domain::Pid;

use crate::sources::read;

/// How the answers of a line come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    /// Each in a batch of its own.
    Alone,
    /// All of a round in one batch.
    InOneBatch,
    /// As a gateway with so many such lines posts them.
    Posted { terminals: u32 },
}

/// A line and what its readings cost, as the docs have it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) devices: Pid,
    pub(crate) comes: Comes,
    pub(crate) interval: Duration,
    /// The share of readings that say something new.
    pub(crate) moves: f64,
    /// Write units for a reading: measured, as the calculator has it, and at most.
    pub(crate) measured: f64,
    pub(crate) reckoned: f64,
    pub(crate) budget: Option<f64>,
}

impl Row {
    fn of(cells: &[String]) -> Self {
        let number = |cell: usize| first_number(&cells[cell]).unwrap_or_else(|| panic!("no number: {cells:?}"));
        let comes = match cells[1].as_str() {
            "alone" => Comes::Alone,
            "in one batch" => Comes::InOneBatch,
            posted => Comes::Posted { terminals: posted.split(' ').find_map(|word| word.parse().ok()).unwrap_or(1) },
        };
        Self {
            text: cells.join(" | "),
            devices: cells[0].split(' ').find_map(|word| word.parse().ok()).unwrap(),
            comes,
            interval: Duration::from_secs_f64(number(2)),
            moves: 1.0 - number(3) / 100.0,
            measured: number(4),
            reckoned: number(5),
            budget: first_number(&cells[6]),
        }
    }

    pub(crate) fn is_posted(&self) -> bool {
        matches!(self.comes, Comes::Posted { .. })
    }
}

/// The rows of the table whose last column is the budget.
pub(crate) fn rows() -> Vec<Row> {
    let rows: Vec<Row> = cells_of("budget").iter().map(|cells| Row::of(cells)).collect();
    assert!(rows.len() > 8, "{rows:?}");
    rows
}

/// The cells of the table whose last column is called so, a row each.
pub(crate) fn cells_of(last_column: &str) -> Vec<Vec<String>> {
    let docs = read("docs/COST.md");
    let cells =
        |row: &str| -> Vec<String> { row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let mut lines = docs.lines().map(cells).skip_while(|cells| cells.last().is_none_or(|last| last != last_column));
    let width = lines.next().unwrap_or_else(|| panic!("docs/COST.md has no column {last_column}")).len();
    lines.skip(1).take_while(|cells| cells.len() == width).collect()
}

/// The first number in a cell, whose thousands have commas.
pub(crate) fn first_number(cell: &str) -> Option<f64> {
    cell.split(' ').find_map(|word| word.replace(',', "").parse().ok())
}
