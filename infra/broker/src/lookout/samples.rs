//! What is seen of the queue and the store: when they are asked, and when they are used.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::future::BoxFuture;
use jobs::ports::{Enqueue, Message, QueueError};
use tokio::time::Instant;

use super::{QUEUE, outage::Turn};

/// What was seen of something at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub at: Instant,
    /// Why it is away, if it is.
    pub away: Option<String>,
}

/// What was seen last of something, and since when it is seen to be away.
#[derive(Debug)]
struct Seen {
    sample: Sample,
    away_since: Option<Instant>,
}

/// What was seen last.
#[derive(Debug, Default)]
pub struct Looks {
    last: Mutex<BTreeMap<&'static str, Seen>>,
    told: AtomicUsize,
}

impl Looks {
    /// Something was seen now: that it is there, or why it is not.
    pub fn saw(&self, needs: &'static str, away: Option<String>) {
        let (mut last, at) = (self.samples(), Instant::now());
        let before = last.get(needs).and_then(|seen| seen.away_since);
        let away_since = away.as_ref().map(|_| before.unwrap_or(at));
        last.insert(needs, Seen { sample: Sample { at, away }, away_since });
    }

    /// Why something is away, if it is seen to be so for at least so long.
    pub(crate) fn away_for(&self, needs: &str, at_least: Duration) -> Option<String> {
        let last = self.samples();
        let seen = last.get(needs).filter(|seen| seen.away_since.is_some_and(|since| since.elapsed() >= at_least))?;
        seen.sample.away.clone()
    }

    /// Whether something is away and was told of.
    pub fn has_told(&self) -> bool {
        self.told.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn last(&self, needs: &str) -> Option<Sample> {
        self.samples().get(needs).map(|seen| seen.sample.clone())
    }

    pub(crate) fn note(&self, turn: &Turn) {
        match turn {
            Turn::Away(_) => drop(self.told.fetch_add(1, Ordering::Relaxed)),
            // What an earlier process told of was not counted here.
            Turn::Back(_) => {
                let less = |told: usize| Some(told.saturating_sub(1));
                let _ = self.told.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            }
        }
    }

    fn samples(&self) -> MutexGuard<'_, BTreeMap<&'static str, Seen>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that can be asked whether it is there.
pub struct Probe {
    pub(super) needs: &'static str,
    ask: Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl Probe {
    /// Asks after `needs` so; an error says why it is away.
    pub fn new(
        needs: &'static str,
        ask: impl Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    ) -> Self {
        Self { needs, ask: Box::new(ask) }
    }

    pub(super) fn ask(&self) -> BoxFuture<'static, Result<(), String>> {
        (self.ask)()
    }
}

/// A queue of which it is seen whether it takes what it is given.
pub struct WatchedQueue {
    queue: Arc<dyn Enqueue>,
    looks: Arc<Looks>,
}

impl WatchedQueue {
    /// Watches this one.
    pub fn new(queue: Arc<dyn Enqueue>, looks: Arc<Looks>) -> Self {
        Self { queue, looks }
    }
}

#[async_trait]
impl Enqueue for WatchedQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let is_some = !messages.is_empty();
        let taken = self.queue.enqueue(messages).await;
        match &taken {
            Err(QueueError::Away(why)) => self.looks.saw(QUEUE, Some(why.clone())),
            // What asks for nothing proves nothing.
            _ if is_some => self.looks.saw(QUEUE, None),
            _ => {}
        }
        taken
    }
}
