//! Wakes those who wait for a job's messages.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time};

use crate::ledger::{Entry, State};

/// The longest wait, also when nothing is due: what nobody rings for is seen after this long.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// One bell for each job.
#[derive(Default)]
pub(crate) struct Bells(Mutex<HashMap<String, Arc<Notify>>>);

impl Bells {
    /// Wakes those who wait for this message's job, if it may be claimed.
    pub(crate) fn announce(&self, entry: &Entry) {
        if entry.state == State::Waiting {
            self.ring(&entry.message.job);
        }
    }

    /// Wakes those who wait for `job`.
    pub(crate) fn ring(&self, job: &str) {
        if let Some(bell) = self.bells().get(job) {
            bell.notify_waiters();
        }
    }

    /// Waits for the bell of `job`, or for as long as `next_due` says; that is asked only once a ring cannot be missed.
    pub(crate) async fn wait(&self, job: &str, next_due: impl FnOnce() -> Option<Duration>) {
        let bell = Arc::clone(self.bells().entry(job.to_owned()).or_default());
        let mut rung = pin!(bell.notified());
        rung.as_mut().enable();
        let pause = next_due().map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
        // Either way there is reason to look again.
        let _ = time::timeout(pause, rung).await;
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
