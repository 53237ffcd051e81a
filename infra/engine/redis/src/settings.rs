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
    #[serde(skip_serializing)]
    pub url: String,
    /// What the names of all keys begin with. Installations that share a Redis have different ones.
    #[serde(default = "usual_namespace")]
    pub namespace: String,
    /// Whether to go on with a Redis that forgets what it was given, to try things out.
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
