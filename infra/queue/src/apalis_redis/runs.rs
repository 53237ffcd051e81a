//! Runs jobs: an apalis worker over the storage of apalis-redis, started again whenever it ends.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use apalis::prelude::{Attempt, Data, ParallelizeExt, TaskId, WorkerBuilder, WorkerContext, WorkerError};
use apalis_core::error::{AbortError, BoxDynError};
use engine_redis::redis::cmd;
use futures::{FutureExt, future::BoxFuture};
use jobs::{Context, Job, Verdict, ports::QueueError};
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{ApalisRedisQueue, away, envelope::Envelope, settle::Run};
use crate::{packed::unpack, workers::Panicked};

/// How long to wait when the queue is away, or a worker has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often tasks that are done are forgotten, and how many at once.
const TIDY_EVERY: Duration = Duration::from_secs(5);
const FORGOTTEN_AT_ONCE: usize = 500;
/// How many due tasks are moved at once before a worker starts.
const MOVED_AT_ONCE: usize = 500;
/// For how long the note on a worker that died is kept; apalis-redis keeps it for ever.
const NOTE_LASTS: Duration = Duration::from_hours(24);

/// Runs jobs of type `J` until `stop`, then waits for the runs under way.
pub(crate) async fn worker<J: Job>(
    cx: Context,
    queue: Arc<ApalisRedisQueue>,
    concurrency: usize,
    stop: CancellationToken,
) {
    tokio::join!(keep_running::<J>(cx, &queue, concurrency.max(1), &stop), keep_tidy(&queue, J::NAME, &stop));
}

async fn keep_running<J: Job>(
    cx: Context,
    queue: &Arc<ApalisRedisQueue>,
    concurrency: usize,
    stop: &CancellationToken,
) {
    while !stop.is_cancelled() {
        let name = queue.worker_name(J::NAME);
        if let Err(error) = queue.prepare(J::NAME, &name).await {
            tracing::warn!(job.name = J::NAME, "no worker of {} can start, trying again: {error}", J::NAME);
        } else {
            let backend = Envelope::new(queue.storage(J::NAME), concurrency, stop.clone());
            let work = work::<J>(Runs { cx: cx.clone(), queue: Arc::clone(queue) }, &name, backend);
            match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) => {
                    queue.leave(J::NAME, &name).await;
                    continue;
                }
                Ok(Err(error)) => tracing::error!(job.name = J::NAME, "the worker of {} failed: {error}", J::NAME),
                Err(_) => tracing::error!(job.name = J::NAME, "the worker of {} panicked", J::NAME),
            }
        }
        stop.run_until_cancelled(time::sleep(PAUSE)).await;
    }
}

async fn keep_tidy(queue: &ApalisRedisQueue, job: &str, stop: &CancellationToken) {
    while stop.run_until_cancelled(time::sleep(TIDY_EVERY)).await.is_some() {
        if let Err(error) = queue.tidy(job).await {
            tracing::debug!(%error, "what is done of {job} cannot be forgotten now");
        }
    }
}

fn work<J: Job>(runs: Runs, name: &str, backend: Envelope) -> BoxFuture<'static, Result<(), WorkerError>> {
    WorkerBuilder::new(name).backend(backend).data(runs).parallelize(tokio::spawn).build(run::<J>).run().boxed()
}

/// What a run works with.
#[derive(Clone)]
struct Runs {
    cx: Context,
    queue: Arc<ApalisRedisQueue>,
}

/// One run, as apalis calls it. What it came to is settled here before apalis-redis hears that the task is done.
async fn run<J: Job>(packed: Vec<u8>, id: TaskId, attempt: Attempt, runs: Data<Runs>) -> Result<(), BoxDynError> {
    // Nothing of ours; apalis-redis keeps it among its own dead.
    let message = unpack(&packed).map_err(AbortError::new)?;
    let verdict = AssertUnwindSafe(jobs::execute::<J>(&runs.cx, &message.body)).catch_unwind().await;
    let verdict =
        verdict.unwrap_or_else(|payload| Verdict::Again { why: Panicked::new(&payload).to_string(), after: None });
    let run = Run { task: id.to_string(), message, attempt: u32::try_from(attempt.current()).unwrap_or(u32::MAX) };
    while let Err(error) = runs.queue.settle(&run, &verdict, runs.cx.dice.as_ref()).await {
        tracing::warn!(job.name = J::NAME, "cannot settle a {} job, trying again: {error}", J::NAME);
        time::sleep(PAUSE).await;
    }
    Ok(())
}

impl ApalisRedisQueue {
    /// A name that no worker ever had: one of its old name would not be let in while the old one seems to live.
    fn worker_name(&self, job: &str) -> String {
        format!("{}-{job}-{}", self.process, self.pushed.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes the way free for a worker: no more tasks are due at once than apalis-redis can move, and what it notes of the
    /// worker is forgotten one day.
    async fn prepare(&self, job: &str, worker: &str) -> Result<(), QueueError> {
        let now = self.clock.now().0 / 1000;
        let arguments = vec![now.to_string().into_bytes(), MOVED_AT_ONCE.to_string().into_bytes()];
        while self.run::<usize>(&self.scripts.promote, job, arguments.clone()).await? == MOVED_AT_ONCE {}
        let note = self.config(job).worker_metadata_key(&WorkerContext::new(worker));
        self.redis.call::<()>(cmd("HSET").arg(&note).arg("service").arg("")).await.map_err(away)?;
        self.redis.call::<()>(cmd("EXPIRE").arg(&note).arg(NOTE_LASTS.as_secs())).await.map_err(away)
    }

    /// Gives back what a worker that has ended took and did not begin. If that fails it is given back as of a dead one.
    async fn leave(&self, job: &str, worker: &str) {
        if let Err(error) = self.run::<()>(&self.scripts.leave, job, vec![worker.into()]).await {
            tracing::debug!(%error, "the worker {worker} is taken for dead in a while");
        }
    }

    /// Forgets the tasks that are done, a step at a time.
    async fn tidy(&self, job: &str) -> Result<(), QueueError> {
        let most = vec![FORGOTTEN_AT_ONCE.to_string().into_bytes()];
        while self.run::<usize>(&self.scripts.tidy, job, most.clone()).await? == FORGOTTEN_AT_ONCE {}
        Ok(())
    }
}
