//! Whether Redis keeps what it is given.

use std::collections::HashMap;

use crate::{Redis, RedisError};

/// The oldest Redis that will do.
const OLDEST: u32 = 7;

/// Something that Redis does not do and must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What is wrong, and what to do about it.
    pub what: String,
}

/// What this Redis does not do and must, if it is to lose nothing.
pub async fn unmet(redis: &Redis) -> Result<Vec<Demand>, RedisError> {
    let info: String = redis.call(&redis::cmd("INFO")).await?;
    // A managed Redis may not tell.
    let fsync = redis.call::<HashMap<String, String>>(redis::cmd("CONFIG").arg("GET").arg("appendfsync")).await;
    let fsync = fsync.ok().and_then(|told| told.get("appendfsync").cloned());
    Ok(judge(&facts(&info), fsync.as_deref()))
}

fn facts(info: &str) -> HashMap<&str, &str> {
    info.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

/// How an operator sets it, so that it is so after a restart too.
fn set(directive: &str) -> String {
    format!("`{directive}` in redis.conf, or CONFIG SET {directive} and CONFIG REWRITE")
}

fn judge(facts: &HashMap<&str, &str>, fsync: Option<&str>) -> Vec<Demand> {
    let told = |name: &str| facts.get(name).copied().unwrap_or("unknown");
    let mut unmet = Vec::new();
    let version = told("redis_version");
    if version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < OLDEST) {
        unmet.push(Demand { what: format!("redis is {version}, {OLDEST} or newer is needed") });
    }
    let policy = told("maxmemory_policy");
    if policy != "noeviction" {
        let what = format!(
            "redis throws away what waits when its memory is full (maxmemory-policy is {policy}): {}",
            set("maxmemory-policy noeviction")
        );
        unmet.push(Demand { what });
    }
    if told("aof_enabled") != "1" {
        let what = format!("redis forgets what waits when it ends (appendonly is off): {}", set("appendonly yes"));
        unmet.push(Demand { what });
    } else if let Some(fsync) = fsync.filter(|fsync| *fsync != "always") {
        let what = format!(
            "redis answers before what it was given is on disk, and may lose it when it is killed or its machine loses power \
             (appendfsync is {fsync}): {}",
            set("appendfsync always")
        );
        unmet.push(Demand { what });
    }
    unmet
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";

    fn complaints(info: &str, fsync: Option<&str>) -> Vec<String> {
        judge(&facts(info), fsync).into_iter().map(|demand| demand.what).collect()
    }

    #[test]
    fn a_redis_that_keeps_everything_is_fine() {
        assert!(complaints(GOOD, Some("always")).is_empty());
        assert!(complaints(GOOD, None).is_empty(), "one that does not tell is taken at its word");
    }

    #[test]
    fn each_thing_that_is_wrong_is_told_with_what_to_do() {
        let wrong = [
            (GOOD.replace("7.0.15", "6.2.1"), "6.2.1"),
            (GOOD.replace("noeviction", "allkeys-lru"), "CONFIG SET maxmemory-policy noeviction"),
            (GOOD.replace("aof_enabled:1", "aof_enabled:0"), "CONFIG SET appendonly yes"),
            (GOOD.replace("redis_version", "another"), "unknown"),
        ];
        for (info, told) in wrong {
            let complaints = complaints(&info, Some("always"));
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].contains(told), "{complaints:?}");
        }
    }

    #[test]
    fn an_answer_before_the_fsync_is_a_loss() {
        let complaints = complaints(GOOD, Some("everysec"));
        assert!(complaints[0].contains("appendfsync always"), "{complaints:?}");
    }
}
