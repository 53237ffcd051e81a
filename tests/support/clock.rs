//! A clock that stands still until it is told to go on.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use domain::Timestamp;
use records::Clock;

/// The tests' time.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// One that shows some moment in 2026.
    pub fn new() -> Self {
        Self::at(Timestamp(1_780_000_000_000))
    }

    /// One that shows this moment.
    pub fn at(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.0))
    }

    /// Is set back, to the millisecond.
    pub fn set_back(&self, by: Duration) {
        self.0.store(self.now().minus(by).0, Ordering::SeqCst);
    }

    /// Goes on by `passed`, to the millisecond.
    pub fn advance(&self, passed: Duration) {
        self.0.store(self.now().plus(passed).0, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
