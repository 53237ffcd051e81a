//! What workers make of the queues' messages, on every queue that is consumed in a process.

mod errands;
mod running;
mod stopping;

use std::{any::Any, sync::Arc, time::Duration};

use engine_embedded::Engine;
use jobs::{
    Context, Job,
    ports::{Clock, Consume, DeadLetter, Dice, Enqueue, Inspect},
};
use queue::{EmbeddedQueue, MemoryQueue, Source, Workers};
use records::Key;
use table::MemoryTable;
use telltale_tests::{ManualClock, RedisServer, eventually};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::{errands::Errand, running::*, stopping::*};

suite!([memory, embedded], async [redis]; [
    jobs_are_run_and_leave_the_queue,
    a_trickle_is_run_at_once,
    no_more_run_at_a_time_than_there_is_room_for,
    a_failing_job_comes_back_until_it_is_a_dead_letter,
    a_job_comes_back_when_it_asked_to,
    a_panic_is_the_failure_of_that_job_alone,
    a_hopeless_job_is_a_dead_letter_at_once,
    a_message_that_is_no_such_job_is_a_dead_letter_at_once,
    a_run_longer_than_its_lease_is_cut_off,
    stopping_lets_runs_end_and_claims_no_more,
    stopping_idle_workers_takes_no_time,
]);

// By the machine's clock, so nothing here that waits for minutes.
suite!(async [apalis_redis]; [
    jobs_are_run_and_leave_the_queue,
    a_trickle_is_run_at_once,
    no_more_run_at_a_time_than_there_is_room_for,
    a_failing_job_comes_back_until_it_is_a_dead_letter,
    a_panic_is_the_failure_of_that_job_alone,
    a_hopeless_job_is_a_dead_letter_at_once,
    a_message_that_is_no_such_job_is_a_dead_letter_at_once,
    a_run_longer_than_its_lease_is_cut_off,
    stopping_lets_runs_end_and_claims_no_more,
    stopping_idle_workers_takes_no_time,
]);

/// What jobs work with in these tests.
pub(super) fn context(queue: Arc<dyn Enqueue>, clock: Arc<dyn Clock>) -> Context {
    telltale_tests::context(Arc::new(MemoryTable::new(clock.clone())), queue, clock, Arc::new(LowRoll))
}

/// All that a queue can do beside giving jobs to workers.
pub(super) trait Kept: Enqueue + Inspect {}

impl<T: Enqueue + Inspect> Kept for T {}

/// Workers of one queue, stopped when this goes.
pub(super) struct Fixture {
    queue: Arc<dyn Kept>,
    source: Source,
    clock: Arc<ManualClock>,
    cx: Context,
    stop: CancellationToken,
    /// What the queue lies in.
    _lies_in: Box<dyn Any + Send>,
}

impl Fixture {
    fn memory() -> Self {
        let clock = Arc::new(ManualClock::new());
        Self::leases(Arc::new(MemoryQueue::new(clock.clone())), clock, ())
    }

    fn embedded() -> Self {
        let clock = Arc::new(ManualClock::new());
        let folder = TempDir::new().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        let queue = EmbeddedQueue::open(engine, clock.clone()).unwrap();
        Self::leases(Arc::new(queue), clock, folder)
    }

    async fn redis() -> Self {
        let clock = Arc::new(ManualClock::new());
        let server = RedisServer::start().await.unwrap();
        let queue = server.queue(clock.clone()).await.unwrap();
        Self::leases(Arc::new(queue), clock, server)
    }

    async fn apalis_redis() -> Self {
        let server = RedisServer::start().await.unwrap();
        let queue = Arc::new(server.apalis_redis_queue().await.unwrap());
        Self::over(queue.clone(), queue.into(), Arc::new(ManualClock::new()), server)
    }

    fn leases(queue: Arc<impl Kept + Consume + 'static>, clock: Arc<ManualClock>, lies_in: impl Any + Send) -> Self {
        let consume: Arc<dyn Consume> = queue.clone();
        Self::over(queue, consume.into(), clock, lies_in)
    }

    fn over(
        queue: Arc<impl Kept + 'static>,
        source: Source,
        clock: Arc<ManualClock>,
        lies_in: impl Any + Send,
    ) -> Self {
        let cx = context(queue.clone(), clock.clone());
        Self { queue, source, clock, cx, stop: CancellationToken::new(), _lies_in: Box::new(lies_in) }
    }

    /// Workers for jobs of type `J`. The handle ends when they have stopped.
    fn start<J: Job>(&self, concurrency: usize) -> JoinHandle<()> {
        let workers = Workers::new(self.cx.clone(), self.source.clone(), self.stop.clone()).run::<J>(concurrency);
        tokio::spawn(workers.finish())
    }

    async fn enqueue<J: Job>(&self, jobs: impl IntoIterator<Item = J>) {
        self.queue.enqueue(jobs.into_iter().map(|job| job.message()).collect()).await.unwrap();
    }

    /// How many messages of job `J` wait, run and are dead.
    async fn counts<J: Job>(&self) -> (usize, usize, usize) {
        let depth = self.queue.depth(J::NAME).await.unwrap();
        (depth.waiting, depth.running, depth.dead)
    }

    async fn until_counts<J: Job>(&self, wanted: (usize, usize, usize)) {
        let what = format!("(waiting, running, dead) of {} is {wanted:?}", J::NAME);
        eventually(&what, async || (self.counts::<J>().await == wanted).then_some(())).await;
    }

    /// Lets time pass whenever a job waits for its next run, until one is a dead letter.
    async fn until_dead<J: Job>(&self) -> DeadLetter {
        eventually("there is a dead letter", async || {
            if self.counts::<J>().await == (1, 0, 0) {
                self.clock.advance(Duration::from_secs(1));
            }
            self.queue.dead_letters(J::NAME, 1).await.unwrap().pop()
        })
        .await
    }

    /// How often the errand called `name` was begun.
    async fn runs(&self, name: &str) -> u64 {
        self.cx.table.get(&Key::new("runs", name)).await.unwrap().map_or(0, |item| item.version)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The shortest back-off there is.
struct LowRoll;

impl Dice for LowRoll {
    fn roll(&self) -> u64 {
        0
    }
}
