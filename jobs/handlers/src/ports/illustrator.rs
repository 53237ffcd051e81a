//! The illustrator: a value over time as a picture that a mail can show.

use domain::Timestamp;

/// A value over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The first instant that is shown.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
    /// The value, oldest first; finite.
    pub points: Vec<(Timestamp, f64)>,
    /// What it was held against.
    pub limits: Vec<f64>,
    /// When it was an alarm: from the first instant to the second.
    pub alarms: Vec<(Timestamp, Timestamp)>,
}

/// Who draws.
pub trait Illustrator: Send + Sync {
    /// The curve as a PNG of at most 40 kB, without words in it; none when it cannot be drawn.
    fn draw(&self, curve: &Curve) -> Option<Vec<u8>>;
}
