//! The store as its users hold it.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use crate::{
    Batch, EngineError, Space,
    committer::{self, Committer, Step},
    disk::Disk,
};

/// How much of a space is kept in memory before it is written to a file of its own.
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;
/// How long the log may grow. Opening after a crash reads it, so it also bounds how long that takes.
const JOURNAL_BYTES: u64 = 128 * 1024 * 1024;

/// The store of one folder. Cheap to clone; the folder is free again once the last clone and the last [`Space`] are gone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    database: fjall::Database,
    counters: Arc<Counters>,
    inbox: Option<mpsc::Sender<Step>>,
    committer: Option<thread::JoinHandle<()>>,
    disk: Disk,
}

/// What the store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// How often it made something durable: the number of fsyncs.
    pub commits: u64,
    /// How many changes those held.
    pub changes: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    changes: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self, changes: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.changes.fetch_add(changes as u64, Ordering::Relaxed);
    }
}

impl Engine {
    /// Opens the store in `folder`, or makes one there. Blocks while it reads the log of a store that was not closed.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, EngineError> {
        let folder = folder.as_ref();
        let database = fjall::Database::builder(folder)
            .max_journaling_size(JOURNAL_BYTES)
            .open()
            .map_err(|error| EngineError::opening(folder.to_owned(), error))?;
        let counters = Arc::<Counters>::default();
        let (inbox, steps) = mpsc::channel();
        let committer = Committer {
            database: database.clone(),
            disk: Disk::of(folder),
            counters: Arc::clone(&counters),
            lost_groups: 0,
            has_failed: false,
        };
        let committer = thread::Builder::new()
            .name("telltale-commit".to_owned())
            .spawn(move || committer.run(&steps))
            .map_err(|error: io::Error| EngineError::opening(folder.to_owned(), error.into()))?;
        Ok(Self(Arc::new(Inner {
            database,
            counters,
            inbox: Some(inbox),
            committer: Some(committer),
            disk: Disk::of(folder),
        })))
    }

    /// The space called `name`, made if it is not there.
    pub fn space(&self, name: &str) -> Result<Space, EngineError> {
        let options = || fjall::KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let keyspace = self.0.database.keyspace(name, options).map_err(EngineError::writing)?;
        Ok(Space::new(keyspace))
    }

    /// Does `change` and gives what it gives, once all of it is durable; after an error nothing of it was done.
    ///
    /// Changes run one after another on one thread, so what `change` reads cannot move before it is written. It must not
    /// wait for anything, nor hold the engine.
    pub async fn commit<T, F>(&self, change: F) -> Result<T, EngineError>
    where
        F: FnOnce(&mut Batch<'_>) -> Result<T, EngineError> + Send + 'static,
        T: Send + 'static,
    {
        let (step, answered) = committer::step(change);
        let inbox = self.0.inbox.as_ref().ok_or(EngineError::Closed)?;
        inbox.send(step).map_err(|_| EngineError::writing(fjall::Error::Poisoned))?;
        answered.await.unwrap_or(Err(EngineError::Closed))
    }

    /// Whether it takes no more changes, since its thread ended by a failure. Only a restart helps.
    pub fn has_failed(&self) -> bool {
        self.0.committer.as_ref().is_some_and(thread::JoinHandle::is_finished)
    }

    /// Whether its disk would take a write now, as one is looked at before it is done: cheap, and nothing is written.
    ///
    /// # Errors
    /// With what is to be done: the disk is full, or read-only.
    pub fn takes_writes(&self) -> Result<(), EngineError> {
        self.0.disk.takes_writes()
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        Stats {
            commits: self.0.counters.commits.load(Ordering::Relaxed),
            changes: self.0.counters.changes.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Inner {
    /// Waits until every change that was handed over is durable and answered.
    fn drop(&mut self) {
        drop(self.inbox.take());
        if let Some(committer) = self.committer.take()
            && committer.join().is_err()
        {
            tracing::error!("the store's commit thread panicked");
        }
    }
}
