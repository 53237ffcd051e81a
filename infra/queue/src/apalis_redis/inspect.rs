//! A look into the queue.

use async_trait::async_trait;
use engine_redis::redis::cmd;
use jobs::ports::{DeadLetter, Depth, Inspect, QueueError, Waiting};

use super::{ApalisRedisQueue, away, letter::unpack_letter};

/// Why nobody is told what waits.
const HIDDEN: &str = "apalis-redis does not tell what waits: redis.queue = \"streams\" does";

#[async_trait]
impl Inspect for ApalisRedisQueue {
    async fn depth(&self, job: &str) -> Result<Depth, QueueError> {
        let (waiting, running, dead) = self.run(&self.scripts.depth, job, Vec::new()).await?;
        Ok(Depth { waiting, running, dead })
    }

    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let limit = vec![limit.to_string().into_bytes()];
        let found: Vec<Vec<u8>> = self.run(&self.scripts.letters, job, limit).await?;
        found.as_chunks::<2>().0.iter().map(|[id, letter]| unpack_letter(id, letter)).collect()
    }

    async fn waiting(&self, _: &str, _: usize) -> Result<Vec<Waiting>, QueueError> {
        Err(QueueError::Invalid(HIDDEN.to_owned()))
    }

    async fn cancel(&self, _: &str, _: &str) -> Result<bool, QueueError> {
        Err(QueueError::Invalid(HIDDEN.to_owned()))
    }

    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let letter = cmd("HGET").arg(format!("{}:letter", self.base(job))).arg(id).take();
        let Some(letter) = self.redis.call::<Option<Vec<u8>>>(&letter).await.map_err(away)? else { return Ok(false) };
        let message = unpack_letter(id.as_bytes(), &letter)?.message;
        // First it waits, then it is no letter any more: nothing is lost in between, and its key keeps it from waiting twice.
        self.push(job, vec![self.task(&message, None)?]).await?;
        self.discard(job, id).await
    }

    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        self.run(&self.scripts.discard, job, vec![id.into()]).await
    }
}
