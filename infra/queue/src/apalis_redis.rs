//! The queue through apalis-redis, inside the envelope in which it loses nothing: what of that crate is safe is used as it is,
//! what is not is bounded or done here. [`GAPS`] names what is left.
//!
//! A message is a task of its job's storage: its bytes are the arguments, its key keeps it from waiting twice. A run that
//! failed is pushed anew before the old task is ended, and a dead letter is kept here, so a crash leaves both rather than
//! neither. Depth is bounded: thousands of due tasks would stop such a queue for good, since all of them are moved in one step.

mod envelope;
mod gaps;
mod inspect;
mod letter;
mod runs;
mod scripts;
mod settle;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apalis_core::task::{Task, builder::TaskBuilder, task_id::TaskId};
use apalis_redis::{Config, RedisStorage, queries::push_tasks};
use async_trait::async_trait;
use domain::Timestamp;
use engine_redis::{
    Redis, RedisError,
    redis::{FromRedisValue, Script, aio::ConnectionManager, cmd},
};
use jobs::ports::{Clock, Enqueue, Inspect, Message, QueueError};

pub use self::gaps::{GAPS, Gap};
pub(crate) use self::runs::worker;
use self::scripts::Scripts;
use crate::{
    ledger,
    packed::{of_jobs, pack, portions},
};

/// How many messages of one job may wait, its own retries aside. It stops for good at some 8,000 that are due.
pub const MOST_WAITING: usize = 4_000;
/// How many messages go with one call, and how many bytes of them: Redis does nothing else meanwhile.
const AT_ONCE: usize = 200;
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;
/// How long a key keeps the same work from waiting twice. It is taken back when the work is done; this is for work that waits.
const KEY_HOLDS: Duration = Duration::from_hours(1);
/// Who has missed two of these is taken for dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// By how much our clock may differ from Redis's. Its own signs of life are dated by each machine's clock.
const MOST_SKEW: Duration = Duration::from_secs(2);

const ANOTHER: &str = "redis has lost everything, or is another one than that which the jobs wait in";

/// A queue of apalis-redis, of any number of processes.
pub struct ApalisRedisQueue {
    redis: Redis,
    connection: ConnectionManager,
    clock: Arc<dyn Clock>,
    process: String,
    pushed: AtomicU64,
    scripts: Scripts,
    /// What its Redis must be called; empty where any will do.
    name: String,
}

impl ApalisRedisQueue {
    /// The queue on `redis`. `clock` is this machine's: apalis-redis goes by no other, so one that is wrong is refused. `process`
    /// names this process, and no other that ever was.
    pub async fn open(redis: Redis, clock: Arc<dyn Clock>, process: impl Into<String>) -> Result<Self, QueueError> {
        let (seconds, micros): (i64, i64) = redis.call(&cmd("TIME")).await.map_err(away)?;
        let skew = clock.now().0.abs_diff(seconds * 1000 + micros / 1000);
        if u128::from(skew) > MOST_SKEW.as_millis() {
            return Err(QueueError::Invalid(format!(
                "the clock of this machine and that of redis are {skew} ms apart: with apalis-redis {MOST_SKEW:?} is the most, \
                 or workers would take each other for dead"
            )));
        }
        let connection = redis.connection_of_its_own().await.map_err(away)?;
        let (process, scripts) = (process.into(), Scripts::new());
        Ok(Self { redis, connection, clock, process, pushed: AtomicU64::new(0), scripts, name: String::new() })
    }

    /// The same, which takes nothing for as long as another Redis than the one of this name, or one that lost everything, stands in
    /// its place.
    #[must_use]
    pub fn on_the_one_called(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// What the names of a job's keys begin with. Other than those of the queue over streams.
    fn base(&self, job: &str) -> String {
        self.redis.keys_of(&format!("apalis:{job}"))
    }

    fn config(&self, job: &str) -> Config {
        Config::default()
            .queue(self.base(job))
            .lock_tasks(false)
            .emit_events(false)
            .heartbeat_interval(SIGN_OF_LIFE)
            .missed_heartbeats(2)
            // Without one a key would hold nothing at all.
            .idempotency_ttl(Some(KEY_HOLDS))
    }

    fn storage(&self, job: &str) -> RedisStorage<Vec<u8>> {
        RedisStorage::new(self.connection.clone()).with_config(self.config(job))
    }

    /// A new task for a message, due at this instant or at once.
    fn task(&self, message: &Message, due: Option<Timestamp>) -> Result<Task<Vec<u8>>, QueueError> {
        // Of what is due in the same second the lowest id goes first.
        let number = self.pushed.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        let id = format!("{:013}-{}-{number:08}.0", now.0, self.process);
        let task = TaskBuilder::new(pack(message)?).task_id(TaskId::from_string(id)).idempotency_key(&message.key);
        Ok(match due.filter(|due| *due > now) {
            Some(due) => task.run_at_timestamp(seconds(due)).build(),
            None => task.build(),
        })
    }

    /// Its own script does not look where it is. So that is looked at before, and again after: what another Redis took that came
    /// in between was given to none, and is given again, under the same keys.
    async fn push(&self, job: &str, tasks: Vec<Task<Vec<u8>>>) -> Result<(), QueueError> {
        self.is_where_it_was().await?;
        let pushed = push_tasks(&mut self.connection.clone(), &self.config(job), &tasks).await;
        pushed.map_err(|error| QueueError::Away(error.to_string()))?;
        self.is_where_it_was().await
    }

    async fn is_where_it_was(&self) -> Result<(), QueueError> {
        if self.name.is_empty() {
            return Ok(());
        }
        // By the connection that the tasks go by.
        let get = cmd("GET").arg(self.redis.key_of_name()).take();
        let name: Option<String> =
            get.query_async(&mut self.connection.clone()).await.map_err(|error| away(error.into()))?;
        if name.as_deref() == Some(&*self.name) { Ok(()) } else { Err(QueueError::Away(ANOTHER.to_owned())) }
    }

    async fn enqueue_some(&self, job: &str, messages: &[Message]) -> Result<(), QueueError> {
        let waiting = self.depth(job).await?.waiting;
        if waiting + messages.len() > MOST_WAITING {
            return Err(QueueError::Away(format!("it is full: {waiting} {job} jobs wait, {MOST_WAITING} is the most")));
        }
        let tasks = messages.iter().map(|message| self.task(message, message.not_before));
        self.push(job, tasks.collect::<Result<_, _>>()?).await
    }

    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        job: &str,
        arguments: Vec<Vec<u8>>,
    ) -> Result<T, QueueError> {
        self.redis.run(script, &self.base(job), arguments).await.map_err(away)
    }
}

#[async_trait]
impl Enqueue for ApalisRedisQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        ledger::check(&messages)?;
        for (job, messages) in of_jobs(messages) {
            for some in portions(&messages, AT_ONCE, BYTES_AT_ONCE) {
                self.enqueue_some(&job, some).await?;
            }
        }
        Ok(())
    }
}

/// The first whole second that is not before `instant`: apalis-redis knows no others.
fn seconds(instant: Timestamp) -> u64 {
    u64::try_from(instant.0).unwrap_or(0).div_ceil(1000)
}

fn away(error: RedisError) -> QueueError {
    QueueError::Away(error.what)
}
