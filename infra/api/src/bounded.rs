//! No answer of the API waits for long for what does not answer: after a while it counts as away.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jobs::ports::{
    DeadLetter, Depth, Door, Enqueue, Inspect, Link, LinkError, Message, NodeCommand, Push, QueueError, Waiting,
};
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write, doors::Seen};
use tokio::time::timeout;

/// How long a call to the store, the queue or a broker may take.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_millis(2500);

/// Something that is asked no longer than that. What was asked may be done all the same.
pub(crate) struct Bounded<T: ?Sized>(pub(crate) Arc<T>);

async fn bounded<T, E>(
    call: impl Future<Output = Result<T, E>> + Send,
    away: impl FnOnce(String) -> E + Send,
) -> Result<T, E> {
    let answered = timeout(ANSWERS_WITHIN, call).await;
    answered.unwrap_or_else(|_| Err(away(format!("no answer within {ANSWERS_WITHIN:?}"))))
}

#[async_trait]
impl Table for Bounded<dyn Table> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        bounded(self.0.get(key), TableError::Away).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        bounded(self.0.get_many(keys), TableError::Away).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        bounded(self.0.query(range), TableError::Away).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        bounded(self.0.write(write), TableError::Away).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        bounded(self.0.write_batch(writes), TableError::Away).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        bounded(self.0.transact(writes), TableError::Away).await
    }
}

#[async_trait]
impl Link for Bounded<dyn Link> {
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        bounded(self.0.command(broker, command), LinkError::Away).await
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        bounded(self.0.publish(pushes), LinkError::Away).await
    }

    fn tells_the_past(&self) -> bool {
        self.0.tells_the_past()
    }
}

#[async_trait]
impl Enqueue for Bounded<dyn Enqueue> {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        bounded(self.0.enqueue(messages), QueueError::Away).await
    }
}

#[async_trait]
impl Inspect for Bounded<dyn Inspect> {
    async fn depth(&self, job: &str) -> Result<Depth, QueueError> {
        bounded(self.0.depth(job), QueueError::Away).await
    }

    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        bounded(self.0.dead_letters(job, limit), QueueError::Away).await
    }

    async fn waiting(&self, job: &str, limit: usize) -> Result<Vec<Waiting>, QueueError> {
        bounded(self.0.waiting(job, limit), QueueError::Away).await
    }

    async fn cancel(&self, job: &str, key: &str) -> Result<bool, QueueError> {
        bounded(self.0.cancel(job, key), QueueError::Away).await
    }

    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        bounded(self.0.redrive(job, id), QueueError::Away).await
    }

    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        bounded(self.0.discard(job, id), QueueError::Away).await
    }
}

#[async_trait]
impl Door for Bounded<dyn Door> {
    async fn seen(&self) -> Result<Seen, TableError> {
        bounded(self.0.seen(), TableError::Away).await
    }
}
