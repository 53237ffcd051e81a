//! In-memory stand-ins that hold state, for this crate's tests.

mod cut;
mod json;
mod table;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::Timestamp;
use jobs::{
    ProcessResults,
    ports::{Clock, Dice, Enqueue, Link, LinkError, Message, NodeCommand, Push, QueueError},
    report::{Event, Report},
};
use tokio::{sync::Semaphore, time::Instant};

pub(crate) use cut::CutOff;
pub(crate) use json::any_json;
pub(crate) use table::MemoryTable;

/// Goes with tokio's time, so that it stands still where that is paused.
pub(crate) struct TokioClock(Instant);

impl TokioClock {
    pub(crate) const START: Timestamp = Timestamp(1_795_424_465_000);

    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Self::START.plus(self.0.elapsed())
    }
}

/// Rolls 1, 2, 3 and so on.
#[derive(Default)]
pub(crate) struct CountingDice(AtomicU64);

impl Dice for CountingDice {
    fn roll(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Keeps what other brokers were told.
#[derive(Default)]
pub(crate) struct RecordingLink {
    told: Mutex<Vec<(String, NodeCommand)>>,
    tells_the_past: bool,
    /// So many commands are not given.
    refused: AtomicUsize,
}

impl RecordingLink {
    pub(crate) fn telling_the_past() -> Self {
        Self { tells_the_past: true, ..Self::default() }
    }

    /// The next so many commands find it away.
    pub(crate) fn refuses(&self, commands: usize) {
        self.refused.store(commands, Ordering::SeqCst);
    }

    /// What was given so far: to whom, and what.
    pub(crate) fn told(&self) -> Vec<(String, NodeCommand)> {
        self.told.lock().unwrap().clone()
    }
}

#[async_trait]
impl Link for RecordingLink {
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        let less = |left: usize| left.checked_sub(1);
        if self.refused.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return Err(LinkError::Away("it is away".to_owned()));
        }
        self.told.lock().unwrap().push((broker.to_owned(), command));
        Ok(())
    }

    async fn publish(&self, _: Vec<Push>) -> Result<(), LinkError> {
        Ok(())
    }

    fn tells_the_past(&self) -> bool {
        self.tells_the_past
    }
}

/// Keeps what it takes. It can be away, and it can be made to wait.
pub(crate) struct MemoryQueue {
    messages: Mutex<Vec<Message>>,
    away: AtomicBool,
    gate: Semaphore,
}

impl MemoryQueue {
    pub(crate) fn new() -> Self {
        Self { messages: Mutex::default(), away: AtomicBool::new(false), gate: Semaphore::new(Semaphore::MAX_PERMITS) }
    }

    /// A queue whose every write waits for [`Self::let_one_pass`].
    pub(crate) fn gated() -> Self {
        Self { gate: Semaphore::new(0), ..Self::new() }
    }

    pub(crate) fn let_one_pass(&self) {
        self.gate.add_permits(1);
    }

    pub(crate) fn goes_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    pub(crate) fn comes_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }

    /// The batches it took, in order.
    pub(crate) fn batches(&self) -> Vec<ProcessResults> {
        let messages = self.messages.lock().unwrap();
        messages.iter().map(|message| serde_json::from_slice(&message.body).unwrap()).collect()
    }

    /// The reports it took, in order.
    pub(crate) fn reports(&self) -> Vec<Report> {
        self.batches().into_iter().flat_map(|batch| batch.reports).collect()
    }

    /// The events of the reports it took, in order.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.reports().into_iter().map(|report| report.event).collect()
    }
}

#[async_trait]
impl Enqueue for MemoryQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        self.gate.acquire().await.unwrap().forget();
        if self.away.load(Ordering::SeqCst) {
            return Err(QueueError::Away("unplugged".to_owned()));
        }
        self.messages.lock().unwrap().extend(messages);
        Ok(())
    }
}

/// Waits until `found` finds something, ten seconds at most.
pub(crate) async fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: not within ten seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
