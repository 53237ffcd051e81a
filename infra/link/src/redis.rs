//! The link on Redis: every broker has an inbox, a stream of its own; what all browsers may see goes into one stream that
//! every broker reads. The numbers of pushes are the ids of that stream's entries, so they are the same for every broker.

mod inbox;
mod pushes;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use engine_redis::{Redis, RedisError, redis::Script};
use jobs::ports::{Link, LinkError, NodeCommand, Push, ToBroker};

pub use inbox::{RedisInbox, RedisInboxes};

/// The one field of an entry.
const MESSAGE: &str = "message";

/// Puts a message into an inbox that is there. A broker that is gone has none.
static GIVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end \
         redis.call('XADD', KEYS[1], '*', 'message', ARGV[1]) \
         return 1",
    )
});

/// The link to every broker.
#[derive(Clone)]
pub struct RedisLink {
    redis: Redis,
    /// Pushes of this process were lost, and nobody knows yet.
    lost: Arc<AtomicBool>,
}

impl RedisLink {
    /// The link to the brokers on `redis`.
    pub fn new(redis: Redis) -> Self {
        Self { redis, lost: Arc::default() }
    }
}

#[async_trait]
impl Link for RedisLink {
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        let somebody_waits = matches!(command, NodeCommand::Operate(_));
        let message = text(&ToBroker::Command(command))?;
        let arrives: bool =
            self.redis.run(&GIVE, &inbox_of(&self.redis, broker), vec![message.into()]).await.map_err(away)?;
        if !arrives && somebody_waits {
            return Err(LinkError("node not connected".to_owned()));
        }
        Ok(())
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        let count = pushes.len();
        let message = text(&ToBroker::Publish { pushes, position: None })?;
        let lost = self.lost.swap(false, Ordering::Relaxed);
        let published = pushes::publish(&self.redis, message, count, lost).await;
        // The next one that succeeds leaves a number out: what is missing is missed.
        self.lost.fetch_or(published.is_err(), Ordering::Relaxed);
        published.map_err(away)
    }

    fn tells_the_past(&self) -> bool {
        true
    }
}

fn inbox_of(redis: &Redis, broker: &str) -> String {
    redis.key(&format!("inbox:{broker}"))
}

fn text(message: &ToBroker) -> Result<String, LinkError> {
    serde_json::to_string(message).map_err(|error| LinkError(error.to_string()))
}

fn away(error: RedisError) -> LinkError {
    LinkError(error.0)
}
