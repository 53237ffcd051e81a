//! The link on Redis: every broker has an inbox, a stream of its own; what all browsers may see goes into one stream that
//! every broker reads.

mod inbox;

use std::sync::LazyLock;

use async_trait::async_trait;
use engine_redis::{
    Redis, RedisError,
    redis::{Script, cmd},
};
use jobs::ports::{Link, LinkError, NodeCommand, Push, ToBroker};

pub use inbox::{RedisInbox, RedisInboxes};

/// The one field of an entry.
const MESSAGE: &str = "message";
/// How many pushes are kept for brokers that are slow to read, about.
const MOST_PUSHES: usize = 10_000;

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
pub struct RedisLink(Redis);

impl RedisLink {
    /// The link to the brokers on `redis`.
    pub fn new(redis: Redis) -> Self {
        Self(redis)
    }
}

#[async_trait]
impl Link for RedisLink {
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        let somebody_waits = matches!(command, NodeCommand::Operate(_));
        let message = text(&ToBroker::Command(command))?;
        let arrives: bool = self.0.run(&GIVE, &inbox_of(&self.0, broker), vec![message.into()]).await.map_err(away)?;
        if !arrives && somebody_waits {
            return Err(LinkError("node not connected".to_owned()));
        }
        Ok(())
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        let message = text(&ToBroker::Publish { pushes })?;
        let mut add = cmd("XADD");
        add.arg(pushes_of(&self.0)).arg("MAXLEN").arg("~").arg(MOST_PUSHES).arg("*").arg(MESSAGE).arg(message);
        self.0.call::<String>(&add).await.map(drop).map_err(away)
    }
}

fn inbox_of(redis: &Redis, broker: &str) -> String {
    redis.key(&format!("inbox:{broker}"))
}

fn pushes_of(redis: &Redis) -> String {
    redis.key("pushes")
}

fn text(message: &ToBroker) -> Result<String, LinkError> {
    serde_json::to_string(message).map_err(|error| LinkError(error.to_string()))
}

fn away(error: RedisError) -> LinkError {
    LinkError(error.0)
}
