//! A play in which what policies hear comes late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};

use super::Play;

/// A table that is away so many times for those who step an incident of a policy.
struct Hindered {
    table: Arc<dyn Table>,
    times: AtomicUsize,
}

impl Play {
    /// A play in which a transition comes to an incident of a policy not before it was tried so often in vain.
    pub(in crate::routing) async fn of_policies_behind(times: usize) -> Self {
        let behind = |table| Arc::new(Hindered { table, times: AtomicUsize::new(times) }) as Arc<dyn Table>;
        Self::on("2026-06-01T12:00:00Z", Duration::from_secs(1), |_| {}, behind).await
    }
}

impl Hindered {
    fn hinders(&self, writes: &[Write]) -> bool {
        let is_of_a_policy = |write: &Write| write.key().pk.starts_with("incident#policy:");
        writes.iter().any(is_of_a_policy)
            && self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

#[async_trait]
impl Table for Hindered {
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
        self.transact(vec![write]).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.table.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        if self.hinders(&writes) {
            return Err(TableError::Away("another has it".to_owned()));
        }
        self.table.transact(writes).await
    }
}

/// A table that lets others go on before each read and write, as one over a network does.
struct Yields(Arc<dyn Table>);

impl Play {
    /// A play whose table yields.
    pub(in crate::routing) async fn of_yields() -> Self {
        let yields = |table| Arc::new(Yields(table)) as Arc<dyn Table>;
        Self::on("2026-06-01T12:00:00Z", Duration::from_secs(1), |_| {}, yields).await
    }
}

#[async_trait]
impl Table for Yields {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        tokio::task::yield_now().await;
        self.0.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        tokio::task::yield_now().await;
        self.0.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        tokio::task::yield_now().await;
        self.0.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        tokio::task::yield_now().await;
        self.0.write(write).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        tokio::task::yield_now().await;
        self.0.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        tokio::task::yield_now().await;
        self.0.transact(writes).await
    }
}
