//! The link on Redis: every broker has an inbox, a stream of its own; what all browsers may see goes into one stream that
//! every broker reads. The numbers of pushes are the ids of that stream's entries, so they are the same for every broker.

mod inbox;
mod pushes;

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use engine_redis::{Redis, RedisError, redis::Script};
use jobs::ports::{Link, LinkError, NodeCommand, Push, ToBroker};

pub use inbox::{RedisInbox, RedisInboxes};

/// How long to wait before Redis is told again what it did not take.
const PAUSE: Duration = Duration::from_millis(500);
/// The field of an entry that says what is said.
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
    /// Somebody sees to it that they will.
    is_telling: Arc<AtomicBool>,
}

impl RedisLink {
    /// The link to the brokers on `redis`.
    pub fn new(redis: Redis) -> Self {
        Self { redis, lost: Arc::default(), is_telling: Arc::default() }
    }

    /// Tells all brokers of a loss as soon as Redis is back, whether anything else is published or not.
    fn tell_of_loss(&self) {
        self.lost.store(true, Ordering::SeqCst);
        if self.is_telling.swap(true, Ordering::SeqCst) {
            return;
        }
        let link = self.clone();
        tokio::spawn(async move {
            while link.lost.load(Ordering::SeqCst) {
                tokio::time::sleep(PAUSE).await;
                // What was published in between may have told it.
                if link.lost.swap(false, Ordering::SeqCst) && link.give(Vec::new(), true).await.is_err() {
                    link.lost.store(true, Ordering::SeqCst);
                }
            }
            link.is_telling.store(false, Ordering::SeqCst);
        });
    }

    async fn give(&self, pushes: Vec<Push>, lost: bool) -> Result<(), LinkError> {
        pushes::publish(&self.redis, pushes, lost).await
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
            return Err(LinkError::NotConnected);
        }
        Ok(())
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        let published = self.give(pushes, self.lost.swap(false, Ordering::SeqCst)).await;
        if published.is_err() {
            self.tell_of_loss();
        }
        published
    }

    fn tells_the_past(&self) -> bool {
        true
    }
}

fn inbox_of(redis: &Redis, broker: &str) -> String {
    redis.key(&format!("inbox:{broker}"))
}

fn text(message: &ToBroker) -> Result<String, LinkError> {
    serde_json::to_string(message).map_err(|error| LinkError::Away(error.to_string()))
}

fn away(error: RedisError) -> LinkError {
    LinkError::Away(error.what)
}
