//! Changes that are not written yet, laid over what is.

use std::collections::HashMap;

use bytes::Bytes;

use crate::{EngineError, Space};

/// What one change does. It sees what is stored and every change before it, also those of its own group that are not
/// written yet; its own are dropped when it ends with an error.
pub struct Batch<'a> {
    group: &'a Pending,
    own: Pending,
    lost_groups: u64,
}

impl<'a> Batch<'a> {
    pub(crate) fn over(group: &'a Pending, lost_groups: u64) -> Self {
        Self { group, own: Pending::default(), lost_groups }
    }

    pub(crate) fn into_pending(self) -> Pending {
        self.own
    }

    /// What lies at `key`.
    pub fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        match self.own.get(space, key).or_else(|| self.group.get(space, key)) {
            Some(pending) => Ok(pending.clone()),
            None => space.get(key),
        }
    }

    /// Puts `value` at `key`.
    pub fn put(&mut self, space: &Space, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.own.set(space, key.into(), Some(value.into()));
    }

    /// Removes what lies at `key`.
    pub fn remove(&mut self, space: &Space, key: impl Into<Bytes>) {
        self.own.set(space, key.into(), None);
    }

    /// How many groups of changes could not be written since the store was opened. Who mirrors rows in memory reads them
    /// again when this has moved: changes it counted on are gone.
    pub fn lost_groups(&self) -> u64 {
        self.lost_groups
    }
}

/// The last value set for every key; none where it is to be removed.
#[derive(Default)]
pub(crate) struct Pending {
    spaces: HashMap<u64, (Space, HashMap<Bytes, Option<Bytes>>)>,
    bytes: usize,
}

impl Pending {
    fn get(&self, space: &Space, key: &[u8]) -> Option<&Option<Bytes>> {
        self.spaces.get(&space.keyspace().id())?.1.get(key)
    }

    fn set(&mut self, space: &Space, key: Bytes, value: Option<Bytes>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
        self.rows_of(space).insert(key, value);
    }

    fn rows_of(&mut self, space: &Space) -> &mut HashMap<Bytes, Option<Bytes>> {
        &mut self.spaces.entry(space.keyspace().id()).or_insert_with(|| (space.clone(), HashMap::new())).1
    }

    /// Takes over `later`, which wins.
    pub(crate) fn absorb(&mut self, later: Self) {
        self.bytes += later.bytes;
        for (space, rows) in later.spaces.into_values() {
            self.rows_of(&space).extend(rows);
        }
    }

    /// How many bytes were set, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }

    /// Makes it durable: all or nothing.
    pub(crate) fn write(self, database: &fjall::Database) -> fjall::Result<()> {
        let mut batch = database.batch().durability(Some(fjall::PersistMode::SyncData));
        for (space, rows) in self.spaces.into_values() {
            for (key, value) in rows {
                match value {
                    Some(value) => batch.insert(space.keyspace(), key, value),
                    None => batch.remove(space.keyspace(), key),
                }
            }
        }
        batch.commit()
    }
}
