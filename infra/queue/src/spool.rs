//! What is taken while the queue is away: kept in a folder of its own, and given to the queue in order once it is back.
//!
//! Nothing is switched: who consumes knows only the queue. Who enqueues is told that a message is durable, and it is, here
//! or there; that the spool is full, it is told before anything is taken.

use std::{
    collections::VecDeque,
    ops::Bound,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use engine_embedded::{Engine, EngineError, Space};
use jobs::ports::{Enqueue, Message, QueueError, SpoolState, Spooling};
use tokio::{sync::Notify, time::sleep};

use crate::{
    ledger,
    packed::{pack, unpack},
};

/// How long the queue is left alone after it failed, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How many messages are given to the queue at once, and how many bytes of them at most.
const AT_ONCE: usize = 100;
const BYTES_AT_ONCE: usize = 2 * 1024 * 1024;
/// The row that shows whether the disk takes any. Those of messages have longer names.
const PROBE: &[u8] = b"probe";

/// A queue with a spool before it.
pub struct SpooledQueue {
    queue: Arc<dyn Enqueue>,
    engine: Engine,
    rows: Space,
    waiting: Mutex<Waiting>,
    most_bytes: u64,
    /// Whether the disk took nothing when it was last tried.
    disk_refuses: AtomicBool,
    news: Notify,
}

/// What lies in the spool, the oldest first.
#[derive(Default)]
struct Waiting {
    rows: VecDeque<(u64, u64)>,
    bytes: u64,
    last: u64,
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
        if !waiting.rows.is_empty() {
            tracing::warn!(messages = waiting.rows.len(), "an earlier process left messages in the spool");
        }
        let (waiting, disk_refuses) = (Mutex::new(waiting), AtomicBool::new(false));
        Ok(Self { queue, engine, rows, waiting, most_bytes, disk_refuses, news: Notify::new() })
    }

    /// Gives what lies in the spool to the queue, for as long as it is polled.
    pub async fn drain(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let given = self.give_some().await;
            self.look_at_disk().await;
            match given {
                Ok(0) if !self.disk_refuses() => {
                    pause = FIRST_PAUSE;
                    self.news.notified().await;
                    continue;
                }
                Ok(0) => {}
                Ok(_) => {
                    pause = FIRST_PAUSE;
                    continue;
                }
                Err(error) => tracing::debug!(%error, "what is spooled stays spooled"),
            }
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
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
        let mut messages = Vec::with_capacity(numbers.len());
        for number in &numbers {
            match self.rows.get(&number.to_be_bytes()).map_err(|error| away(&error))?.as_deref().map(unpack) {
                Some(Ok(message)) => messages.push(message),
                Some(Err(error)) => tracing::error!(%error, "a spooled message is damaged, and left out"),
                None => {}
            }
        }
        match self.queue.enqueue(messages).await {
            Err(QueueError::Invalid(why)) => tracing::error!("the queue refuses what was spooled, it is lost: {why}"),
            given => given?,
        }
        if numbers.is_empty() {
            return Ok(0);
        }
        let (rows, given) = (self.rows.clone(), numbers.clone());
        let forget = self.engine.commit(move |batch| {
            for number in &given {
                batch.remove(&rows, number.to_be_bytes().to_vec());
            }
            Ok(())
        });
        forget.await.map_err(|error| away(&error))?;
        let is_empty = self.waiting().forget(numbers.len());
        if is_empty {
            tracing::info!("the queue is back, and has all that was spooled");
        }
        Ok(numbers.len())
    }

    /// Makes messages durable here.
    async fn put(&self, messages: &[Message], why: &str) -> Result<(), QueueError> {
        let packed = messages.iter().map(pack).collect::<Result<Vec<_>, _>>()?;
        let bytes: u64 = packed.iter().map(|row| row.len() as u64).sum();
        let (first, is_first) = {
            let mut waiting = self.waiting();
            if waiting.bytes + bytes > self.most_bytes {
                return Err(QueueError::Away(format!("{why}; and the spool is full")));
            }
            (waiting.number(packed.len()), waiting.rows.is_empty())
        };
        if is_first {
            tracing::error!("the queue is away, what is taken is spooled: {why}");
        }
        let sizes: Vec<usize> = packed.iter().map(Vec::len).collect();
        let rows = self.rows.clone();
        let put = self.engine.commit(move |batch| {
            (first..).zip(packed).for_each(|(number, row)| batch.put(&rows, number.to_be_bytes().to_vec(), row));
            Ok(())
        });
        let written = put.await;
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

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Enqueue for SpooledQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        ledger::check(&messages)?;
        // What comes later stays behind what is spooled.
        if !self.waiting().rows.is_empty() {
            return self.put(&messages, "what was spooled before still waits").await;
        }
        match self.queue.enqueue(messages.clone()).await {
            Err(QueueError::Away(why)) => self.put(&messages, &why).await,
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
            messages: waiting.rows.len() as u64,
            bytes: waiting.bytes,
            most_bytes: self.most_bytes,
            disk_refuses: self.disk_refuses(),
        }
    }
}

impl Waiting {
    /// So many numbers of which none was used before; the first of them.
    fn number(&mut self, count: usize) -> u64 {
        let first = self.last + 1;
        self.last += count as u64;
        first
    }

    fn push(&mut self, number: u64, size: usize) {
        self.rows.push_back((number, size as u64));
        self.bytes += size as u64;
        self.last = self.last.max(number);
    }

    /// The oldest, as many as are given at once.
    fn oldest(&self) -> Vec<u64> {
        let mut bytes = 0;
        let fits = |(_, size): &&(u64, u64)| {
            bytes += usize::try_from(*size).unwrap_or(usize::MAX);
            bytes <= BYTES_AT_ONCE || bytes == usize::try_from(*size).unwrap_or(usize::MAX)
        };
        self.rows.iter().take(AT_ONCE).take_while(fits).map(|(number, _)| *number).collect()
    }

    /// Forgets the oldest. Whether none is left.
    fn forget(&mut self, count: usize) -> bool {
        let forgotten: u64 = self.rows.drain(..count).map(|(_, size)| size).sum();
        self.bytes -= forgotten;
        self.rows.is_empty()
    }
}

fn away(error: &EngineError) -> QueueError {
    QueueError::Away(format!("the spool: {error}"))
}
