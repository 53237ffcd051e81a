//! Where Redis is, and what it is asked to promise.

use std::fmt;

use serde::Deserialize;

/// How to reach Redis, as `[redis]` of the configuration says it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// `redis://[user:password@]host[:port][/database]`, or `redis+unix:///path`.
    pub url: String,
    /// What the names of all keys begin with. Installations that share a Redis have different ones.
    #[serde(default = "usual_namespace")]
    pub namespace: String,
    /// Whether to go on with a Redis that forgets: for trying things out.
    #[serde(default)]
    pub may_forget: bool,
}

impl RedisSettings {
    /// The usual ones for the Redis at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), namespace: usual_namespace(), may_forget: false }
    }
}

/// The address may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, namespace, may_forget } = self;
        let mut shown = formatter.debug_struct("RedisSettings");
        shown.field("namespace", namespace).field("may_forget", may_forget).finish_non_exhaustive()
    }
}

fn usual_namespace() -> String {
    "telltale".to_owned()
}
