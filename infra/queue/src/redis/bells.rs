//! When to look again: who enqueues calls it out, and each claim says when the next message is due.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use engine_redis::{Heard, Redis, listen};
use tokio::{task::JoinHandle, time::Instant};

use crate::bells::Bells;

/// The bells of this process, rung by whoever enqueues, wherever it is.
pub(super) struct RedisBells {
    heard: Arc<HeardBells>,
    channel: String,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct HeardBells {
    bells: Bells,
    known: Mutex<HashMap<String, Known>>,
}

/// What is known of a job's messages.
#[derive(Default, Clone, Copy)]
struct Known {
    /// How often its bell was rung.
    rings: u64,
    /// Whether it was rung since the last claim was asked for; then that claim may not have seen why.
    is_news: bool,
    next_due: Option<Instant>,
}

impl RedisBells {
    pub(super) fn listen(redis: Redis, channel: String) -> Self {
        let heard = Arc::<HeardBells>::default();
        let rung = Arc::clone(&heard);
        let listening = tokio::spawn(listen(redis, channel.clone(), move |said| match said {
            Heard::Said(job) => rung.ring(&job),
            Heard::Listening => rung.ring_all(),
        }));
        Self { heard, channel, listening }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// A claim of `job` is asked for. What this gives goes into [`Self::told`].
    pub(super) fn asked(&self, job: &str) -> u64 {
        self.heard.known().entry(job.to_owned()).or_default().rings
    }

    /// The claim said in how long the next message is due.
    pub(super) fn told(&self, job: &str, asked: u64, next_due: Option<Duration>) {
        let mut known = self.heard.known();
        let known = known.entry(job.to_owned()).or_default();
        known.is_news = known.rings != asked;
        known.next_due = next_due.and_then(|wait| Instant::now().checked_add(wait));
    }

    pub(super) async fn wait(&self, job: &str) {
        let next_due = || {
            let known = self.heard.known().get(job).copied().unwrap_or_default();
            let left = known.next_due.map(|due| due.saturating_duration_since(Instant::now()));
            if known.is_news { Some(Duration::ZERO) } else { left }
        };
        self.heard.bells.wait(job, next_due).await;
    }
}

impl Drop for RedisBells {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl HeardBells {
    fn ring(&self, job: &str) {
        self.known().entry(job.to_owned()).or_default().ring();
        self.bells.ring(job);
    }

    fn ring_all(&self) {
        let jobs: Vec<String> = self.known().keys().cloned().collect();
        for job in jobs {
            self.ring(&job);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn ring(&mut self) {
        self.rings += 1;
        self.is_news = true;
    }
}
