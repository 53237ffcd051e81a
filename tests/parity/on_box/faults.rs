//! What goes wrong on a box, between the jobs and their queue and table.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jobs::ports::{Consume, Leased, QueueError, Settlement};
use queue::EmbeddedQueue;
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};
use table::EmbeddedTable;
use tokio::sync::Mutex;

use super::story::{self, Faults};

/// Whether a process is killed. What it does is stopped piece by piece, and the rest would see what was stopped before it and write that
/// down: a dead process writes nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Killed(Arc<AtomicBool>);

impl Killed {
    pub(super) fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Never comes back in a process that is killed.
    async fn goes_on(&self) {
        if self.0.load(Ordering::SeqCst) {
            future::pending::<()>().await;
        }
    }
}

/// The queue, as the workers see it.
pub(super) struct FaultyQueue {
    pub(super) queue: Arc<EmbeddedQueue>,
    pub(super) faults: Faults,
    /// What was taken of a job that is run backwards.
    pub(super) backwards: Mutex<Vec<Leased>>,
    pub(super) killed: Killed,
}

#[async_trait]
impl Consume for FaultyQueue {
    async fn claim(&self, job: &str, limit: usize, lease: Duration) -> Result<Vec<Leased>, QueueError> {
        if !self.faults.borrow().gives(job) {
            return Ok(Vec::new());
        }
        let is_backwards = self.faults.borrow().backwards == Some(job);
        let claimed = if is_backwards {
            let mut taken = self.backwards.lock().await;
            taken.extend(self.queue.claim(job, usize::MAX, lease).await?);
            taken.pop().into_iter().collect()
        } else {
            self.queue.claim(job, limit, lease).await?
        };
        self.faults.send_modify(|story| claimed.iter().for_each(|leased| story.begin(leased)));
        Ok(claimed)
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<(), QueueError> {
        self.killed.goes_on().await;
        let mut dies = false;
        self.faults.send_modify(|story| dies = story.dies_before(&settlements));
        if dies {
            // Nobody is there to go on.
            return future::pending().await;
        }
        self.faults.send_modify(|story| settlements.iter().for_each(|end| story.tell(end)));
        self.queue.settle(settlements.clone()).await?;
        self.faults.send_modify(|story| settlements.iter().for_each(|end| story.end(end)));
        Ok(())
    }

    async fn wait(&self, job: &str) {
        if self.faults.borrow().gives(job) {
            self.queue.wait(job).await;
        } else {
            // The story outlives every process.
            let _ = self.faults.subscribe().wait_for(|story| story.gives(job)).await;
        }
    }
}

/// The table, as the jobs see it.
pub(super) struct FaultyTable {
    pub(super) table: Arc<EmbeddedTable>,
    pub(super) faults: Faults,
    pub(super) killed: Killed,
}

impl FaultyTable {
    async fn reached(&self) -> Result<&EmbeddedTable, TableError> {
        self.killed.goes_on().await;
        if self.faults.borrow().table_is_away {
            return Err(TableError::Away("nobody is there".to_owned()));
        }
        Ok(&self.table)
    }

    /// Hangs, if one of these writes is the one that is to, until it is to go on. Whether it did.
    async fn has_hung(&self, writes: &[Write]) -> bool {
        let is_it = |partition: &str| writes.iter().any(|write| write.key().pk.starts_with(partition));
        let hangs = self.faults.send_if_modified(|story| {
            let hangs = matches!(story.write, story::Write::Hold(partition) if is_it(partition));
            if hangs {
                story.write = story::Write::Hangs;
            }
            hangs
        });
        if hangs {
            // The story outlives every process.
            let _ = self.faults.subscribe().wait_for(|story| story.write == story::Write::GoesOn).await;
        }
        hangs
    }
}

#[async_trait]
impl Table for FaultyTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.reached().await?.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.reached().await?.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.reached().await?.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.transact(vec![write]).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.reached().await?.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        let has_hung = self.has_hung(&writes).await;
        let done = self.reached().await?.transact(writes).await;
        if has_hung {
            self.faults.send_modify(|story| story.write = story::Write::Nothing);
        }
        done
    }
}
