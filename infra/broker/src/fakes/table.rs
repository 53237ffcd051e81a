//! A table in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use records::{Condition, Item, Key, Outcome, Page, Range, Table, TableError, Write};

/// Holds items until it is dropped. Nothing expires in it.
#[derive(Default)]
pub(crate) struct MemoryTable(Mutex<BTreeMap<Key, Item>>, AtomicBool, AtomicBool);

impl MemoryTable {
    /// Whether it leaves who reads one item without an answer from now on.
    pub(crate) fn hangs(&self, hangs: bool) {
        self.1.store(hangs, Ordering::Relaxed);
    }

    /// Whether it is full, as a disk may be, from now on: what is there can be read.
    pub(crate) fn is_full(&self, is_full: bool) {
        self.2.store(is_full, Ordering::Relaxed);
    }
}

fn holds(condition: Condition, found: Option<&Item>) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Absent => found.is_none(),
        Condition::Version(version) => found.is_some_and(|item| item.version == version),
    }
}

#[async_trait]
impl Table for MemoryTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        if self.1.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        let items = self.0.lock().unwrap();
        Ok(keys.iter().filter_map(|key| items.get(key).cloned()).collect())
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        let items = self.0.lock().unwrap();
        let from = Key { pk: range.pk.clone(), sk: range.from.clone() };
        let in_range = |item: &&Item| item.key.pk == range.pk && range.to.as_ref().is_none_or(|to| item.key.sk <= *to);
        Ok(Page {
            items: items.range(from..).map(|(_, item)| item).take_while(in_range).cloned().collect(),
            next: None,
        })
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.transact(vec![write]).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.transact(writes).await.map(drop)
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        if self.2.load(Ordering::Relaxed) {
            return Err(TableError::Away("it is full".to_owned()));
        }
        let mut items = self.0.lock().unwrap();
        for (index, write) in writes.iter().enumerate() {
            let found = items.get(write.key());
            if !holds(write.condition(), found) {
                return Ok(Outcome::Refused { index, found: found.cloned() });
            }
        }
        for write in writes {
            match write {
                Write::Put(item, _) => drop(items.insert(item.key.clone(), item)),
                Write::Delete(key, _) => drop(items.remove(&key)),
            }
        }
        Ok(Outcome::Applied)
    }
}
