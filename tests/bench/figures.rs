//! What the plots are drawn from.

/// What was measured of what the plots show. What was not is not drawn.
#[derive(Default)]
pub(crate) struct Figures {
    /// Readings a second.
    pub(crate) throughput: Vec<Bar>,
    /// Milliseconds from post to push, by how many of a hundred readings took no longer.
    pub(crate) waits: Vec<Curve>,
    /// Microseconds a reading costs, by terminals.
    pub(crate) growth: Vec<Curve>,
    /// Microseconds of the server's processor that a push costs, by watchers.
    pub(crate) push_costs: Vec<Curve>,
    /// Milliseconds from a post to the last watcher, for the middle push and the 99th of a hundred, by watchers.
    pub(crate) push_waits: Vec<Curve>,
    /// Mebibytes of resident memory.
    pub(crate) memory: Vec<Bar>,
}

/// One figure among others of its kind.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// What is said of it beside its value.
    pub(crate) note: String,
    /// What it should not exceed.
    pub(crate) limit: Option<f64>,
}

/// A figure that depends on another.
pub(crate) struct Curve {
    pub(crate) name: String,
    /// A companion of the one before it: of the same colour, dashed.
    pub(crate) is_dashed: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Bar {
    pub(crate) fn new(name: &str, value: f64, note: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value, note: note.into(), limit: None }
    }
}

impl Curve {
    pub(crate) fn new(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.to_owned(), is_dashed: false, points }
    }
}
