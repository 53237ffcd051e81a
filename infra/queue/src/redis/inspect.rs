//! A look into the queue.

use async_trait::async_trait;
use jobs::ports::{DeadLetter, Depth, Inspect, QueueError, Waiting};

use super::{RedisQueue, away, parcel, text};

#[async_trait]
impl Inspect for RedisQueue {
    async fn depth(&self, job: &str) -> Result<Depth, QueueError> {
        let counted = self.redis.run(&self.scripts.depth, &self.keys_of(job), Vec::new()).await;
        let (waiting, running, dead) = counted.map_err(away)?;
        Ok(Depth { waiting, running, dead })
    }

    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let limit = vec![limit.to_string().into_bytes()];
        let found: Vec<Vec<u8>> =
            self.redis.run(&self.scripts.letters, &self.keys_of(job), limit).await.map_err(away)?;
        Ok(parcel::unpack_letters(&found))
    }

    async fn waiting(&self, job: &str, limit: usize) -> Result<Vec<Waiting>, QueueError> {
        let arguments = vec![text(self.clock.now()), limit.to_string().into_bytes()];
        let found: Vec<Vec<u8>> =
            self.redis.run(&self.scripts.waiting, &self.keys_of(job), arguments).await.map_err(away)?;
        Ok(parcel::unpack_waiting(&found))
    }

    async fn cancel(&self, job: &str, key: &str) -> Result<bool, QueueError> {
        self.redis.run(&self.scripts.cancel, &self.keys_of(job), vec![key.into()]).await.map_err(away)
    }

    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let arguments = vec![text(self.clock.now()), self.bells.channel().into(), job.into(), id.into()];
        self.redis.run(&self.scripts.redrive, &self.keys_of(job), arguments).await.map_err(away)
    }

    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        self.redis.run(&self.scripts.discard, &self.keys_of(job), vec![id.into()]).await.map_err(away)
    }
}
