//! A table that knows how it was read.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};
use table::DynamoDbTable;

/// The partitions that every process reads anew each ten seconds, however much it does.
const PROTOCOLS: [&str; 4] = ["protocol", "constants", "alarm-setup#", "alert-rules"];

/// A table on DynamoDB that counts what is not read in batches.
pub(super) struct Watched {
    table: DynamoDbTable,
    single_reads: AtomicUsize,
    of_protocols: AtomicUsize,
}

impl Watched {
    pub(super) fn new(table: DynamoDbTable) -> Self {
        Self { table, single_reads: AtomicUsize::new(0), of_protocols: AtomicUsize::new(0) }
    }

    fn count(&self, partition: &str) {
        let is_of_protocols = PROTOCOLS.iter().any(|protocols| partition.starts_with(protocols));
        let count = if is_of_protocols { &self.of_protocols } else { &self.single_reads };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn of_protocols(&self) -> usize {
        self.of_protocols.load(Ordering::Relaxed)
    }

    pub(super) fn single_reads(&self) -> usize {
        self.single_reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Table for Watched {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.count(&key.pk);
        self.table.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.table.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.count(&range.pk);
        self.table.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.table.write(write).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.table.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        self.table.transact(writes).await
    }
}
