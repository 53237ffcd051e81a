//! Where Redis is, and what it is asked to promise.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where several processes meet; without it one does everything.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// Where Redis (7 or newer) is: `redis://user:password@host:6379/database`, or `redis+unix:///path`. `--redis` stands
    /// over it.
    #[serde(default, skip_serializing)]
    pub url: String,
    /// What the names of all keys begin with. Installations that share a Redis have different ones.
    #[serde(default = "usual_namespace")]
    pub namespace: String,
    /// Whether to go on with a Redis that forgets what it was given, to try things out. Not with `queue = "apalis-redis"`.
    #[serde(default)]
    pub may_forget: bool,
    /// Whether to take your word where Redis does not let itself be asked, by its ACL or since it is managed: for `appendfsync always`
    /// and `no-appendfsync-on-rewrite no` where it refuses CONFIG; for version 7, role master, `appendonly yes` and `maxmemory-policy
    /// noeviction` where it refuses INFO.
    #[serde(default)]
    pub trust_durability: bool,
    /// Through what the jobs go: `streams`, which loses nothing and knows all of what jobs need, or `apalis-redis`, with the gaps
    /// that the log names at the start. All processes that work together have the same.
    #[serde(default)]
    pub queue: QueueKind,
}

/// Through what the jobs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QueueKind {
    /// Our own queue over Redis Streams.
    #[default]
    Streams,
    /// The crate apalis-redis, in the bounds in which it loses nothing.
    ApalisRedis,
}

impl RedisSettings {
    /// The usual ones for the Redis at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: usual_namespace(),
            may_forget: false,
            trust_durability: false,
            queue: QueueKind::Streams,
        }
    }
}

/// The address may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, namespace, may_forget, trust_durability, queue } = self;
        let mut shown = formatter.debug_struct("RedisSettings");
        shown
            .field("namespace", namespace)
            .field("may_forget", may_forget)
            .field("trust_durability", trust_durability)
            .field("queue", queue)
            .finish_non_exhaustive()
    }
}

fn usual_namespace() -> String {
    "telltale".to_owned()
}
