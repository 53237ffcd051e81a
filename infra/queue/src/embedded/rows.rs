//! The queue's rows in the store. The small row of a message is written at each step of its life, its body only once.

use std::ops::Bound;

use bytes::Bytes;
use engine_embedded::{Batch, Engine, EngineError, Space};

use crate::ledger::{Entry, Id};

/// Where the number of lives is kept; before the first message, whose keys are longer.
const LIVES: &[u8] = &[0];

/// The queue's spaces.
#[derive(Clone)]
pub(super) struct Rows {
    /// Every message without its body, as JSON, by its id.
    entries: Space,
    /// The bodies, by id.
    bodies: Space,
}

impl Rows {
    pub(super) fn open(engine: &Engine) -> Result<Self, EngineError> {
        Ok(Self { entries: engine.space("queue")?, bodies: engine.space("queue-bodies")? })
    }

    /// How many lives the queue has had in which it changed anything.
    pub(super) fn lives(&self) -> Result<u64, EngineError> {
        self.entries.get(LIVES)?.map_or(Ok(0), |bytes| number(&bytes))
    }

    /// Notes that this is life number `lives`. Part of every change, so no change is without it.
    pub(super) fn put_lives(&self, batch: &mut Batch<'_>, lives: u64) {
        batch.put(&self.entries, LIVES, key(lives));
    }

    /// Every message that is stored.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<(Id, Entry), EngineError>> {
        self.entries.range(Bound::Excluded(LIVES.to_vec()), Bound::Unbounded).map(|row| {
            let row = row?;
            let entry = serde_json::from_slice(&row.value).map_err(|error| damaged(&row.key, &error))?;
            Ok((number(&row.key)?, entry))
        })
    }

    pub(super) fn put(&self, batch: &mut Batch<'_>, id: Id, entry: &Entry) -> Result<(), EngineError> {
        let row = serde_json::to_vec(entry).map_err(|error| damaged(&key(id), &error))?;
        batch.put(&self.entries, key(id), row);
        Ok(())
    }

    pub(super) fn put_body(&self, batch: &mut Batch<'_>, id: Id, body: Bytes) {
        batch.put(&self.bodies, key(id), body);
    }

    /// A message's body; none when the message is done.
    pub(super) fn body(&self, id: Id) -> Result<Option<Bytes>, EngineError> {
        self.bodies.get(&key(id))
    }

    pub(super) fn remove(&self, batch: &mut Batch<'_>, id: Id) {
        batch.remove(&self.entries, key(id));
        batch.remove(&self.bodies, key(id));
    }
}

/// An id as a key: in the order of the ids.
fn key(id: Id) -> Bytes {
    Bytes::copy_from_slice(&id.to_be_bytes())
}

fn number(key: &[u8]) -> Result<Id, EngineError> {
    let bytes = key.try_into().map_err(|error| damaged(key, &error))?;
    Ok(Id::from_be_bytes(bytes))
}

fn damaged(key: &[u8], why: &dyn std::fmt::Display) -> EngineError {
    EngineError::Damaged(format!("message {key:02x?}: {why}"))
}
