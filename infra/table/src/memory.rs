//! The table in memory: for tests, and for trying things out.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use records::{Clock, Item, Key, Order, Outcome, Page, Range, Table, TableError, Write};

use crate::{layout, page, rules};

type Items = BTreeMap<Vec<u8>, Item>;

/// A table that is gone when it is dropped.
pub struct MemoryTable {
    items: Mutex<Items>,
    clock: Arc<dyn Clock>,
}

impl MemoryTable {
    /// An empty one.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { items: Mutex::default(), clock }
    }

    /// Nothing under the lock can leave the items half changed, so a panic elsewhere does not spoil them.
    fn items(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, items: &Items, key: &Key) -> Option<Item> {
        let item = items.get(&layout::place(key))?;
        rules::live(item.clone(), self.clock.now())
    }

    fn apply(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        let mut items = self.items();
        let outcome = rules::judge(&writes, |key| Ok(self.find(&items, key)))?;
        if outcome.applied() {
            for write in writes {
                let place = layout::place(write.key());
                match write {
                    Write::Put(item, _) => items.insert(place, item),
                    Write::Delete(..) => items.remove(&place),
                };
            }
        }
        Ok(outcome)
    }
}

#[async_trait]
impl Table for MemoryTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        rules::check_key(key)?;
        Ok(self.find(&self.items(), key))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        keys.iter().try_for_each(rules::check_key)?;
        let items = self.items();
        let keys: HashSet<&Key> = keys.iter().collect();
        Ok(keys.into_iter().filter_map(|key| self.find(&items, key)).collect())
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        rules::check_range(range)?;
        let Some(bounds) = layout::bounds(range) else { return Ok(Page::default()) };
        let items = self.items();
        let found = items.range(bounds).map(|(_, item)| Ok(item.clone()));
        let now = self.clock.now();
        match range.order {
            Order::Ascending => page::cut(found, range.limit, now),
            Order::Descending => page::cut(found.rev(), range.limit, now),
        }
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.transact(vec![write]).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        rules::check_batch(&writes)?;
        self.apply(writes).map(|_| ())
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        rules::check_transaction(&writes)?;
        self.apply(writes)
    }
}
