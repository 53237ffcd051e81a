//! The one thread that changes the store.

use std::sync::{Arc, mpsc::Receiver};

use tokio::sync::oneshot;

use crate::{Batch, EngineError, batch::Pending, disk::Disk, engine::Counters};

/// A group is written when it has this many changes...
const MOST_CHANGES: usize = 10_000;
/// ...or this many bytes, even when more wait: the first of them have waited long enough.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A change together with the way to answer whoever asked for it.
pub(crate) type Step = Box<dyn FnOnce(&mut Group) -> Answer + Send>;

/// Answers, once it is known how the group ended.
type Answer = Box<dyn FnOnce(&Result<(), EngineError>) + Send>;

/// A step that does `change` and answers with what it gave.
pub(crate) fn step<T, F>(change: F) -> (Step, oneshot::Receiver<Result<T, EngineError>>)
where
    F: FnOnce(&mut Batch<'_>) -> Result<T, EngineError> + Send + 'static,
    T: Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let step: Step = Box::new(move |group| {
        let outcome = group.apply(change);
        Box::new(move |ended| {
            // Whoever asked may have gone; the change stands.
            let _ = answer.send(ended.clone().and(outcome));
        })
    });
    (step, answered)
}

/// The changes that are written together.
pub(crate) struct Group {
    pending: Pending,
    lost_groups: u64,
}

impl Group {
    fn apply<T>(&mut self, change: impl FnOnce(&mut Batch<'_>) -> Result<T, EngineError>) -> Result<T, EngineError> {
        let mut batch = Batch::over(&self.pending, self.lost_groups);
        let outcome = change(&mut batch)?;
        let own = batch.into_pending();
        self.pending.absorb(own);
        Ok(outcome)
    }
}

/// The thread's state.
pub(crate) struct Committer {
    pub(crate) database: fjall::Database,
    pub(crate) disk: Disk,
    pub(crate) counters: Arc<Counters>,
    pub(crate) lost_groups: u64,
    /// A write has failed.
    pub(crate) has_failed: bool,
}

impl Committer {
    /// Works until every sender of `inbox` is gone and all their steps are answered, or a write has failed: nobody knows what
    /// is on the disk then, until the store is opened anew.
    pub(crate) fn run(mut self, inbox: &Receiver<Step>) {
        while !self.has_failed
            && let Ok(first) = inbox.recv()
        {
            let mut group = Group { pending: Pending::default(), lost_groups: self.lost_groups };
            let mut answers = vec![first(&mut group)];
            while answers.len() < MOST_CHANGES && group.pending.bytes() < MOST_BYTES {
                let Ok(step) = inbox.try_recv() else { break };
                answers.push(step(&mut group));
            }
            let ended = self.write(group.pending, answers.len());
            for answer in answers {
                answer(&ended);
            }
        }
    }

    fn write(&mut self, pending: Pending, changes: usize) -> Result<(), EngineError> {
        if pending.is_empty() {
            return Ok(());
        }
        let written = match self.disk.takes_writes() {
            Ok(()) => pending.write(&self.database).map_err(|error| {
                self.has_failed = true;
                EngineError::writing(error)
            }),
            refused => refused,
        };
        match &written {
            Ok(()) => self.counters.count(changes),
            Err(error) => {
                self.lost_groups += 1;
                tracing::error!(changes, "the store could not write: {error}");
            }
        }
        written
    }
}
