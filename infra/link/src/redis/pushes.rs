//! The stream of what browsers are shown. An entry's id is the number of its first push.

use std::{sync::LazyLock, time::Duration};

use domain::Timestamp;
use engine_redis::{
    Redis, RedisError,
    redis::{Script, aio::ConnectionManager, cmd},
};
use jobs::ports::{LinkError, Position, Push, ToBroker};
use tokio::{sync::mpsc, time};

use super::{
    MESSAGE, away,
    inbox::{AT_ONCE, Entry, LOOK, PAUSE, millis, read},
    text,
};

/// How many entries are kept for brokers that are slow to read or start.
const MOST_PUSHES: usize = 10_000;
/// How many bytes of messages are kept: as many as a broker keeps of what it read.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many while the memory of Redis is full: what only shows things leaves the rest to the jobs.
const MOST_BYTES_WHEN_FULL: usize = 2 * 1024 * 1024;
/// How large a message may be. More at once goes in several, and one push that is larger is shown to nobody.
const MOST_BYTES_AT_ONCE: usize = 1024 * 1024;
/// How far back a broker that starts reads.
const PAST: Duration = Duration::from_mins(10);

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(&format!("#!lua\n{}", include_str!("publish.lua"))));
/// The same while the memory of Redis is full: of nothing, by which a broker begins, and of what then takes the place of the oldest.
static PUBLISH_WHEN_FULL: LazyLock<Script> =
    LazyLock::new(|| Script::new(&format!("#!lua flags=allow-oom\n{}", include_str!("publish.lua"))));

/// Publishes pushes; `lost` says that some before them were lost.
pub(super) async fn publish(redis: &Redis, pushes: Vec<Push>, mut lost: bool) -> Result<(), LinkError> {
    for some in portions(pushes)? {
        let Some((message, count)) = some else {
            tracing::error!("a push that is too large is shown to nobody: who hears its channel is told of a gap");
            lost = true;
            continue;
        };
        give(redis, &message, count, lost).await.map_err(away)?;
        lost = false;
    }
    if lost {
        let nothing = ToBroker::Publish { pushes: Vec::new(), position: None };
        give(redis, &text(&nothing)?, 0, true).await.map_err(away)?;
    }
    Ok(())
}

/// Messages with how many pushes are in each, none of which is too large; none in the place of a push that is.
fn portions(pushes: Vec<Push>) -> Result<Vec<Option<(String, usize)>>, LinkError> {
    let (mut portions, mut rest) = (Vec::new(), vec![pushes]);
    while let Some(pushes) = rest.pop() {
        let count = pushes.len();
        let told = ToBroker::Publish { pushes, position: None };
        let message = text(&told)?;
        if message.len() <= MOST_BYTES_AT_ONCE {
            portions.extend((count > 0).then_some(Some((message, count))));
        } else if let ToBroker::Publish { mut pushes, .. } = told
            && count > 1
        {
            let later = pushes.split_off(count / 2);
            rest.extend([later, pushes]);
        } else {
            portions.push(None);
        }
    }
    Ok(portions)
}

async fn give(redis: &Redis, message: &str, count: usize, lost: bool) -> Result<(), RedisError> {
    match run(redis, &PUBLISH, message, count, lost, MOST_BYTES).await {
        Err(error) if error.is_of_full_memory() => {
            run(redis, &PUBLISH_WHEN_FULL, message, count, lost, MOST_BYTES_WHEN_FULL).await.map(drop)
        }
        given => given.map(drop),
    }
}

async fn run(
    redis: &Redis,
    script: &Script,
    message: &str,
    count: usize,
    lost: bool,
    most_bytes: usize,
) -> Result<(String, u64, u64), RedisError> {
    let numbers = [count as u64, u64::from(lost), MOST_PUSHES as u64, millis(PAST), most_bytes as u64];
    let arguments = [message.into()].into_iter().chain(numbers.map(|number| number.to_string().into_bytes()));
    redis.run(script, &keys_of(redis), arguments.collect()).await
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
        let (epoch, last, oldest) = run(redis, &PUBLISH_WHEN_FULL, "", 0, false, MOST_BYTES).await?;
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
