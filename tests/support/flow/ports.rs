//! The ports of a flow, as a test can look at them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use jobs::ports::{Enqueue, Link, LinkError, Message, NodeCommand, PlannedQuery, Push, QueueError};
use queue::MemoryQueue;

/// The way into the queue, which can be cut for a job.
pub(super) struct CuttableQueue {
    pub(super) queue: Arc<MemoryQueue>,
    /// How many messages it took.
    pub(super) taken: AtomicUsize,
    /// The jobs for which it is away once.
    pub(super) refused: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Enqueue for CuttableQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let cut = {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            let at = refused.iter().position(|job| messages.iter().any(|message| message.job == *job));
            at.map(|at| refused.remove(at))
        };
        if let Some(job) = cut {
            return Err(QueueError::Away(format!("cut for {job}")));
        }
        self.taken.fetch_add(messages.len(), Ordering::Relaxed);
        self.queue.enqueue(messages).await
    }
}

/// A link that keeps what it was given.
#[derive(Default)]
pub(super) struct RecordingLink {
    pub(super) planned: Mutex<Vec<PlannedQuery>>,
    pub(super) pushes: Mutex<Vec<Push>>,
}

#[async_trait]
impl Link for RecordingLink {
    async fn command(&self, _broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        let NodeCommand::Plan(plan) = command else { return Ok(()) };
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).extend(plan.queries);
        Ok(())
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        self.pushes.lock().unwrap_or_else(PoisonError::into_inner).extend(pushes);
        Ok(())
    }
}
