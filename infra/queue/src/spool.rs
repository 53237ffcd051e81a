//! What is taken while the queue is away: kept in a folder of its own, and given to the queue in order once it is back.
//!
//! Nothing is switched: who consumes knows only the queue. Who enqueues is told that a message is durable, and it is, here
//! or there; that the spool is full, it is told before anything is taken.
//!
//! While the queue may forget what it is given, a copy of that is kept here, and given again once it keeps things: under the same keys,
//! so what it did not forget is done once.

mod aside;
mod waiting;

use std::{
    ops::Bound,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use engine_embedded::{Engine, EngineError, Space};
use jobs::ports::{Enqueue, Message, QueueError, SpoolState, Spooling};
use tokio::{sync::Notify, time::sleep};

use self::{aside::Aside, waiting::Waiting};
use crate::{
    ledger,
    packed::{pack, unpack},
};

/// How long the queue is left alone after it failed, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Of what the spool may have, copies take this share at most: the rest is for when the queue is away. The oldest copies go first.
const SHARE_OF_COPIES: u64 = 2;
/// The row that shows whether the disk takes any. Those of messages have longer names.
const PROBE: &[u8] = b"probe";

/// A queue with a spool before it.
pub struct SpooledQueue {
    queue: Arc<dyn Enqueue>,
    engine: Engine,
    rows: Space,
    aside: Aside,
    waiting: Mutex<Waiting>,
    most_bytes: u64,
    /// Whether the disk took nothing when it was last tried.
    disk_refuses: AtomicBool,
    /// Whether copies are kept of what the queue is given.
    copies: AtomicBool,
    news: Notify,
}

impl SpooledQueue {
    /// The spool in `folder`, of at most so many bytes, before `queue`. What an earlier process left in it is given first.
    pub fn open(queue: Arc<dyn Enqueue>, folder: &Path, most_bytes: u64) -> Result<Self, EngineError> {
        let engine = Engine::open(folder)?;
        let rows = engine.space("spool")?;
        let mut waiting = Waiting::default();
        for row in rows.range(Bound::Unbounded, Bound::Unbounded) {
            let row = row?;
            let Ok(number) = <[u8; 8]>::try_from(&*row.key) else { continue };
            waiting.push(u64::from_be_bytes(number), row.value.len());
        }
        if !waiting.all_is_given() {
            tracing::warn!(messages = waiting.messages(), "an earlier process left messages in the spool");
        }
        let (waiting, disk_refuses) = (Mutex::new(waiting), AtomicBool::new(false));
        let copies = AtomicBool::new(false);
        let aside = Aside::open(&engine)?;
        Ok(Self { queue, engine, rows, aside, waiting, most_bytes, disk_refuses, copies, news: Notify::new() })
    }

    /// From now on a copy is kept of what the queue is given, or no more. Whenever this is said, what there is of copies is given again
    /// first: the queue may have forgotten it.
    pub fn keep_copies(&self, keep: bool) {
        self.copies.store(keep, Ordering::Relaxed);
        self.waiting().give_again();
        self.news.notify_one();
    }

    /// Gives what lies in the spool to the queue, for as long as it is polled.
    pub async fn drain(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let given = self.give_some().await;
            let removed = self.remove_given().await;
            self.look_at_disk().await;
            if removed > 0 || given.as_ref().is_ok_and(|given| *given > 0) {
                pause = FIRST_PAUSE;
                continue;
            }
            match given {
                Ok(_) if self.is_idle() => {
                    pause = FIRST_PAUSE;
                    self.news.notified().await;
                    continue;
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "what is spooled stays spooled"),
            }
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Whether a write has failed: it takes nothing more until it is opened anew, and then has all that was taken. A disk that
    /// is full or read-only is none of that.
    pub fn has_failed(&self) -> bool {
        self.engine.has_failed()
    }

    /// Whether nothing is left to do until something is put here.
    fn is_idle(&self) -> bool {
        let waiting = self.waiting();
        !self.disk_refuses() && waiting.all_is_given() && waiting.given(self.kept()).is_empty()
    }

    /// How many bytes are kept of what the queue has.
    fn kept(&self) -> u64 {
        if self.copies.load(Ordering::Relaxed) { self.most_bytes / SHARE_OF_COPIES } else { 0 }
    }

    fn disk_refuses(&self) -> bool {
        self.disk_refuses.load(Ordering::Relaxed)
    }

    /// Sees whether a disk that took nothing takes something again: who is not ready may be told nothing that would show it.
    async fn look_at_disk(&self) {
        if !self.disk_refuses() {
            return;
        }
        let rows = self.rows.clone();
        let written = self.engine.commit(move |batch| {
            batch.put(&rows, PROBE, Vec::new());
            Ok(())
        });
        self.disk_refuses.store(written.await.is_err(), Ordering::Relaxed);
    }

    /// Gives the oldest messages to the queue. How many there were.
    async fn give_some(&self) -> Result<usize, QueueError> {
        let numbers = self.waiting().oldest();
        if numbers.is_empty() {
            return Ok(0);
        }
        let mut messages = Vec::with_capacity(numbers.len());
        for number in &numbers {
            messages.extend(self.message(*number).await?);
        }
        match self.queue.enqueue(messages).await {
            Err(QueueError::Invalid(_)) => self.give_one_by_one(&numbers).await?,
            given => given?,
        }
        let all_is_given = self.waiting().give(&numbers);
        if all_is_given {
            tracing::info!("the queue is back, and has all that was spooled");
        }
        Ok(numbers.len())
    }

    /// Gives messages of which the queue refuses one at least, which is kept aside: the others are given without it.
    async fn give_one_by_one(&self, numbers: &[u64]) -> Result<(), QueueError> {
        for number in numbers {
            let Some(message) = self.message(*number).await? else { continue };
            let row = pack(&message)?;
            match self.queue.enqueue(vec![message]).await {
                Err(QueueError::Invalid(why)) => self.keep_aside(row, &why).await?,
                given => given?,
            }
        }
        Ok(())
    }

    /// The message of that number; none if it is damaged, and so kept aside.
    async fn message(&self, number: u64) -> Result<Option<Message>, QueueError> {
        let row = self.rows.get(&number.to_be_bytes()).map_err(|error| away(&error))?;
        let Some(row) = row else { return Ok(None) };
        match unpack(&row) {
            Ok(message) => Ok(Some(message)),
            Err(error) => self.keep_aside(row, &error.to_string()).await.map(|()| None),
        }
    }

    async fn keep_aside(&self, row: impl Into<Bytes>, why: &str) -> Result<(), QueueError> {
        self.aside.keep(row.into(), why).await.map_err(|error| away(&error))
    }

    /// Removes from the disk what the queue has. How much of it. What a disk that is full does not let go is given no second time
    /// for that, and holds up nothing: only a process that dies meanwhile leaves it to be given again, under the same keys.
    async fn remove_given(&self) -> usize {
        let given = self.waiting().given(self.kept());
        if given.is_empty() {
            return 0;
        }
        let (rows, removed) = (self.rows.clone(), given.clone());
        let committed = self.engine.commit(move |batch| {
            for number in removed {
                batch.remove(&rows, number.to_be_bytes().to_vec());
            }
            Ok(())
        });
        if let Err(error) = committed.await {
            tracing::debug!(%error, "what the queue has stays in the spool for now");
            return 0;
        }
        self.waiting().removed(&given);
        given.len()
    }

    /// Makes messages durable here.
    async fn put(&self, messages: &[Message], why: &str) -> Result<(), QueueError> {
        let packed = messages.iter().map(pack).collect::<Result<Vec<_>, _>>()?;
        let bytes: u64 = packed.iter().map(|row| row.len() as u64).sum();
        let (first, is_first) = {
            let mut waiting = self.waiting();
            if waiting.bytes() + bytes > self.most_bytes {
                return Err(QueueError::Away(format!("{why}; and the spool is full")));
            }
            (waiting.number(packed.len()), waiting.all_is_given())
        };
        if is_first {
            tracing::error!("the queue is away, what is taken is spooled: {why}");
        }
        let sizes: Vec<usize> = packed.iter().map(Vec::len).collect();
        let written = self.write(first, packed).await;
        self.disk_refuses.store(written.is_err(), Ordering::Relaxed);
        if let Err(error) = written {
            self.news.notify_one();
            return Err(away(&error));
        }
        let mut waiting = self.waiting();
        (first..).zip(sizes).for_each(|(number, size)| waiting.push(number, size));
        drop(waiting);
        self.news.notify_one();
        Ok(())
    }

    /// Keeps a copy of what the queue has taken. Where that cannot be had the queue's word is all there is.
    async fn copy(&self, messages: &[Message]) {
        let Ok(packed) = messages.iter().map(pack).collect::<Result<Vec<_>, _>>() else { return };
        let sizes: Vec<usize> = packed.iter().map(Vec::len).collect();
        let first = self.waiting().number(packed.len());
        if let Err(error) = self.write(first, packed).await {
            // Health and lookout tell of the disk.
            tracing::debug!(%error, "no copy is kept of what a queue was given that may forget it");
            return;
        }
        let mut waiting = self.waiting();
        let rows = (first..).zip(sizes);
        if self.copies.load(Ordering::Relaxed) {
            rows.for_each(|(number, size)| waiting.copy(number, size));
        } else {
            // The others were given again meanwhile.
            rows.for_each(|(number, size)| waiting.push(number, size));
        }
        drop(waiting);
        self.news.notify_one();
    }

    /// Makes rows durable, under numbers from `first` on.
    async fn write(&self, first: u64, packed: Vec<Vec<u8>>) -> Result<(), EngineError> {
        let rows = self.rows.clone();
        let put = self.engine.commit(move |batch| {
            (first..).zip(packed).for_each(|(number, row)| batch.put(&rows, number.to_be_bytes().to_vec(), row));
            Ok(())
        });
        put.await
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Enqueue for SpooledQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        ledger::check(&messages)?;
        // What comes later stays behind what is spooled.
        if !self.waiting().all_is_given() {
            return self.put(&messages, "what was spooled before still waits").await;
        }
        match self.queue.enqueue(messages.clone()).await {
            Err(QueueError::Away(why)) => self.put(&messages, &why).await,
            Ok(()) if self.copies.load(Ordering::Relaxed) => {
                self.copy(&messages).await;
                Ok(())
            }
            taken_or_refused => {
                // While the queue takes everything and nothing waits, what the disk takes is nobody's loss.
                self.disk_refuses.store(false, Ordering::Relaxed);
                taken_or_refused
            }
        }
    }
}

impl Spooling for SpooledQueue {
    fn state(&self) -> SpoolState {
        let waiting = self.waiting();
        SpoolState {
            messages: waiting.messages(),
            bytes: waiting.bytes(),
            most_bytes: self.most_bytes,
            disk_refuses: self.disk_refuses(),
            disk_is_full: self.engine.takes_writes().is_err(),
            has_failed: self.has_failed(),
            set_aside: self.aside.count(),
        }
    }
}

fn away(error: &EngineError) -> QueueError {
    QueueError::Away(format!("the spool: {error}"))
}
