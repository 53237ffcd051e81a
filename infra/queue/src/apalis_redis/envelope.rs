//! The storage of apalis-redis as a backend that is looked into often enough, and no further than there is room.

use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, task_id::RandomId},
    worker::context::WorkerContext,
};
use apalis_redis::RedisStorage;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often it is looked for tasks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A storage, and who looks into it.
pub(super) struct Envelope {
    storage: RedisStorage<Vec<u8>>,
    looks: Interval,
    concurrency: usize,
    stop: CancellationToken,
}

impl Envelope {
    /// Runs up to `concurrency` tasks at a time, and takes none from `stop` on.
    pub(super) fn new(storage: RedisStorage<Vec<u8>>, concurrency: usize, stop: CancellationToken) -> Self {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { storage, looks, concurrency, stop }
    }
}

impl Backend for Envelope {
    type Task = Task<Vec<u8>>;
    type Error = apalis_redis::Error;

    fn poll_ready(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        Backend::poll_ready(&mut self.storage, cx, worker)
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Self::Error>>> {
        // Until the timer is pending: then it will wake the worker, whatever becomes of this look.
        while self.looks.poll_tick(cx).is_ready() {}
        if self.stop.is_cancelled() {
            // The storage gives signs of life and takes ends in for as long as it is asked whether it is ready.
            return if worker.task_count() == 0 { Poll::Ready(None) } else { Poll::Pending };
        }
        if worker.task_count() >= self.concurrency {
            return Poll::Pending;
        }
        self.storage.poll_next(cx, worker)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        ready!(Backend::poll_close(&mut self.storage, cx, worker))?;
        // A worker whose backend has no more tasks ends only when it is told to.
        let _ = worker.stop();
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Envelope {
    type Args = Vec<u8>;
    type Id = RandomId;
    /// Tasks come out of it as the bytes that they are stored as.
    type Kind = Ephemeral;
    type Config = apalis_redis::Config;
    type Layer = <RedisStorage<Vec<u8>> as BackendConfig>::Layer;

    fn config(&self) -> &apalis_redis::Config {
        self.storage.get_config()
    }

    fn middleware(&mut self, worker: &mut WorkerContext) -> Self::Layer {
        self.storage.middleware(worker)
    }
}
