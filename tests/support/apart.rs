//! A table of one test's own within a table that others use as well.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use boot::SystemDice;
use jobs::ports::Dice;
use records::{Condition, Item, Key, Outcome, Page, Range, Table, TableError, Write};
use tokio::{runtime::Handle, task::block_in_place};

/// The most bytes of a partition's name.
const MOST_PK_BYTES: usize = 2048;

/// Some partitions of a table, apart from all others by what their names begin with there. Removes what was written to them when
/// it is dropped, for which it needs a runtime of several threads.
pub struct Apart {
    table: Arc<dyn Table>,
    prefix: String,
    used: Mutex<Used>,
}

/// What was used of the table.
#[derive(Default)]
struct Used {
    /// What the partitions are called here, by what they are called there.
    partitions: HashMap<String, String>,
    /// What may lie there now, by its key there.
    written: BTreeSet<Key>,
}

impl Apart {
    /// A part of `table` that nobody has used.
    pub fn new(table: Arc<dyn Table>) -> Self {
        Self { table, prefix: format!("test-{:016x}/", SystemDice.roll()), used: Mutex::default() }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a partition is called there. A name that no table takes stays what it is; the end of the longest is cut off.
    fn there(&self, pk: &str) -> String {
        if pk.is_empty() || pk.len() > MOST_PK_BYTES {
            return pk.to_owned();
        }
        let mut there = format!("{}{pk}", self.prefix);
        there.truncate(there.floor_char_boundary(MOST_PK_BYTES));
        self.used().partitions.insert(there.clone(), pk.to_owned());
        there
    }

    fn key_there(&self, key: &Key) -> Key {
        Key::new(self.there(&key.pk), &key.sk)
    }

    /// Remembers what is to be removed, unless the table takes no such writes at all.
    fn remember<T>(&self, keys: Vec<Key>, ended: &Result<T, TableError>) {
        if !matches!(ended, Err(TableError::Invalid(_))) {
            self.used().written.extend(keys);
        }
    }

    fn write_there(&self, write: Write) -> Write {
        match write {
            Write::Put(item, condition) => Write::Put(Item { key: self.key_there(&item.key), ..item }, condition),
            Write::Delete(key, condition) => Write::Delete(self.key_there(&key), condition),
        }
    }

    fn here(&self, item: Item) -> Item {
        let pk = self.used().partitions.get(&item.key.pk).cloned();
        Item { key: Key { pk: pk.unwrap_or(item.key.pk), sk: item.key.sk }, ..item }
    }

    fn outcome_here(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Applied => Outcome::Applied,
            Outcome::Refused { index, found } => Outcome::Refused { index, found: found.map(|item| self.here(item)) },
        }
    }
}

#[async_trait]
impl Table for Apart {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        Ok(self.table.get(&self.key_there(key)).await?.map(|item| self.here(item)))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        let keys: Vec<Key> = keys.iter().map(|key| self.key_there(key)).collect();
        Ok(self.table.get_many(&keys).await?.into_iter().map(|item| self.here(item)).collect())
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        let there = Range { pk: self.there(&range.pk), ..range.clone() };
        let Page { items, next } = self.table.query(&there).await?;
        Ok(Page { items: items.into_iter().map(|item| self.here(item)).collect(), next })
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        let there = self.write_there(write);
        let key = there.key().clone();
        let ended = self.table.write(there).await;
        self.remember(vec![key], &ended);
        Ok(self.outcome_here(ended?))
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        let there: Vec<Write> = writes.into_iter().map(|write| self.write_there(write)).collect();
        let keys = keys(&there);
        let ended = self.table.write_batch(there).await;
        self.remember(keys, &ended);
        ended
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        let there: Vec<Write> = writes.into_iter().map(|write| self.write_there(write)).collect();
        let keys = keys(&there);
        let ended = self.table.transact(there).await;
        self.remember(keys, &ended);
        Ok(self.outcome_here(ended?))
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let written = std::mem::take(&mut self.used().written).into_iter();
        let deletes = written.map(|key| Write::Delete(key, Condition::Always)).collect();
        if let Err(error) = block_in_place(|| Handle::current().block_on(self.table.write_batch(deletes))) {
            eprintln!("items of a test stay in the table, under {}: {error}", self.prefix);
        }
    }
}

fn keys(writes: &[Write]) -> Vec<Key> {
    writes.iter().map(|write| write.key().clone()).collect()
}
