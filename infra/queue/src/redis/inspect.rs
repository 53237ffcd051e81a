//! A look into the queue.

use async_trait::async_trait;
use jobs::ports::{DeadLetter, Depth, Inspect, QueueError, Waiting};

use super::{RedisQueue, parcel};

#[async_trait]
impl Inspect for RedisQueue {
    async fn depth(&self, job: &str) -> Result<Depth, QueueError> {
        let (waiting, running, dead) = self.run(&self.scripts.depth, job, Vec::new()).await?;
        Ok(Depth { waiting, running, dead })
    }

    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let limit = vec![limit.to_string().into_bytes()];
        let found: Vec<Vec<u8>> = self.run(&self.scripts.letters, job, limit).await?;
        Ok(parcel::unpack_letters(&found))
    }

    async fn waiting(&self, job: &str, limit: usize) -> Result<Vec<Waiting>, QueueError> {
        let arguments = vec![self.now(), limit.to_string().into_bytes()];
        let found: Vec<Vec<u8>> = self.run(&self.scripts.waiting, job, arguments).await?;
        Ok(parcel::unpack_waiting(&found))
    }

    async fn cancel(&self, job: &str, key: &str) -> Result<bool, QueueError> {
        self.run(&self.scripts.cancel, job, vec![key.into()]).await
    }

    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let arguments = vec![self.now(), self.bells.channel().into(), job.into(), id.into()];
        self.run(&self.scripts.redrive, job, arguments).await
    }

    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        self.run(&self.scripts.discard, job, vec![id.into()]).await
    }
}
