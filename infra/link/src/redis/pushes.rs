//! The stream of what browsers are shown. An entry's id is the number of its first push.

use std::{sync::LazyLock, time::Duration};

use domain::Timestamp;
use engine_redis::{
    Redis, RedisError,
    redis::{Script, aio::ConnectionManager, cmd},
};
use jobs::ports::{Position, Push, ToBroker};
use tokio::{sync::mpsc, time};

use super::{
    MESSAGE,
    inbox::{AT_ONCE, Entry, LOOK, PAUSE, millis, read},
};

/// How many entries are kept for brokers that are slow to read or start, about.
const MOST_PUSHES: usize = 10_000;
/// How far back a broker that starts reads.
const PAST: Duration = Duration::from_mins(10);

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));
/// The same of nothing, by which a broker begins. Also while the memory of Redis is full.
static BEGIN: LazyLock<Script> =
    LazyLock::new(|| Script::new(&format!("#!lua flags=allow-oom\n{}", include_str!("publish.lua"))));

/// Publishes a message of so many pushes; `lost` says that some before it were lost.
pub(super) async fn publish(redis: &Redis, message: String, count: usize, lost: bool) -> Result<(), RedisError> {
    run(redis, &PUBLISH, message, count, lost).await.map(drop)
}

async fn run(
    redis: &Redis,
    script: &Script,
    message: String,
    count: usize,
    lost: bool,
) -> Result<(String, u64, u64), RedisError> {
    let numbers = [count as u64, u64::from(lost), MOST_PUSHES as u64, millis(PAST)];
    let arguments = [message].into_iter().chain(numbers.map(|number| number.to_string()));
    redis.run(script, &keys_of(redis), arguments.map(String::into_bytes).collect()).await
}

fn keys_of(redis: &Redis) -> String {
    redis.keys_of("pushes")
}

/// How far the stream is read.
pub(super) struct Reading {
    stream: String,
    head: String,
    epoch: String,
    /// The id of the last entry that was read.
    seen: String,
    /// The last number that was given before this broker was there, until all up to it is read.
    past_until: Option<u64>,
}

impl Reading {
    /// Begins with what is not too old.
    pub(super) async fn begin(redis: &Redis) -> Result<Self, RedisError> {
        let (epoch, last, oldest) = run(redis, &BEGIN, String::new(), 0, false).await?;
        let keys = keys_of(redis);
        let (stream, head) = (format!("{keys}:stream"), format!("{keys}:head"));
        Ok(Self { stream, head, epoch, seen: format!("{}-0", oldest.min(last)), past_until: Some(last) })
    }

    /// Hands on what was published and what is, for as long as it is polled.
    pub(super) async fn hand_on(mut self, redis: &Redis, broker: &mpsc::Sender<ToBroker>) {
        if self.past_until.is_some_and(|last| self.seen == format!("{last}-0")) {
            self.end_past(broker).await;
        }
        loop {
            if let Err(error) = self.on_one_connection(redis, broker).await {
                tracing::warn!(%error, "what browsers are shown cannot be read");
            }
            time::sleep(PAUSE).await;
        }
    }

    async fn on_one_connection(&mut self, redis: &Redis, broker: &mpsc::Sender<ToBroker>) -> Result<(), RedisError> {
        let mut connection = redis.connection_of_its_own().await?;
        self.begin_anew_if_all_was_lost(&mut connection).await?;
        loop {
            let mut look = cmd("XREAD");
            look.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(millis(LOOK));
            look.arg("STREAMS").arg(&self.stream).arg(&self.seen);
            let entries = read(&mut connection, &look).await?;
            let nothing_more = entries.is_empty();
            for entry in entries {
                self.give(entry, broker).await;
            }
            if nothing_more {
                self.end_past(broker).await;
            }
        }
    }

    /// A Redis that lost everything may give lower ids than those that were seen: nothing would ever be read again.
    async fn begin_anew_if_all_was_lost(&mut self, connection: &mut ConnectionManager) -> Result<(), RedisError> {
        let epoch: Option<String> = cmd("HGET").arg(&self.head).arg("epoch").query_async(connection).await?;
        if epoch.is_none_or(|epoch| epoch != self.epoch) {
            "0-0".clone_into(&mut self.seen);
        }
        Ok(())
    }

    async fn give(&mut self, entry: Entry, broker: &mpsc::Sender<ToBroker>) {
        let told = told(&entry);
        self.seen = entry.id;
        let Some((pushes, position)) = told else {
            tracing::error!(entry = self.seen, "what browsers are shown is not understood");
            return;
        };
        self.epoch.clone_from(&position.epoch);
        let last = position.first + (pushes.len() as u64).saturating_sub(1);
        // A broker that is gone has no use for it.
        match self.past_until {
            Some(until) if position.first <= until => {
                // Nothing is the end of the past. Of a loss tells what follows it.
                if !pushes.is_empty() {
                    drop(broker.send(ToBroker::Past { pushes, position }).await);
                }
                if last >= until {
                    self.end_past(broker).await;
                }
            }
            _ => {
                self.end_past(broker).await;
                drop(broker.send(ToBroker::Publish { pushes, position: Some(position) }).await);
            }
        }
    }

    /// Says, once, that the past is told.
    async fn end_past(&mut self, broker: &mpsc::Sender<ToBroker>) {
        if let Some(after) = self.past_until.take() {
            let position = Position { epoch: self.epoch.clone(), after, first: after + 1, at: None };
            drop(broker.send(ToBroker::Past { pushes: Vec::new(), position }).await);
        }
    }
}

fn told(entry: &Entry) -> Option<(Vec<Push>, Position)> {
    let ToBroker::Publish { pushes, .. } = serde_json::from_str(&entry.field(MESSAGE)?).ok()? else { return None };
    let first: u64 = entry.id.split('-').next()?.parse().ok()?;
    // The numbers go with the time.
    let at = i64::try_from(first / 1024).ok().map(Timestamp);
    let (epoch, after) = (entry.field("epoch")?, entry.field("after")?.parse().ok()?);
    Some((pushes, Position { epoch, after, first, at }))
}
