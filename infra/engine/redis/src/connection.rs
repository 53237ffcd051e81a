//! The connection.

use std::{sync::Arc, time::Duration};

use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, Script, ServerErrorKind, ToRedisArgs,
    aio::{ConnectionManager, ConnectionManagerConfig, PubSub},
    cmd,
};

use crate::RedisSettings;

/// How long Redis may take to answer: it may have to wait for its disk.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection may take to come about.
const CONNECTS_WITHIN: Duration = Duration::from_secs(2);

/// What Redis could not do, or that it is away.
#[derive(Debug, Clone, thiserror::Error)]
#[error("redis: {what}")]
pub struct RedisError {
    /// In words.
    pub what: String,
    /// What kind the client calls it.
    kind: Option<ErrorKind>,
    /// Whether it does not let us in, or not do this.
    is_forbidden: bool,
    /// Whether its memory is full.
    is_of_full_memory: bool,
}

/// By what a Redis says that it does not let us in, or not do what was asked.
const FORBIDDEN: [&str; 3] = ["NOAUTH", "WRONGPASS", "NOPERM"];

impl RedisError {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), kind: None, is_forbidden: false, is_of_full_memory: false }
    }

    /// Whether it may be there if it is asked again: it could not be reached, or is still loading what it had.
    pub fn is_away(&self) -> bool {
        use ServerErrorKind::{BusyLoading, MasterDown, TryAgain};
        matches!(self.kind, Some(ErrorKind::Io | ErrorKind::Server(BusyLoading | MasterDown | TryAgain)))
    }

    /// Whether it was reached, and refused us: for our name or password, or since its ACL does not let that user do it.
    pub fn is_forbidden(&self) -> bool {
        self.is_forbidden
    }

    /// Whether its memory is full, so that it takes nothing new.
    pub fn is_of_full_memory(&self) -> bool {
        self.is_of_full_memory
    }

    /// Whether Redis was reached, and said so itself.
    pub fn is_answer(&self) -> bool {
        matches!(self.kind, Some(ErrorKind::Extension | ErrorKind::Server(_)))
    }

    /// Whether it does not do this for us: we may not, or it knows no such command.
    pub(crate) fn is_refusal(&self) -> bool {
        use ServerErrorKind::{NoPerm, ResponseError};
        matches!(self.kind, Some(ErrorKind::Server(NoPerm | ResponseError)))
    }
}

impl From<redis::RedisError> for RedisError {
    fn from(error: redis::RedisError) -> Self {
        let is_forbidden = error.kind() == ErrorKind::AuthenticationFailed
            || error.code().is_some_and(|code| FORBIDDEN.contains(&code));
        let is_of_full_memory = error.code() == Some("OOM");
        Self { what: error.to_string(), kind: Some(error.kind()), is_forbidden, is_of_full_memory }
    }
}

/// A Redis. Cheap to clone: all clones share one connection, which comes back by itself. While it is away every call ends
/// with an error at once.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    manager: ConnectionManager,
    namespace: Arc<str>,
}

impl Redis {
    /// Connects.
    pub async fn connect(settings: &RedisSettings) -> Result<Self, RedisError> {
        let client = Client::open(settings.url.as_str()).map_err(|error| {
            RedisError::new(format!("redis.url cannot be used: {error}. It looks like redis://host:6379, without TLS"))
        })?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(ANSWERS_WITHIN))
            .set_connection_timeout(Some(CONNECTS_WITHIN))
            // Who asks decides when to ask again.
            .set_number_of_retries(1);
        let manager = client.get_connection_manager_with_config(config).await?;
        Ok(Self { client, manager, namespace: settings.namespace.as_str().into() })
    }

    /// The name of a key of ours.
    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.namespace)
    }

    /// The name of the key under which a Redis keeps what it is called itself: one that came in another's place has another, or none.
    pub fn key_of_name(&self) -> String {
        self.key("name")
    }

    /// The channel on which it is called out that a job waits.
    pub fn channel_of_bells(&self) -> String {
        self.key("bells")
    }

    /// The name of what belongs to `owner`, to which a script adds the rest: they lie together, wherever that is.
    pub fn keys_of(&self, owner: &str) -> String {
        format!("{{{}:{owner}}}", self.namespace)
    }

    /// Does one command.
    pub async fn call<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        Ok(command.query_async(&mut self.manager.clone()).await?)
    }

    /// What a key holds, which is `value` where it held nothing. A Redis whose memory is full takes no writes, and must be worked off all
    /// the same: it is asked to keep only what it does not.
    pub async fn kept<T: FromRedisValue>(&self, key: &str, value: impl ToRedisArgs) -> Result<T, RedisError> {
        if let Some(kept) = self.call(cmd("GET").arg(key)).await? {
            return Ok(kept);
        }
        let _: Option<String> = self.call(cmd("SET").arg(key).arg(value).arg("NX")).await?;
        self.call(cmd("GET").arg(key)).await
    }

    /// Runs a script: all of it at once, or nothing.
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &str,
        arguments: Vec<Vec<u8>>,
    ) -> Result<T, RedisError> {
        let mut invocation = script.prepare_invoke();
        Ok(invocation.key(key).arg(arguments).invoke_async(&mut self.manager.clone()).await?)
    }

    /// A connection of one's own, to wait on: a command that blocks would hold up all others.
    pub async fn connection_of_its_own(&self) -> Result<ConnectionManager, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(2 * ANSWERS_WITHIN))
            .set_connection_timeout(Some(CONNECTS_WITHIN))
            .set_number_of_retries(1);
        Ok(self.client.get_connection_manager_with_config(config).await?)
    }

    pub(crate) async fn subscription(&self) -> Result<PubSub, RedisError> {
        let connected = tokio::time::timeout(CONNECTS_WITHIN, self.client.get_async_pubsub()).await;
        Ok(connected.map_err(|_| RedisError::new("it does not answer"))??)
    }
}
