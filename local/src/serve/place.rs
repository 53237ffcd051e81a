//! Where a process works: what it remembers, where jobs and commands go. Within itself, or over Redis where several work
//! together. Which it is follows from the configuration alone, and never changes while a process runs.

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use engine_redis::{Redis, RedisSettings, ServerClock, unmet};
use jobs::ports::{Clock, Consume, Dice, Enqueue, Inspect, Link, Table, ToBroker};
use link::RedisLink;
use queue::{EmbeddedQueue, RedisQueue};
use tokio::sync::mpsc;

use super::{
    meeting_point,
    owner::{Owner, table_of_another},
};
use crate::config::Config;

/// The queue, by what it does.
pub(super) struct Queue {
    pub(super) enqueue: Arc<dyn Enqueue>,
    pub(super) consume: Arc<dyn Consume>,
    pub(super) inspect: Arc<dyn Inspect>,
}

impl Queue {
    fn of(queue: Arc<impl Enqueue + Consume + Inspect + 'static>) -> Self {
        Self { enqueue: Arc::clone(&queue) as _, consume: Arc::clone(&queue) as _, inspect: queue }
    }
}

/// Where a process works.
pub(super) struct Place {
    pub(super) table: Arc<dyn Table>,
    pub(super) queue: Queue,
    pub(super) link: Arc<dyn Link>,
    /// Where it meets others, if it does.
    pub(super) redis: Option<Redis>,
    /// What a broker of this process is told, where it is the only one.
    pub(super) told: Option<mpsc::Receiver<ToBroker>>,
}

impl Place {
    /// The place of a process of this configuration. Waits for the process that owns the store, if that is another.
    pub(super) async fn find(
        config: &Config,
        owner: Option<&Owner>,
        clock: &Arc<dyn Clock>,
        dice: &dyn Dice,
        process: &str,
    ) -> anyhow::Result<Self> {
        let table = match owner {
            Some(owner) => Arc::clone(&owner.table) as _,
            None => table_of_another(&config.data).await?,
        };
        match (&config.redis, owner) {
            (Some(settings), _) => {
                let redis = connect(settings).await?;
                let its_clock = ServerClock::of(redis.clone(), Arc::clone(clock)).await?;
                let queue = RedisQueue::new(redis.clone(), its_clock, process);
                if let Some(owner) = owner {
                    let alone = EmbeddedQueue::open(owner.engine.clone(), Arc::clone(clock))?;
                    meeting_point::move_over(&config.data, &alone, &queue).await?;
                }
                meeting_point::redis(&config.data, &redis, dice).await?;
                let link = Arc::new(RedisLink::new(redis.clone()));
                Ok(Self { table, queue: Queue::of(Arc::new(queue)), link, redis: Some(redis), told: None })
            }
            (None, Some(owner)) => {
                meeting_point::embedded(&config.data)?;
                let queue = Queue::of(Arc::new(EmbeddedQueue::open(owner.engine.clone(), Arc::clone(clock))?));
                let (link, told) = link::in_process(process);
                Ok(Self { table, queue, link: Arc::new(link), redis: None, told: Some(told) })
            }
            (None, None) => bail!("a process without a store meets others over Redis"),
        }
    }
}

/// Connects, and sees that Redis loses nothing of what it is given.
async fn connect(settings: &RedisSettings) -> anyhow::Result<Redis> {
    let redis = Redis::connect(settings).await.context("cannot reach redis")?;
    let unmet = unmet(&redis).await.context("cannot see whether redis keeps what it is given")?;
    for demand in &unmet {
        tracing::warn!("{}", demand.what);
    }
    let losses: Vec<&str> = unmet.iter().filter(|demand| demand.loses).map(|demand| demand.what.as_str()).collect();
    ensure!(
        losses.is_empty() || settings.may_forget,
        "this redis would lose jobs. {}. (redis.may_forget = true goes on all the same.)",
        losses.join(". ")
    );
    Ok(redis)
}
