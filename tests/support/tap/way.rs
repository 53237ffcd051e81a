//! What becomes of the ways between processes and what they work with: they break, and are slow.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// All ways to one place.
#[derive(Debug, Default)]
pub struct Ways {
    delay_ms: AtomicU64,
    open: Mutex<CancellationToken>,
}

impl Ways {
    /// Breaks each that is open now, in the middle of whatever goes over it.
    pub fn cut(&self) {
        std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner)).cancel();
    }

    /// Holds up each call and each answer from now on for so long.
    pub fn slow_down(&self, delay: Duration) {
        self.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Ends when those that are open now are cut.
    pub(super) fn until_cut(&self) -> CancellationToken {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As long as what goes over it is held up.
    pub(super) async fn hold_up(&self) {
        let delay = self.delay_ms.load(Ordering::Relaxed);
        if delay > 0 {
            sleep(Duration::from_millis(delay)).await;
        }
    }
}
