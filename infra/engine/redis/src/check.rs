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

/// What Redis says of when it writes to its disk.
enum Durability {
    /// The values of [`SETTINGS`].
    Told(HashMap<String, String>),
    /// It does not let itself be asked, and the operator says that it is as it should be.
    Trusted,
    /// It does not let itself be asked, with what it said.
    Untold(String),
}

/// What decides whether it is on disk when it is answered, and what each must be.
const SETTINGS: [(&str, &str); 2] = [("appendfsync", "always"), ("no-appendfsync-on-rewrite", "no")];

/// What this Redis does not do and must, if it is to lose nothing. Where it does not let itself be asked for its settings
/// (`CONFIG`, which managed ones refuse), these count as unmet, unless the operator has them trusted.
pub async fn unmet(redis: &Redis, trust_durability: bool) -> Result<Vec<Demand>, RedisError> {
    let info: String = redis.call(&redis::cmd("INFO")).await?;
    let names = SETTINGS.map(|(name, _)| name);
    let durability = match redis.call(redis::cmd("CONFIG").arg("GET").arg(&names)).await {
        Ok(told) => Durability::Told(told),
        Err(refusal) if refusal.is_refusal() && trust_durability => Durability::Trusted,
        Err(refusal) if refusal.is_refusal() => Durability::Untold(refusal.to_string()),
        Err(error) => return Err(error),
    };
    Ok(judge(&facts(&info), &durability))
}

fn facts(info: &str) -> HashMap<&str, &str> {
    info.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

/// How an operator sets it, so that it is so after a restart too.
fn set(directive: &str) -> String {
    format!("`{directive}` in redis.conf, or CONFIG SET {directive} and CONFIG REWRITE")
}

fn judge(facts: &HashMap<&str, &str>, durability: &Durability) -> Vec<Demand> {
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
    if told("aof_enabled") == "1" {
        unmet.extend(too_early(durability));
    } else {
        let what = format!("redis forgets what waits when it ends (appendonly is off): {}", set("appendonly yes"));
        unmet.push(Demand { what });
    }
    unmet
}

/// What lets Redis answer before what it was given is on disk.
fn too_early(durability: &Durability) -> Vec<Demand> {
    let told = match durability {
        Durability::Told(told) => told,
        Durability::Trusted => return Vec::new(),
        Durability::Untold(why) => {
            let wanted = SETTINGS.map(|(name, wanted)| format!("`{name} {wanted}`")).join(" and ");
            let what = format!(
                "redis does not tell when it writes to its disk ({why}): let us ask CONFIG GET, or see that it has {wanted} and \
                 set redis.trust_durability = true"
            );
            return vec![Demand { what }];
        }
    };
    let mut unmet = Vec::new();
    for (name, wanted) in SETTINGS {
        let is = told.get(name).map_or("unknown", String::as_str);
        if is != wanted {
            let what = format!(
                "redis answers before what it was given is on disk, and may lose it when it is killed or its machine loses power \
                 ({name} is {is}): {}",
                set(&format!("{name} {wanted}"))
            );
            unmet.push(Demand { what });
        }
    }
    unmet
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";

    fn told(fsync: &str, on_rewrite: &str) -> Durability {
        let told = [("appendfsync", fsync), ("no-appendfsync-on-rewrite", on_rewrite)];
        Durability::Told(told.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn complaints(info: &str, durability: &Durability) -> Vec<String> {
        judge(&facts(info), durability).into_iter().map(|demand| demand.what).collect()
    }

    #[test]
    fn a_redis_that_keeps_everything_is_fine() {
        assert!(complaints(GOOD, &told("always", "no")).is_empty());
        assert!(complaints(GOOD, &Durability::Trusted).is_empty());
    }

    #[test]
    fn each_thing_that_is_wrong_is_told_with_what_to_do() {
        let wrong = [
            (GOOD.replace("7.0.15", "6.2.1"), "6.2.1"),
            (GOOD.replace("noeviction", "allkeys-lru"), "CONFIG SET maxmemory-policy noeviction"),
            (GOOD.replace("aof_enabled:1", "aof_enabled:0"), "CONFIG SET appendonly yes"),
            (GOOD.replace("redis_version", "another"), "unknown"),
        ];
        for (info, what) in wrong {
            let complaints = complaints(&info, &told("always", "no"));
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].contains(what), "{complaints:?}");
        }
    }

    #[test]
    fn an_answer_before_the_fsync_is_a_loss_and_so_is_one_that_cannot_be_seen() {
        let wrong = [
            (told("everysec", "no"), "`appendfsync always`"),
            (told("always", "yes"), "`no-appendfsync-on-rewrite no`"),
            (Durability::Told(HashMap::from([("appendfsync".to_owned(), "always".to_owned())])), "unknown"),
            (Durability::Untold("NOPERM".to_owned()), "redis.trust_durability = true"),
        ];
        for (durability, what) in wrong {
            let complaints = complaints(GOOD, &durability);
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].contains(what), "{complaints:?}");
        }
    }
}
