//! The queue in memory: for tests, and for trying things out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use jobs::ports::{
    Clock, Consume, DeadLetter, Depth, Enqueue, Inspect, Leased, Message, QueueError, Settlement, Waiting,
};

use crate::{
    bells::Bells,
    ledger::{self, Id, Ledger},
};

/// A queue that is gone when it is dropped.
pub struct MemoryQueue {
    state: Mutex<State>,
    bells: Bells,
    clock: Arc<dyn Clock>,
}

struct State {
    ledger: Ledger,
    bodies: HashMap<Id, Bytes>,
}

impl MemoryQueue {
    /// An empty one.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { ledger: Ledger::new(0), bodies: HashMap::new() };
        Self { state: Mutex::new(state), bells: Bells::default(), clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Ledger, Timestamp) -> T) -> T {
        let mut state = self.state();
        let value = change(&mut state.ledger, self.clock.now());
        let changes = state.ledger.take_changes();
        state.bodies.extend(changes.bodies);
        for id in changes.ids {
            match state.ledger.entry(id) {
                Some(entry) => self.bells.announce(entry),
                None => drop(state.bodies.remove(&id)),
            }
        }
        value
    }
}

#[async_trait]
impl Enqueue for MemoryQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        ledger::check(&messages)?;
        self.change(|ledger, now| {
            for message in messages {
                ledger.take_in(message, now);
            }
        });
        Ok(())
    }
}

#[async_trait]
impl Consume for MemoryQueue {
    async fn claim(&self, job: &str, limit: usize, lease: Duration) -> Result<Vec<Leased>, QueueError> {
        let given = self.change(|ledger, now| ledger.claim(job, limit, lease, now));
        let state = self.state();
        let with_bodies = given.into_iter().filter_map(|given| {
            let body = state.bodies.get(&given.id)?.clone();
            Some(given.leased(body))
        });
        Ok(with_bodies.collect())
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<(), QueueError> {
        self.change(|ledger, now| {
            for settlement in settlements {
                ledger.settle(settlement, now);
            }
        });
        Ok(())
    }

    async fn wait(&self, job: &str) {
        let next_due = || Some(self.state().ledger.next_due(job)?.since(self.clock.now()));
        self.bells.wait(job, next_due).await;
    }
}

#[async_trait]
impl Inspect for MemoryQueue {
    async fn depth(&self, job: &str) -> Result<Depth, QueueError> {
        Ok(self.state().ledger.depth(job))
    }

    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let state = self.state();
        let dead = state.ledger.dead(job, limit).into_iter();
        Ok(dead.filter_map(|(id, entry)| ledger::dead_letter(id, &entry, state.bodies.get(&id)?.clone())).collect())
    }

    async fn waiting(&self, job: &str, limit: usize) -> Result<Vec<Waiting>, QueueError> {
        let state = self.state();
        let waiting = state.ledger.waiting(job, limit, self.clock.now()).into_iter();
        Ok(waiting.filter_map(|(id, entry)| Some(ledger::waiting(&entry, state.bodies.get(&id)?.clone()))).collect())
    }

    async fn cancel(&self, job: &str, key: &str) -> Result<bool, QueueError> {
        Ok(self.change(|ledger, _| ledger.cancel(job, key)))
    }

    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let Ok(id) = id.parse() else { return Ok(false) };
        Ok(self.change(|ledger, now| ledger.redrive(job, id, now)))
    }

    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let Ok(id) = id.parse() else { return Ok(false) };
        Ok(self.change(|ledger, _| ledger.discard(job, id)))
    }
}
