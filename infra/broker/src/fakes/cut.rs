//! One process's way to a table that others have as well, which can be cut.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};

use super::MemoryTable;

/// A table that is reached until the way is cut.
pub(crate) struct CutOff {
    table: Arc<MemoryTable>,
    /// So many writes get through.
    writes: AtomicUsize,
    /// How long each of them is on the way, in milliseconds.
    takes: AtomicU64,
}

impl CutOff {
    /// A way that is whole.
    pub(crate) fn never(table: Arc<MemoryTable>) -> Self {
        Self { table, writes: AtomicUsize::new(usize::MAX), takes: AtomicU64::new(0) }
    }

    /// So many writes get through from now on, and nothing else once there are none left.
    pub(crate) fn after(&self, writes: usize) {
        self.writes.store(writes, Ordering::SeqCst);
    }

    /// It is whole again.
    pub(crate) fn mend(&self) {
        self.after(usize::MAX);
    }

    /// Each write is on the way for so long from now on.
    pub(crate) fn takes(&self, time: Duration) {
        self.takes.store(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn reads(&self) -> Result<&MemoryTable, TableError> {
        if self.writes.load(Ordering::SeqCst) == 0 { Err(cut()) } else { Ok(&self.table) }
    }

    async fn writes(&self) -> Result<&MemoryTable, TableError> {
        tokio::time::sleep(Duration::from_millis(self.takes.load(Ordering::SeqCst))).await;
        let less = |left: usize| if left == usize::MAX { Some(left) } else { left.checked_sub(1) };
        self.writes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).map_err(|_| cut())?;
        Ok(&self.table)
    }
}

fn cut() -> TableError {
    TableError::Away("the way is cut".to_owned())
}

#[async_trait]
impl Table for CutOff {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.reads()?.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.reads()?.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.reads()?.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.writes().await?.write(write).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.writes().await?.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        self.writes().await?.transact(writes).await
    }
}
