//! What happened in a world, for whoever looks for the cause of a failure.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use records::Clock;

/// Lines of what happened; none are kept where nobody wants to read them.
pub(super) struct Trace {
    clock: Arc<dyn Clock>,
    began: Timestamp,
    lines: Option<Mutex<Vec<String>>>,
}

impl Trace {
    /// One that is kept, or not.
    pub(super) fn new(clock: Arc<dyn Clock>, is_kept: bool) -> Self {
        let began = clock.now();
        Self { clock, began, lines: is_kept.then(Mutex::default) }
    }

    /// Whether lines are kept.
    pub(super) fn is_kept(&self) -> bool {
        self.lines.is_some()
    }

    /// Adds a line, which is made only if it is kept.
    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let passed = self.clock.now().since(self.began).as_millis();
            let line = format!("{:>4}.{:03} {}", passed / 1000, passed % 1000, line());
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    /// An instant as the lines show it.
    pub(super) fn shown(&self, at: Timestamp) -> String {
        let passed = at.0 - self.began.0;
        format!("{}.{:03}", passed.div_euclid(1000), passed.rem_euclid(1000))
    }

    /// The lines so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines
            .as_ref()
            .map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }
}
