//! Where a process works: what it remembers, where jobs and commands go. Within itself, or over Redis where several work
//! together. Which it is follows from the configuration alone, and never changes while a process runs.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use engine_redis::{AppendOnlyFile, QueueKind, Redis, RedisError, RedisSettings, ServerClock, redis::cmd};
use jobs::ports::{Clock, Consume, Dice, Enqueue, Inspect, Link, Table, ToBroker};
use link::RedisLink;
use queue::{ApalisRedisQueue, EmbeddedQueue, GAPS, MOST_WAITING, RedisQueue, Source};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{
    meeting::{self, Meeting, OurQueue},
    meeting_point,
    owner::Owner,
    store::Store,
};
use crate::config::Config;

/// How long Redis may be away at the start.
const COMES_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The queue, by what it does.
pub(super) struct Queue {
    pub(super) enqueue: Arc<dyn Enqueue>,
    pub(super) source: Source,
    pub(super) inspect: Arc<dyn Inspect>,
}

impl Queue {
    fn of(queue: Arc<impl Enqueue + Consume + Inspect + 'static>) -> Self {
        let consume: Arc<dyn Consume> = Arc::clone(&queue) as _;
        Self { enqueue: Arc::clone(&queue) as _, source: consume.into(), inspect: queue }
    }

    /// The one on this Redis, for as long as it is called so.
    async fn on(
        redis: &Redis,
        name: &str,
        settings: &RedisSettings,
        clock: &Arc<dyn Clock>,
        process: &str,
    ) -> anyhow::Result<Self> {
        if settings.queue == QueueKind::Streams {
            return Ok(Self::of(Arc::new(RedisQueue::new(redis.clone(), process).on_the_one_called(name))));
        }
        let queue = ApalisRedisQueue::open(redis.clone(), Arc::clone(clock), process).await?;
        let queue = Arc::new(queue.on_the_one_called(name));
        for gap in GAPS {
            tracing::warn!(gap = gap.case, "redis.queue is apalis-redis: {}", gap.instead);
        }
        Ok(Self { enqueue: Arc::clone(&queue) as _, source: Arc::clone(&queue).into(), inspect: queue })
    }
}

/// Where a process works.
pub(super) struct Place {
    pub(super) table: Arc<dyn Table>,
    /// What the store is known by, to the queue and to spools.
    pub(super) known_by: String,
    pub(super) queue: Queue,
    pub(super) link: Arc<dyn Link>,
    /// The clock that its parts go by: where several meet, that of Redis, since what one claims another must not take for given up.
    pub(super) clock: Arc<dyn Clock>,
    /// Where it meets others, if it does.
    pub(super) redis: Option<Redis>,
    /// What tells whether that is still the same.
    pub(super) meeting: Option<Arc<Meeting>>,
    /// What a broker of this process is told, where it is the only one.
    pub(super) told: Option<mpsc::Receiver<ToBroker>>,
}

impl Place {
    /// The place of a process of this configuration. Waits for the store, if that is not its own.
    pub(super) async fn find(
        config: &Config,
        owner: Option<&Owner>,
        clock: &Arc<dyn Clock>,
        dice: &Arc<dyn Dice>,
        process: &str,
    ) -> anyhow::Result<Self> {
        let store = Store::find(config, owner, clock, dice).await?;
        match (&config.redis, owner) {
            (Some(settings), _) => {
                let redis = connect(settings).await?;
                meeting::clock_is_right(&redis, clock.as_ref()).await?;
                let name = meeting_point::name(&store, &redis, dice.as_ref()).await?;
                let original = store.original(&redis).await?;
                if let Some(original) = &original {
                    Box::pin(original.is_alone()).await?;
                }
                let mut queue = Queue::on(&redis, &name, settings, clock, process).await?;
                if let Some(owner) = owner {
                    let alone = EmbeddedQueue::open(owner.engine.clone(), Arc::clone(clock))?;
                    ensure!(settings.queue == QueueKind::Streams || alone.len() <= MOST_WAITING, TOO_MANY);
                    meeting_point::move_over(&store, &redis, &alone, queue.enqueue.as_ref()).await?;
                } else {
                    meeting_point::is_not_alone(&store).await?;
                }
                meeting_point::redis(&store, &redis, &name, settings.queue).await?;
                let how_to_leave = store.how_to_forget_its_queue();
                let meeting = Meeting::new((redis.clone(), name, original), settings, clock, how_to_leave);
                queue.enqueue = Arc::new(OurQueue { queue: queue.enqueue, meeting: Arc::clone(&meeting) });
                let meeting = Some(meeting);
                let link = Arc::new(RedisLink::new(redis.clone()));
                let clock = ServerClock::of(redis.clone(), Arc::clone(clock)).await?;
                let Store { table, known_by, .. } = store;
                Ok(Self { table, known_by, queue, link, clock, redis: Some(redis), meeting, told: None })
            }
            (None, Some(owner)) => {
                meeting_point::embedded(&store).await?;
                let queue = Queue::of(Arc::new(EmbeddedQueue::open(owner.engine.clone(), Arc::clone(clock))?));
                let (link, told) = link::in_process(process);
                Ok(Self {
                    table: store.table,
                    known_by: store.known_by,
                    queue,
                    link: Arc::new(link),
                    clock: Arc::clone(clock),
                    redis: None,
                    meeting: None,
                    told: Some(told),
                })
            }
            (None, None) => bail!("a process without a store meets others over Redis"),
        }
    }
}

/// What one queue would not take is better worked off than spooled.
const TOO_MANY: &str =
    "more jobs wait in the embedded queue than apalis-redis can hold: start once without it, until they are done";

const FORBIDDEN: &str = "redis is there and does not let us in, or not do what we must: see that user and password in redis.url \
                         (--redis) are right, and what its ACL lets that user do (ACL GETUSER): commands, keys and channels, \
                         as in `ACL SETUSER <user> +@all ~telltale:* ~{telltale:* &telltale:*`";

/// Connects, and sees that Redis loses nothing of what it is given.
async fn connect(settings: &RedisSettings) -> anyhow::Result<Redis> {
    let (redis, losses) = match reach(settings).await {
        Err(error) if error.is_forbidden() => return Err(error).context(FORBIDDEN),
        reached => reached.context("cannot reach redis: see that it runs, and that redis.url (--redis) is where")?,
    };
    if settings.trust_durability {
        tracing::warn!(
            "redis.trust_durability: where redis does not tell how it keeps what it is given, your word is taken for it"
        );
    }
    match settings.queue {
        QueueKind::Streams => ensure!(
            losses.is_empty() || settings.may_forget,
            "this redis would lose jobs: {losses}. (redis.may_forget = true goes on all the same.)"
        ),
        // It stops for good at a task of which a part is gone.
        QueueKind::ApalisRedis => ensure!(
            losses.is_empty() && !settings.may_forget,
            "apalis-redis needs a redis that forgets nothing, and no redis.may_forget. {losses}"
        ),
    }
    Ok(redis)
}

/// The Redis, once it answers and has loaded what it had, and by what it may lose what it is given. Waits for it as for the store.
async fn reach(settings: &RedisSettings) -> Result<(Redis, String), RedisError> {
    let began = Instant::now();
    let mut was_told = false;
    loop {
        match look_at(settings).await {
            Err(error) if error.is_away() && began.elapsed() < COMES_WITHIN => {
                if !was_told {
                    tracing::warn!("waiting for redis: {error}");
                    was_told = true;
                }
                sleep(LOOK_EVERY).await;
            }
            reached => return reached,
        }
    }
}

async fn look_at(settings: &RedisSettings) -> Result<(Redis, String), RedisError> {
    let redis = Redis::connect(settings).await?;
    let file = match settings.queue {
        // Until it is seen to be written, the parts go on as where jobs may be forgotten.
        QueueKind::Streams => AppendOnlyFile::Whole,
        QueueKind::ApalisRedis => AppendOnlyFile::MayBeFirst,
    };
    let losses = meeting_point::losses(&redis, settings.trust_durability, file).await?;
    // While it loads it tells about itself, and knows no keys.
    let _: Option<String> = redis.call(cmd("GET").arg(redis.key_of_name())).await?;
    // What belongs together has a name in braces, and a pattern without them lets nobody at it.
    let _: u64 = redis.call(cmd("EXISTS").arg(format!("{}:messages", redis.keys_of("any")))).await?;
    if settings.queue == QueueKind::Streams {
        // A new user of Redis has no channels, and who enqueues rings there.
        let _: u64 = redis.call(cmd("PUBLISH").arg(redis.channel_of_bells()).arg("")).await?;
    }
    Ok((redis, losses))
}
