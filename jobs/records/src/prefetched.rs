//! What one run of a job will need, read in one call instead of one by one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{Mac, Source};

use crate::{Item, Key, Outcome, Page, Range, Table, TableError, Write, alarms, nodes, readings, terminals};

/// A table that knows some of its items already. For one run: what others write meanwhile is seen when a write of ours to
/// the same place is refused, since what was written to, or was to be, is read anew.
///
/// It is for items that do not expire.
pub struct Prefetched {
    table: Arc<dyn Table>,
    known: Mutex<HashMap<Key, Option<Item>>>,
}

impl Prefetched {
    /// Reads what a batch of reports is about: each terminal, how it stands, and its latest readings.
    pub async fn of_terminals(table: Arc<dyn Table>, macs: impl IntoIterator<Item = &Mac>) -> Result<Self, TableError> {
        let keys = macs
            .into_iter()
            .flat_map(|mac| [terminals::key(mac), terminals::standing_key(mac), readings::latest_key(mac)]);
        Self::of(table, keys.collect()).await
    }

    /// Reads what evidence is about: what is registered of each source, and what is remembered of it.
    pub async fn of_sources(
        table: Arc<dyn Table>,
        sources: impl IntoIterator<Item = &Source>,
    ) -> Result<Self, TableError> {
        let keys = sources.into_iter().flat_map(|source| {
            let registered = match source {
                Source::Device(device) => Some(terminals::key(&device.mac)),
                Source::Terminal(mac) => Some(terminals::key(mac)),
                Source::Node(name) => Some(nodes::key(name)),
                Source::Platform(_) => None,
            };
            registered.into_iter().chain([alarms::watch_key(source)])
        });
        Self::of(table, keys.collect()).await
    }

    async fn of(table: Arc<dyn Table>, keys: Vec<Key>) -> Result<Self, TableError> {
        let found = if keys.is_empty() { Vec::new() } else { table.get_many(&keys).await? };
        let mut known: HashMap<Key, Option<Item>> = keys.into_iter().map(|key| (key, None)).collect();
        known.extend(found.into_iter().map(|item| (item.key.clone(), Some(item))));
        Ok(Self { table, known: Mutex::new(known) })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, Option<Item>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget<'a>(&self, writes: impl IntoIterator<Item = &'a Write>) {
        let mut known = self.known();
        for write in writes {
            known.remove(write.key());
        }
    }
}

#[async_trait]
impl Table for Prefetched {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        let known = self.known().get(key).cloned();
        match known {
            Some(item) => Ok(item),
            None => self.table.get(key).await,
        }
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        let (mut items, mut unknown) = (HashMap::new(), Vec::new());
        for key in keys {
            match self.known().get(key) {
                Some(Some(item)) => drop(items.insert(key, item.clone())),
                Some(None) => {}
                None => unknown.push(key.clone()),
            }
        }
        let mut items: Vec<Item> = items.into_values().collect();
        if !unknown.is_empty() {
            items.extend(self.table.get_many(&unknown).await?);
        }
        Ok(items)
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.table.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.forget([&write]);
        self.table.write(write).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.forget(&writes);
        self.table.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        self.forget(&writes);
        self.table.transact(writes).await
    }
}
