//! Tables that have a bad day.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};
use table::MemoryTable;

/// One that is away.
pub(crate) struct Away;

fn away<T>() -> Result<T, TableError> {
    Err(TableError::Away("connection to 10.1.2.3 lost".to_owned()))
}

#[async_trait]
impl Table for Away {
    async fn get(&self, _: &Key) -> Result<Option<Item>, TableError> {
        away()
    }

    async fn get_many(&self, _: &[Key]) -> Result<Vec<Item>, TableError> {
        away()
    }

    async fn query(&self, _: &Range) -> Result<Page, TableError> {
        away()
    }

    async fn write(&self, _: Write) -> Result<Outcome, TableError> {
        away()
    }

    async fn write_batch(&self, _: Vec<Write>) -> Result<(), TableError> {
        away()
    }

    async fn transact(&self, _: Vec<Write>) -> Result<Outcome, TableError> {
        away()
    }
}

/// One that can be read, and takes no writes.
pub(crate) struct Full(pub(crate) Arc<MemoryTable>);

fn full<T>() -> Result<T, TableError> {
    Err(TableError::ReadOnly("the disk is full".to_owned()))
}

#[async_trait]
impl Table for Full {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.0.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.0.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.0.query(range).await
    }

    async fn write(&self, _: Write) -> Result<Outcome, TableError> {
        full()
    }

    async fn write_batch(&self, _: Vec<Write>) -> Result<(), TableError> {
        full()
    }

    async fn transact(&self, _: Vec<Write>) -> Result<Outcome, TableError> {
        full()
    }
}

/// One in which somebody else's writes are done just before the first transaction.
pub(crate) struct Contended {
    pub(crate) table: Arc<MemoryTable>,
    pub(crate) before: Mutex<Option<Vec<Write>>>,
}

#[async_trait]
impl Table for Contended {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.table.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.table.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.table.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.table.write(write).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.table.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        let before = self.before.lock().unwrap().take();
        if let Some(before) = before {
            assert!(self.table.transact(before).await?.applied());
        }
        self.table.transact(writes).await
    }
}
