//! The queue on the embedded store: the store is the truth, a [`Ledger`] mirrors it in memory.

mod rows;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::Timestamp;
use engine_embedded::{Batch, Engine, EngineError};
use jobs::ports::{
    Clock, Consume, DeadLetter, Depth, Enqueue, Inspect, Leased, Message, QueueError, Settlement, Waiting,
};

use self::rows::Rows;
use crate::{
    bells::Bells,
    ledger::{self, Id, Ledger},
};

/// How many messages are moved at once.
const AT_ONCE: usize = 500;

/// A queue in a folder on this machine. What it was given before a crash is there afterwards, and what was leased then
/// can be claimed at once: this process is the only one, so whoever held those leases is gone.
pub struct EmbeddedQueue {
    engine: Engine,
    shared: Arc<Shared>,
}

struct Shared {
    mirror: Mutex<Mirror>,
    rows: Rows,
    bells: Bells,
    clock: Arc<dyn Clock>,
}

/// The rows in memory. Changed only by the engine's commit thread, in the order of the commits.
struct Mirror {
    ledger: Ledger,
    life: u64,
    /// How many groups the engine had lost when this was last known to be what is stored.
    lost_groups: u64,
}

impl EmbeddedQueue {
    /// The queue in `engine`'s folder. Blocks while it reads a small row for each message there is.
    pub fn open(engine: Engine, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let rows = Rows::open(&engine).map_err(queue_error)?;
        let life = rows.lives().map_err(queue_error)? + 1;
        let mut mirror = Mirror { ledger: Ledger::new(life), life, lost_groups: 0 };
        mirror.read(&rows).map_err(queue_error)?;
        let mirror = Mutex::new(mirror);
        Ok(Self { engine, shared: Arc::new(Shared { mirror, rows, bells: Bells::default(), clock }) })
    }

    /// How many messages wait or run.
    pub fn len(&self) -> usize {
        self.shared.mirror().ledger.living(usize::MAX).len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives all that waits or runs to `other`, and forgets it here. Nobody else may use this queue meanwhile. What was given
    /// when this fails may be given again; dead letters stay. How many messages there were.
    pub async fn move_to(&self, other: &dyn Enqueue) -> Result<usize, QueueError> {
        let mut moved = 0;
        loop {
            let living = self.shared.mirror().ledger.living(AT_ONCE);
            if living.is_empty() {
                return Ok(moved);
            }
            let ids: Vec<Id> = living.iter().map(|(id, _)| *id).collect();
            let mut messages = Vec::with_capacity(living.len());
            for (id, entry) in living {
                let body = self.shared.rows.body(id).map_err(queue_error)?.unwrap_or_default();
                messages.push(Message { body, not_before: Some(entry.due), ..entry.message });
            }
            moved += messages.len();
            other.enqueue(messages).await?;
            self.change(move |ledger, _| ids.into_iter().for_each(|id| ledger.forget(id))).await?;
        }
    }

    /// Does `change` to the ledger, and gives what it gives once the rows it touched are durable.
    async fn change<T, F>(&self, change: F) -> Result<T, QueueError>
    where
        F: FnOnce(&mut Ledger, Timestamp) -> T + Send + 'static,
        T: Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        self.engine.commit(move |batch| shared.change(batch, change)).await.map_err(queue_error)
    }
}

impl Shared {
    fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(
        &self,
        batch: &mut Batch<'_>,
        change: impl FnOnce(&mut Ledger, Timestamp) -> T,
    ) -> Result<T, EngineError> {
        let mut mirror = self.mirror();
        mirror.catch_up(&self.rows, batch.lost_groups())?;
        let value = change(&mut mirror.ledger, self.clock.now());
        let changes = mirror.ledger.take_changes();
        if !changes.ids.is_empty() {
            self.rows.put_lives(batch, mirror.life);
        }
        for (id, body) in changes.bodies {
            self.rows.put_body(batch, id, body);
        }
        for id in changes.ids {
            match mirror.ledger.entry(id) {
                Some(entry) => {
                    self.rows.put(batch, id, entry)?;
                    self.bells.announce(entry);
                }
                None => self.rows.remove(batch, id),
            }
        }
        Ok(value)
    }
}

impl Mirror {
    /// Reads the rows again if changes that were made here could not be written.
    fn catch_up(&mut self, rows: &Rows, lost_groups: u64) -> Result<(), EngineError> {
        if self.lost_groups != lost_groups {
            self.ledger.clear();
            self.read(rows)?;
            self.lost_groups = lost_groups;
        }
        Ok(())
    }

    fn read(&mut self, rows: &Rows) -> Result<(), EngineError> {
        for stored in rows.entries() {
            let (id, entry) = stored?;
            self.ledger.restore(id, entry);
        }
        Ok(())
    }
}

#[async_trait]
impl Enqueue for EmbeddedQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        ledger::check(&messages)?;
        self.change(move |ledger, now| {
            for message in messages {
                ledger.take_in(message, now);
            }
        })
        .await
    }
}

#[async_trait]
impl Consume for EmbeddedQueue {
    async fn claim(&self, job: &str, limit: usize, lease: Duration) -> Result<Vec<Leased>, QueueError> {
        let next_due = self.shared.mirror().ledger.next_due(job);
        if next_due.is_none_or(|due| due > self.shared.clock.now()) {
            return Ok(Vec::new());
        }
        let job = job.to_owned();
        let given = self.change(move |ledger, now| ledger.claim(&job, limit, lease, now)).await?;
        let mut leased = Vec::with_capacity(given.len());
        for given in given {
            // No body: a lease so short that it has run out, and the message was done by another.
            if let Some(body) = self.shared.rows.body(given.id).map_err(queue_error)? {
                leased.push(given.leased(body));
            }
        }
        Ok(leased)
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<(), QueueError> {
        self.change(move |ledger, now| {
            for settlement in settlements {
                ledger.settle(settlement, now);
            }
        })
        .await
    }

    async fn wait(&self, job: &str) {
        let next_due = || Some(self.shared.mirror().ledger.next_due(job)?.since(self.shared.clock.now()));
        self.shared.bells.wait(job, next_due).await;
    }
}

#[async_trait]
impl Inspect for EmbeddedQueue {
    async fn depth(&self, job: &str) -> Result<Depth, QueueError> {
        Ok(self.shared.mirror().ledger.depth(job))
    }

    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let dead = self.shared.mirror().ledger.dead(job, limit);
        let mut letters = Vec::with_capacity(dead.len());
        for (id, entry) in dead {
            let body = self.shared.rows.body(id).map_err(queue_error)?;
            letters.extend(body.and_then(|body| ledger::dead_letter(id, &entry, body)));
        }
        Ok(letters)
    }

    async fn waiting(&self, job: &str, limit: usize) -> Result<Vec<Waiting>, QueueError> {
        let found = self.shared.mirror().ledger.waiting(job, limit, self.shared.clock.now());
        let mut waiting = Vec::with_capacity(found.len());
        for (id, entry) in found {
            // No body: it was claimed and done meanwhile.
            let body = self.shared.rows.body(id).map_err(queue_error)?;
            waiting.extend(body.map(|body| ledger::waiting(&entry, body)));
        }
        Ok(waiting)
    }

    async fn cancel(&self, job: &str, key: &str) -> Result<bool, QueueError> {
        let (job, key) = (job.to_owned(), key.to_owned());
        self.change(move |ledger, _| ledger.cancel(&job, &key)).await
    }

    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let Ok(id) = id.parse() else { return Ok(false) };
        let job = job.to_owned();
        self.change(move |ledger, now| ledger.redrive(&job, id, now)).await
    }

    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let Ok(id) = id.parse() else { return Ok(false) };
        let job = job.to_owned();
        self.change(move |ledger, _| ledger.discard(&job, id)).await
    }
}

fn queue_error(error: EngineError) -> QueueError {
    match error {
        EngineError::ReadOnly(why) | EngineError::Damaged(why) => QueueError::Away(why),
        other => QueueError::Away(other.to_string()),
    }
}
