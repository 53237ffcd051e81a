//! Something that one process does at a time, and another when that one dies.

use std::{sync::LazyLock, time::Duration};

use redis::Script;

use crate::{Redis, RedisError};

/// Takes the turn when nobody has it, and keeps it when it is one's own. Also while the memory of Redis is full: timers run out
/// all the same.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "#!lua flags=allow-oom\n \
         local holder = redis.call('GET', KEYS[1]) \
         if holder and holder ~= ARGV[1] then return 0 end \
         redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) \
         return 1",
    )
});
static GIVE_UP: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1")
});

/// A turn that one of several processes has.
pub struct Turn {
    redis: Redis,
    key: String,
    process: String,
    lasts: Duration,
}

impl Turn {
    /// The turn at `what`, for a process of this name. Who has it and does not ask for `lasts` loses it.
    pub fn at(redis: Redis, what: &str, process: &str, lasts: Duration) -> Self {
        let key = redis.key(&format!("turn:{what}"));
        Self { redis, key, process: process.to_owned(), lasts }
    }

    /// Whether it is this process's turn, from now on or still.
    ///
    /// # Errors
    /// When Redis is away: nobody knows.
    pub async fn is_ours(&self) -> Result<bool, RedisError> {
        let arguments = vec![self.process.clone().into(), self.lasts.as_millis().to_string().into()];
        self.redis.run(&TAKE, &self.key, arguments).await
    }

    /// Lets the next one have it at once.
    ///
    /// # Errors
    /// When Redis is away: the turn ends by itself.
    pub async fn give_up(&self) -> Result<(), RedisError> {
        self.redis.run::<()>(&GIVE_UP, &self.key, vec![self.process.clone().into()]).await
    }
}
