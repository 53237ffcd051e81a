//! The end of the link at a broker.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use engine_redis::{
    Redis, RedisError,
    redis::{
        Cmd, Script,
        aio::ConnectionManager,
        cmd,
        streams::{StreamId, StreamRangeReply, StreamReadReply},
    },
};
use jobs::ports::{Inboxes, LinkError, ToBroker};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use super::{MESSAGE, away, inbox_of, pushes::Reading};

/// The one who reads an inbox.
const READER: &str = "broker";
/// How long a look at an empty stream waits.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// How many messages are read at once.
pub(super) const AT_ONCE: usize = 256;
/// How long to wait before looking again when Redis is away.
pub(super) const PAUSE: Duration = Duration::from_millis(200);
/// How often it is said that an inbox is read.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// How long an inbox stays that nobody reads.
const OUTLIVES_ITS_BROKER: Duration = Duration::from_mins(5);

/// Makes an inbox, unless it is there. Also while the memory of Redis is full: a broker that starts then holds its nodes, and spools.
static OPEN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "#!lua flags=allow-oom\n \
         local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM') \
         if type(made) == 'table' and made.err and not string.find(made.err, 'BUSYGROUP') then return made end \
         redis.call('PEXPIRE', KEYS[1], ARGV[2]) \
         return 1",
    )
});
/// Closes an inbox and gives what is in it: nobody can put anything in between.
static CLOSE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local rest = redis.call('XRANGE', KEYS[1], '-', '+') \
         redis.call('DEL', KEYS[1]) \
         return rest",
    )
});

/// The inboxes of all brokers.
#[derive(Clone)]
pub struct RedisInboxes(Redis);

impl RedisInboxes {
    /// The inboxes on `redis`.
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }
}

#[async_trait]
impl Inboxes for RedisInboxes {
    async fn remove(&self, broker: &str) -> Result<(), LinkError> {
        self.0.call::<u32>(cmd("DEL").arg(inbox_of(&self.0, broker))).await.map(drop).map_err(away)
    }
}

/// An inbox that is open.
pub struct RedisInbox {
    redis: Redis,
    inbox: String,
    pushes: Reading,
}

impl RedisInbox {
    /// Opens the inbox of a broker. The name is the broker's alone.
    pub async fn open(redis: Redis, broker: &str) -> Result<Self, LinkError> {
        let inbox = inbox_of(&redis, broker);
        make(&redis, &inbox).await.map_err(away)?;
        let pushes = Reading::begin(&redis).await.map_err(away)?;
        Ok(Self { redis, inbox, pushes })
    }

    /// Hands on what arrives until `stop`, then closes the inbox, and hands on what was in it.
    pub async fn run(self, broker: mpsc::Sender<ToBroker>, stop: CancellationToken) {
        let Self { redis, inbox, pushes } = self;
        let commands = stop.run_until_cancelled(read_commands(&redis, &inbox, &broker));
        let shown = stop.run_until_cancelled(pushes.hand_on(&redis, &broker));
        tokio::join!(commands, shown);
        match redis.run::<StreamRangeReply>(&CLOSE, &inbox, Vec::new()).await {
            Ok(rest) => hand_on(&entries(rest.ids), &broker).await,
            Err(error) => tracing::warn!(%error, "the broker's inbox stays behind"),
        }
    }
}

/// Makes an inbox, unless it is there.
async fn make(redis: &Redis, inbox: &str) -> Result<(), RedisError> {
    redis.run(&OPEN, inbox, vec![READER.into(), millis(OUTLIVES_ITS_BROKER).to_string().into()]).await
}

/// Says that somebody still reads it.
async fn keep(redis: &Redis, inbox: &str) -> Result<(), RedisError> {
    redis.call(cmd("PEXPIRE").arg(inbox).arg(millis(OUTLIVES_ITS_BROKER))).await
}

async fn read_commands(redis: &Redis, inbox: &str, broker: &mpsc::Sender<ToBroker>) {
    loop {
        if let Err(error) = read_commands_on_one_connection(redis, inbox, broker).await {
            tracing::warn!(%error, "the broker's inbox cannot be read");
        }
        time::sleep(PAUSE).await;
        // A Redis that lost everything has lost the inbox too.
        let _ = make(redis, inbox).await;
    }
}

/// What was read and not acknowledged comes first: the connection may have broken in between.
async fn read_commands_on_one_connection(
    redis: &Redis,
    inbox: &str,
    broker: &mpsc::Sender<ToBroker>,
) -> Result<(), RedisError> {
    let mut connection = redis.connection_of_its_own().await?;
    let (mut from, mut kept) = ("0", Instant::now());
    loop {
        let mut look = cmd("XREADGROUP");
        look.arg("GROUP").arg(READER).arg(READER).arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(millis(LOOK));
        look.arg("STREAMS").arg(inbox).arg(from);
        let entries = read(&mut connection, &look).await?;
        if entries.is_empty() {
            from = ">";
        }
        // However much arrives: an inbox that always holds something is read as well.
        if kept.elapsed() >= KEEP_EVERY {
            keep(redis, inbox).await?;
            kept = Instant::now();
        }
        hand_on(&entries, broker).await;
        forget(redis, inbox, &entries).await?;
    }
}

/// Acknowledges entries and removes them.
async fn forget(redis: &Redis, inbox: &str, entries: &[Entry]) -> Result<(), RedisError> {
    if entries.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    redis.call::<u32>(cmd("XACK").arg(inbox).arg(READER).arg(&ids)).await?;
    redis.call::<u32>(cmd("XDEL").arg(inbox).arg(&ids)).await.map(drop)
}

/// An entry of a stream.
pub(super) struct Entry {
    pub(super) id: String,
    entry: StreamId,
}

impl Entry {
    /// A field that is text.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.entry.get(name)
    }
}

/// The entries that a look at a stream brings.
pub(super) async fn read(connection: &mut ConnectionManager, look: &Cmd) -> Result<Vec<Entry>, RedisError> {
    let reply: Option<StreamReadReply> = look.query_async(connection).await?;
    Ok(entries(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|stream| stream.ids)))
}

fn entries(ids: impl IntoIterator<Item = StreamId>) -> Vec<Entry> {
    ids.into_iter().map(|entry| Entry { id: entry.id.clone(), entry }).collect()
}

async fn hand_on(entries: &[Entry], broker: &mpsc::Sender<ToBroker>) {
    for entry in entries {
        match serde_json::from_str(&entry.field(MESSAGE).unwrap_or_default()) {
            // A broker that is gone has no use for the rest.
            Ok(told) => drop(broker.send(told).await),
            Err(error) => tracing::error!(%error, "a message in the broker's inbox is not understood"),
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
