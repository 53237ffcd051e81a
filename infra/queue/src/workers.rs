//! Runs jobs: one apalis worker for each job's queue.

mod backend;
mod backoff;
mod settle;
mod settler;
mod source;

use std::{any::Any, convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use apalis::{
    layers::catch_panic::CatchPanicLayer,
    prelude::{Data, ParallelizeExt, WorkerBuilder, WorkerError},
};
use futures::{FutureExt, future::BoxFuture};
use jobs::{
    Context, Job, Verdict,
    ports::{Consume, Leased},
};
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use self::{
    backend::{Claims, LeasedBackend},
    settle::SettleLayer,
    settler::{Settler, settle_all},
};
pub use self::{backoff::backoff, source::Source};

/// How long runs may go on once they are to end. What is not done by then is run again by the next process.
const DRAIN: Duration = Duration::from_secs(20);
/// How much longer than a job's own lease the queue's is, so that a run which took too long can still say so.
const LEASE_MARGIN: Duration = Duration::from_secs(2);
/// How long a worker that has failed stays down.
const RESTART: Duration = Duration::from_secs(1);

/// The workers of a process, as a list:
/// `Workers::new(cx, queue, shutdown).run::<PlanWindow>(1).run::<ProcessResults>(8).finish().await`.
pub struct Workers {
    cx: Context,
    source: Source,
    shutdown: CancellationToken,
    each: Vec<BoxFuture<'static, ()>>,
}

impl Workers {
    /// None yet, for the messages of `source`. From the moment of `shutdown` on, nothing more is claimed.
    pub fn new(cx: Context, source: impl Into<Source>, shutdown: CancellationToken) -> Self {
        Self { cx, source: source.into(), shutdown, each: Vec::new() }
    }

    /// And one for jobs of type `J`, which runs up to `concurrency` of them at a time.
    #[must_use]
    pub fn run<J: Job>(mut self, concurrency: usize) -> Self {
        let (cx, stop) = (self.cx.clone(), self.shutdown.clone());
        self.each.push(match self.source.clone() {
            Source::Leases(consume) => worker::<J>(cx, consume, concurrency, stop).boxed(),
            #[cfg(feature = "apalis-redis")]
            Source::ApalisRedis(queue) => crate::apalis_redis::worker::<J>(cx, queue, concurrency, stop).boxed(),
        });
        self
    }

    /// Runs jobs until the shutdown, and returns when the runs under way then have ended, or after 20 seconds.
    pub async fn finish(self) {
        let mut running: JoinSet<()> = self.each.into_iter().collect();
        self.shutdown.cancelled().await;
        let drained = time::timeout(DRAIN, async { while running.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("jobs still ran after {DRAIN:?}; they are run again later");
        }
    }
}

/// Runs jobs of type `J` until `stop`, then waits for the runs under way. A worker that fails is started again.
async fn worker<J: Job>(cx: Context, consume: Arc<dyn Consume>, concurrency: usize, stop: CancellationToken) {
    let (settler, unsettled) = Settler::new();
    let settle = SettleLayer { settler, clock: Arc::clone(&cx.clock), dice: Arc::clone(&cx.dice) };
    let claims = Claims {
        consume: Arc::clone(&consume),
        job: J::NAME,
        lease: J::LEASE.saturating_add(LEASE_MARGIN),
        concurrency: concurrency.max(1),
        stop,
    };
    tokio::join!(keep_running::<J>(cx, claims, settle), settle_all(consume, unsettled));
}

async fn keep_running<J: Job>(cx: Context, claims: Claims, settle: SettleLayer) {
    let stop = claims.stop.clone();
    while !stop.is_cancelled() {
        let work = work::<J>(cx.clone(), LeasedBackend::new(claims.clone(), settle.clone()));
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => tracing::error!(job.name = J::NAME, "the worker of {} failed: {error}", J::NAME),
            Err(_) => tracing::error!(job.name = J::NAME, "the worker of {} panicked", J::NAME),
        }
        stop.run_until_cancelled(time::sleep(RESTART)).await;
    }
}

fn work<J: Job>(cx: Context, backend: LeasedBackend) -> BoxFuture<'static, Result<(), WorkerError>> {
    WorkerBuilder::new(J::NAME)
        .backend(backend)
        .data(cx)
        .parallelize(tokio::spawn)
        .layer(CatchPanicLayer::with_panic_handler(Panicked::new))
        .build(run::<J>)
        .run()
        .boxed()
}

/// One run, as apalis calls it.
async fn run<J: Job>(leased: Leased, cx: Data<Context>) -> Result<Verdict, Infallible> {
    Ok(jobs::execute::<J>(&cx, &leased.message.body).await)
}

/// A run that panicked.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
pub(crate) struct Panicked(String);

impl Panicked {
    pub(crate) fn new(payload: &Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(
            text.or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "without a message".to_owned()),
        )
    }
}
