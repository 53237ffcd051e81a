//! The storage of apalis-redis as a backend that is looked into often enough, and no further than there is room.
//!
//! Signs of life and the ends of tasks are the storage's own; it is asked for them whatever else is under way. Tasks are
//! fetched here: the storage would do neither for as long as one that it has fetched waits for room.

use std::{
    collections::VecDeque,
    task::{Context, Poll, ready},
    time::Duration,
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, task_id::RandomId},
    worker::context::WorkerContext,
};
use apalis_redis::{Config, Error, RedisStorage, queries::fetch_next};
use futures::{FutureExt, future::BoxFuture};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often it is looked for tasks when there was none.
const LOOK_EVERY: Duration = Duration::from_millis(10);

type Fetching = BoxFuture<'static, Result<Vec<Task<Vec<u8>>>, Error>>;

/// A storage, and who looks into it.
pub(super) struct Envelope {
    storage: RedisStorage<Vec<u8>>,
    looks: Interval,
    /// Nothing was found; it is looked again when it is time.
    rests: bool,
    fetching: Option<Fetching>,
    fetched: VecDeque<Task<Vec<u8>>>,
    concurrency: usize,
    stop: CancellationToken,
}

impl Envelope {
    /// Runs up to `concurrency` tasks at a time, and takes none from `stop` on.
    pub(super) fn new(storage: RedisStorage<Vec<u8>>, concurrency: usize, stop: CancellationToken) -> Self {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { storage, looks, rests: false, fetching: None, fetched: VecDeque::new(), concurrency, stop }
    }

    fn fetch(&mut self, most: usize, worker: WorkerContext) -> Fetching {
        let config = self.storage.get_config().clone().batch_size(most);
        let mut connection = self.storage.get_connection().clone();
        async move { fetch_next(&mut connection, &worker, &config).await }.boxed()
    }
}

impl Backend for Envelope {
    type Task = Task<Vec<u8>>;
    type Error = Error;

    fn poll_ready(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Error>> {
        Backend::poll_ready(&mut self.storage, cx, worker)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Option<Result<Self::Task, Error>>> {
        // Until the timer is pending: then it will wake the worker, whatever becomes of this look.
        while self.looks.poll_tick(cx).is_ready() {
            self.rests = false;
        }
        loop {
            if let Some(task) = self.fetched.pop_front() {
                return Poll::Ready(Some(Ok(task)));
            }
            // One that has begun is never dropped, or its tasks would be held by nobody.
            if let Some(fetching) = &mut self.fetching {
                let fetched = ready!(fetching.poll_unpin(cx));
                self.fetching = None;
                match fetched {
                    Ok(fetched) => self.fetched = fetched.into(),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
                self.rests = self.fetched.is_empty();
                continue;
            }
            if self.stop.is_cancelled() {
                // Until the last run has ended the storage is asked to give signs of life.
                return if worker.task_count() == 0 { Poll::Ready(None) } else { Poll::Pending };
            }
            let room = self.concurrency.saturating_sub(worker.task_count());
            if room == 0 || self.rests {
                return Poll::Pending;
            }
            self.fetching = Some(self.fetch(room, worker.clone()));
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Error>> {
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
    type Config = Config;
    type Layer = <RedisStorage<Vec<u8>> as BackendConfig>::Layer;

    fn config(&self) -> &Config {
        self.storage.get_config()
    }

    fn middleware(&mut self, worker: &mut WorkerContext) -> Self::Layer {
        self.storage.middleware(worker)
    }
}
