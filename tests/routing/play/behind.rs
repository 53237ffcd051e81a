//! Plays over a table that is reached as one over a network is: others go on meanwhile, and what policies hear may come late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};
use tokio::task::yield_now;

use super::Play;

/// A table that lets others go on before each read and write, and is away so many times for those who step an incident of a policy.
struct Remote {
    table: Arc<dyn Table>,
    times_away: AtomicUsize,
}

impl Play {
    /// A play whose jobs may overtake each other at each read and write.
    pub(in crate::routing) async fn of_yields() -> Self {
        Self::of_policies_behind(0).await
    }

    /// A play in which a transition comes to an incident of a policy not before it was tried so often in vain.
    pub(in crate::routing) async fn of_policies_behind(times: usize) -> Self {
        let remote = |table| Arc::new(Remote { table, times_away: AtomicUsize::new(times) }) as Arc<dyn Table>;
        Self::on("2026-06-01T12:00:00Z", Duration::from_secs(1), |_| {}, remote).await
    }
}

impl Remote {
    fn is_away(&self, writes: &[Write]) -> bool {
        let is_of_a_policy = |write: &Write| write.key().pk.starts_with("incident#policy:");
        writes.iter().any(is_of_a_policy)
            && self.times_away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    /// The table, once others went on.
    async fn reached(&self) -> &dyn Table {
        yield_now().await;
        self.table.as_ref()
    }
}

#[async_trait]
impl Table for Remote {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.reached().await.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.reached().await.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.reached().await.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.transact(vec![write]).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.reached().await.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        if self.is_away(&writes) {
            return Err(TableError::Away("another has it".to_owned()));
        }
        self.reached().await.transact(writes).await
    }
}
