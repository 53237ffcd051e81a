//! The queue through apalis-redis: it gives jobs to its own workers only, so it is seen through them. What it keeps of the
//! queue's suite, what its envelope does, and the gaps that remain, each with a proof.

mod at_the_start;
mod envelope;
mod gaps;
mod kept;
mod noted;

use std::sync::Arc;

use boot::SystemClock;
use engine_redis::{
    Redis,
    redis::{Cmd, FromRedisValue},
};
use jobs::{
    Context, Job,
    ports::{DeadLetter, Enqueue, Inspect, Message},
};
use queue::{ApalisRedisQueue, Workers};
use telltale_tests::{RedisServer, eventually};
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use self::{
    kept::*,
    noted::{Noted, count, runs},
};
use super::workers::context;

suite!(async [apalis_redis]; [
    what_no_queue_could_hold_is_refused,
    a_key_that_waits_or_runs_is_taken_once,
    a_key_that_is_done_is_taken_again,
    a_key_that_is_dead_does_not_block_another,
    a_key_belongs_to_its_job,
    what_is_due_later_waits,
    dead_letters_are_listed_oldest_first,
    a_redriven_letter_begins_anew,
    a_letter_is_redriven_once,
    a_letter_whose_key_is_back_is_the_same_work,
    a_letter_that_is_discarded_is_gone,
]);

/// A queue and what its workers do. They stop when this goes.
pub(super) struct Fixture {
    server: RedisServer,
    redis: Redis,
    queue: Arc<ApalisRedisQueue>,
    cx: Context,
    stop: CancellationToken,
}

impl Fixture {
    async fn apalis_redis() -> Self {
        let server = RedisServer::start().await.unwrap();
        let redis = server.connect().await.unwrap();
        let queue = Arc::new(server.apalis_redis_queue().await.unwrap());
        let cx = context(queue.clone(), Arc::new(SystemClock));
        Self { server, redis, queue, cx, stop: CancellationToken::new() }
    }

    /// Workers of this process. The handle ends when they have stopped.
    fn work(&self, concurrency: usize) -> JoinHandle<()> {
        tokio::spawn(self.workers(self.queue.clone(), concurrency).finish())
    }

    /// Workers of another process, which dies when its runtime does.
    async fn work_elsewhere(&self, concurrency: usize) -> Runtime {
        let queue = Arc::new(self.server.apalis_redis_queue().await.unwrap());
        let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        process.spawn(self.workers(queue, concurrency).finish());
        process
    }

    fn workers(&self, queue: Arc<ApalisRedisQueue>, concurrency: usize) -> Workers {
        Workers::new(self.cx.clone(), queue, self.stop.clone()).run::<Noted>(concurrency)
    }

    async fn enqueue(&self, messages: impl IntoIterator<Item = Message>) {
        self.queue.enqueue(messages.into_iter().collect()).await.unwrap();
    }

    /// How many messages wait, run and are dead.
    async fn counts(&self) -> (usize, usize, usize) {
        let depth = self.queue.depth(Noted::NAME).await.unwrap();
        (depth.waiting, depth.running, depth.dead)
    }

    async fn until_counts(&self, wanted: (usize, usize, usize)) {
        let what = format!("(waiting, running, dead) is {wanted:?}");
        eventually(&what, async || (self.counts().await == wanted).then_some(())).await;
    }

    async fn letters(&self) -> Vec<DeadLetter> {
        self.queue.dead_letters(Noted::NAME, 10).await.unwrap()
    }

    /// The names of the jobs that were run, in order.
    async fn runs(&self) -> Vec<String> {
        runs(&self.cx).await.into_iter().map(|(name, _)| name).collect()
    }

    async fn until_runs(&self, wanted: usize) -> Vec<String> {
        let wanted_count = u64::try_from(wanted).unwrap();
        eventually("so many runs", async || (count(&self.cx).await >= wanted_count).then_some(())).await;
        eventually("they are noted", async || Some(self.runs().await).filter(|runs| runs.len() >= wanted)).await
    }

    /// What apalis-redis calls this of the job's.
    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.redis.keys_of(&format!("apalis:{}", Noted::NAME)))
    }

    async fn call<T: FromRedisValue>(&self, command: &Cmd) -> T {
        self.redis.call(command).await.unwrap()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
