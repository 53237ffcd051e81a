//! A queue as an apalis backend.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, builder::TaskBuilder, task_id::RandomId},
    worker::context::WorkerContext,
};
use futures::{FutureExt, future::BoxFuture};
use jobs::ports::{Consume, Leased};
use tokio::time;
use tokio_util::sync::CancellationToken;

use super::settle::SettleLayer;

/// How long to wait when the queue is away.
const PAUSE: Duration = Duration::from_secs(1);

/// The messages of one job of any queue. Claims as many at once as the worker has room for, and waits when there are none.
pub(super) struct LeasedBackend {
    claims: Claims,
    claiming: Option<BoxFuture<'static, Vec<Leased>>>,
    claimed: VecDeque<Leased>,
    settle: SettleLayer,
}

/// Where the messages come from, and how they are asked for.
#[derive(Clone)]
pub(super) struct Claims {
    pub(super) consume: Arc<dyn Consume>,
    pub(super) job: &'static str,
    pub(super) lease: Duration,
    /// How many runs there may be at a time.
    pub(super) concurrency: usize,
    /// Ends claiming.
    pub(super) stop: CancellationToken,
}

impl LeasedBackend {
    pub(super) fn new(claims: Claims, settle: SettleLayer) -> Self {
        Self { claims, claiming: None, claimed: VecDeque::new(), settle }
    }
}

impl Claims {
    fn room(&self, worker: &WorkerContext) -> usize {
        self.concurrency.saturating_sub(worker.task_count())
    }

    /// Waits for messages and claims them; none when claiming has ended. A claim that has begun is never dropped, or its
    /// messages would be leased to nobody.
    async fn next(self, worker: WorkerContext) -> Vec<Leased> {
        while !self.stop.is_cancelled() {
            let pause = match self.consume.claim(self.job, self.room(&worker), self.lease).await {
                Ok(claimed) if claimed.is_empty() => self.consume.wait(self.job),
                Ok(claimed) => return claimed,
                Err(error) => {
                    tracing::warn!(job.name = self.job, "cannot claim {} jobs, trying again: {error}", self.job);
                    time::sleep(PAUSE).boxed()
                }
            };
            self.stop.run_until_cancelled(pause).await;
        }
        Vec::new()
    }
}

impl Backend for LeasedBackend {
    type Task = Task<Leased>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<Leased>, Infallible>>> {
        if self.claimed.is_empty() {
            if self.claiming.is_none() && self.claims.room(worker) == 0 {
                // The runs that take up the room wake the worker when they end.
                return Poll::Pending;
            }
            let claiming = self.claiming.get_or_insert_with(|| self.claims.clone().next(worker.clone()).boxed());
            self.claimed = ready!(claiming.poll_unpin(cx)).into();
            self.claiming = None;
        }
        Poll::Ready(self.claimed.pop_front().map(|leased| Ok(TaskBuilder::new(leased).build())))
    }

    /// Nothing is left to close by then: every run has settled, and no claim is under way.
    fn poll_close(&mut self, _: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        // A worker whose backend has no more tasks ends only when it is told to.
        let _ = worker.stop();
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for LeasedBackend {
    type Args = Leased;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = SettleLayer;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> SettleLayer {
        self.settle.clone()
    }
}
