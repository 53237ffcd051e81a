//! What a run comes to. Each step may be done twice, by who was taken for dead and by who came after.

use std::time::Duration;

use apalis_core::task::{builder::TaskBuilder, task_id::TaskId};
use engine_redis::redis::cmd;
use jobs::{
    Verdict,
    ports::{DEAD_LETTER_RETENTION, Dice, MOST_DEAD_LETTERS, Message, QueueError},
};

use super::{ApalisRedisQueue, away, letter::pack_letter, seconds};
use crate::{packed::pack, workers::backoff};

/// A run that has ended.
pub(super) struct Run {
    pub(super) task: String,
    pub(super) message: Message,
    pub(super) attempt: u32,
}

impl ApalisRedisQueue {
    /// Does what the verdict says, all but ending the task.
    pub(super) async fn settle(&self, run: &Run, verdict: &Verdict, dice: &dyn Dice) -> Result<(), QueueError> {
        let Message { job, key, max_attempts, .. } = &run.message;
        match verdict {
            Verdict::Done => self.free_key(job, key).await,
            Verdict::Never { why } => self.bury(run, why).await,
            Verdict::Again { why, .. } if run.attempt >= *max_attempts => self.bury(run, why).await,
            Verdict::Again { why, after } => {
                let attempt = run.attempt;
                tracing::warn!(job.name = job, job.key = key, job.attempt = attempt, "job {job} {key:?} failed: {why}");
                let wait = after.unwrap_or_else(|| backoff(attempt, dice.roll()));
                self.push_again(run, wait).await
            }
        }
    }

    /// The same work may wait again.
    async fn free_key(&self, job: &str, key: &str) -> Result<(), QueueError> {
        let name = format!("{}:{key}", self.config(job).idempotency_key_set());
        self.redis.call::<()>(cmd("DEL").arg(name)).await.map_err(away)
    }

    /// Lets the work be done again in a while, as a task whose name follows from the run's: when the run's end is lost and
    /// it is run again, there is no third. It has the work's key already.
    async fn push_again(&self, run: &Run, wait: Duration) -> Result<(), QueueError> {
        let Run { task, message, attempt } = run;
        let origin = task.rsplit_once('.').map_or(task.as_str(), |(origin, _)| origin);
        let again = TaskBuilder::new(pack(message)?)
            .task_id(TaskId::from_string(format!("{origin}.{attempt}")))
            .attempt(usize::try_from(*attempt).unwrap_or(usize::MAX))
            .run_at_timestamp(seconds(self.clock.now().plus(wait)));
        self.push(&message.job, vec![again.build()]).await
    }

    async fn bury(&self, run: &Run, why: &str) -> Result<(), QueueError> {
        let Run { task, message, attempt } = run;
        let (job, key, now) = (&message.job, &message.key, self.clock.now());
        let letter = pack_letter(message, *attempt, why, now)?;
        let (before, most) = (now.minus(DEAD_LETTER_RETENTION).0.to_string(), MOST_DEAD_LETTERS.to_string());
        let arguments = vec![task.as_str().into(), letter, now.0.to_string().into(), before.into(), most.into()];
        self.run::<()>(&self.scripts.bury, job, arguments).await?;
        tracing::error!(
            job.name = job,
            job.key = key,
            job.attempt = attempt,
            "job {job} {key:?} is a dead letter after {attempt} runs: {why}"
        );
        self.free_key(job, key).await
    }
}
