//! The table on the embedded store.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use engine_embedded::{Batch, Engine, EngineError, Row, Space};
use records::{Clock, Item, Key, Order, Outcome, Page, Range, Table, TableError, Write};

use crate::{layout, page, rules};

/// A table in a folder on this machine.
pub struct EmbeddedTable {
    engine: Engine,
    spaces: Spaces,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Spaces {
    /// The items, by [`layout::place`].
    items: Space,
    /// When to look whether an item has expired, by [`layout::reminder`]. An item that was written again leaves its old
    /// reminder behind; it is seen through and removed when its time comes, which spares a read on every write.
    reminders: Space,
}

impl EmbeddedTable {
    /// The table in `engine`'s folder.
    pub fn new(engine: Engine, clock: Arc<dyn Clock>) -> Result<Self, TableError> {
        let items = engine.space("table").map_err(table_error)?;
        let reminders = engine.space("table-expiry").map_err(table_error)?;
        Ok(Self { engine, spaces: Spaces { items, reminders }, clock })
    }

    /// Removes what has expired, looking at `limit` items at most. Gives how many it looked at: fewer than `limit` means
    /// that nothing is left to remove.
    pub async fn remove_expired(&self, limit: usize) -> Result<usize, TableError> {
        let now = self.clock.now();
        let (from, to) = layout::reminders_until(now);
        let due: Vec<Row> =
            self.spaces.reminders.range(from, to).take(limit).collect::<Result<_, _>>().map_err(table_error)?;
        if due.is_empty() {
            return Ok(0);
        }
        let spaces = self.spaces.clone();
        self.commit(move |batch| {
            for reminder in &due {
                spaces.follow(batch, &reminder.key, now)?;
            }
            Ok(due.len())
        })
        .await
    }

    fn find(&self, key: &Key, now: Timestamp) -> Result<Option<Item>, TableError> {
        let bytes = self.spaces.items.get(&layout::place(key)).map_err(table_error)?;
        live(key, bytes, now)
    }

    async fn apply(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        let now = self.clock.now();
        let spaces = self.spaces.clone();
        self.commit(move |batch| {
            let outcome = rules::judge(&writes, |key| spaces.find(batch, key, now))?;
            if outcome.applied() {
                for write in &writes {
                    spaces.write(batch, write);
                }
            }
            Ok(outcome)
        })
        .await
    }

    /// Has the engine do `change`, which fails as a table does.
    async fn commit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Batch<'_>) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        // A change that ended with a table's error has put nothing, so the engine may well go on to commit it.
        self.engine.commit(move |batch| Ok(change(batch))).await.map_err(table_error)?
    }
}

impl Spaces {
    fn find(&self, batch: &Batch<'_>, key: &Key, now: Timestamp) -> Result<Option<Item>, TableError> {
        let bytes = batch.get(&self.items, &layout::place(key)).map_err(table_error)?;
        live(key, bytes, now)
    }

    fn write(&self, batch: &mut Batch<'_>, write: &Write) {
        let place = layout::place(write.key());
        match write {
            Write::Put(item, _) => {
                if let Some(expires) = item.expires {
                    batch.put(&self.reminders, layout::reminder(expires, &place), Bytes::new());
                }
                batch.put(&self.items, place, layout::encode(item));
            }
            Write::Delete(..) => batch.remove(&self.items, place),
        }
    }

    /// Removes the item that `reminder` reminds of if it has expired, and the reminder.
    fn follow(&self, batch: &mut Batch<'_>, reminder: &Bytes, now: Timestamp) -> Result<(), TableError> {
        let place = layout::reminded_of(reminder)?;
        let key = layout::key_at(place)?;
        let bytes = batch.get(&self.items, place).map_err(table_error)?;
        if bytes.is_some() && live(&key, bytes, now)?.is_none() {
            batch.remove(&self.items, place.to_vec());
        }
        batch.remove(&self.reminders, reminder.clone());
        Ok(())
    }
}

#[async_trait]
impl Table for EmbeddedTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        rules::check_key(key)?;
        self.find(key, self.clock.now())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        keys.iter().try_for_each(rules::check_key)?;
        let now = self.clock.now();
        let keys: HashSet<&Key> = keys.iter().collect();
        keys.into_iter().filter_map(|key| self.find(key, now).transpose()).collect()
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        rules::check_range(range)?;
        let Some((from, to)) = layout::bounds(range) else { return Ok(Page::default()) };
        let found = self.spaces.items.range(from, to).map(decode);
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
        self.apply(writes).await.map(|_| ())
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        rules::check_transaction(&writes)?;
        self.apply(writes).await
    }
}

fn decode(row: Result<Row, EngineError>) -> Result<Item, TableError> {
    let row = row.map_err(table_error)?;
    layout::decode(layout::key_at(&row.key)?, &row.value)
}

fn live(key: &Key, bytes: Option<Bytes>, now: Timestamp) -> Result<Option<Item>, TableError> {
    let Some(bytes) = bytes else { return Ok(None) };
    Ok(rules::live(layout::decode(key.clone(), &bytes)?, now))
}

fn table_error(error: EngineError) -> TableError {
    match error {
        EngineError::ReadOnly(why) => TableError::ReadOnly(why),
        EngineError::Damaged(why) => TableError::Damaged(why),
        EngineError::InUse(_) | EngineError::CannotOpen { .. } | EngineError::Closed => {
            TableError::Away(error.to_string())
        }
    }
}
