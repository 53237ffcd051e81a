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

/// What is known of the file that Redis appends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendOnlyFile {
    /// It was seen whole: while it is written anew, that of before goes on.
    Whole,
    /// It may be the first since it was switched on. Redis calls it enabled from then on (`aof_enabled:1`), and can read nothing of it
    /// until it is written; nor does it say which of both it writes.
    MayBeFirst,
}

/// What Redis says of itself, to one question.
enum Answer<T> {
    /// This.
    Told(T),
    /// It does not let itself be asked, and the operator says that it is as it should be.
    Trusted,
    /// It does not let itself be asked, with what it said.
    Untold(String),
}

impl<T> Answer<T> {
    fn of(answer: Result<T, RedisError>, trust: bool) -> Result<Self, RedisError> {
        match answer {
            Ok(told) => Ok(Self::Told(told)),
            Err(refusal) if refusal.is_refusal() && trust => Ok(Self::Trusted),
            Err(refusal) if refusal.is_refusal() => Ok(Self::Untold(refusal.to_string())),
            Err(error) => Err(error),
        }
    }
}

/// When it writes to its disk: the values of [`SETTINGS`].
type Durability = Answer<HashMap<String, String>>;

/// What decides whether it is on disk when it is answered, and what each must be.
const SETTINGS: [(&str, &str); 2] = [("appendfsync", "always"), ("no-appendfsync-on-rewrite", "no")];

/// What this Redis does not do and must, if it is to lose nothing. Where it does not let itself be asked about itself (`INFO`) or
/// for its settings (`CONFIG`), since its ACL refuses that or it is managed, these count as unmet, unless the operator has them
/// trusted.
pub async fn unmet(redis: &Redis, trust_durability: bool, file: AppendOnlyFile) -> Result<Vec<Demand>, RedisError> {
    let info: Answer<String> = Answer::of(redis.call(&redis::cmd("INFO")).await, trust_durability)?;
    let names = SETTINGS.map(|(name, _)| name);
    let settings = redis.call(redis::cmd("CONFIG").arg("GET").arg(&names)).await;
    Ok(judge(&info, &Answer::of(settings, trust_durability)?, file))
}

fn facts(info: &str) -> HashMap<&str, &str> {
    info.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

/// How an operator sets it, so that it is so after a restart too.
fn set(directive: &str) -> String {
    format!("`{directive}` in redis.conf, or CONFIG SET {directive} and CONFIG REWRITE")
}

/// That it does not let itself be asked by `command`, which `rule` of an ACL allows, and so that `wanted` may be otherwise.
fn untold(command: &str, rule: &str, why: &str, wanted: &str) -> Demand {
    let what = format!(
        "redis refuses {command} ({why}), so nobody knows whether it has {wanted}: let us ask (where an ACL refuses it: \
         `ACL SETUSER <user> {rule}`), or see that it is so and set redis.trust_durability = true"
    );
    Demand { what }
}

fn judge(info: &Answer<String>, durability: &Durability, file: AppendOnlyFile) -> Vec<Demand> {
    let mut unmet = match info {
        Answer::Told(info) => {
            let facts = facts(info);
            let mut unmet = not_as_needed(&facts);
            unmet.extend(not_written(&facts).filter(|_| file == AppendOnlyFile::MayBeFirst));
            unmet
        }
        Answer::Trusted => Vec::new(),
        Answer::Untold(why) => {
            let wanted =
                format!("version {OLDEST} or newer, role master, `appendonly yes` and `maxmemory-policy noeviction`");
            vec![untold("INFO", "+info", why, &wanted)]
        }
    };
    // Where nothing is kept, it does not matter when.
    if !matches!(info, Answer::Told(info) if facts(info).get("aof_enabled") != Some(&"1")) {
        unmet.extend(too_early(durability));
    }
    unmet
}

/// What it says of itself that will not do.
fn not_as_needed(facts: &HashMap<&str, &str>) -> Vec<Demand> {
    let told = |name: &str| facts.get(name).copied().unwrap_or("unknown");
    let mut unmet = Vec::new();
    let version = told("redis_version");
    if version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < OLDEST) {
        unmet.push(Demand { what: format!("redis is {version}, {OLDEST} or newer is needed") });
    }
    let role = told("role");
    if role != "master" {
        let what = format!(
            "redis follows another (its role is {role}): it takes nothing, or loses it when it is synchronised. Point redis.url \
             (--redis) at the one that it follows, or make it the one that counts: REPLICAOF NO ONE"
        );
        unmet.push(Demand { what });
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
    }
    unmet
}

/// That it has yet to write its append-only file, or could not.
fn not_written(facts: &HashMap<&str, &str>) -> Option<Demand> {
    let is = |name: &str, value: &str| facts.get(name) == Some(&value);
    let runs = ["aof_rewrite_in_progress", "aof_rewrite_scheduled", "aof_pending_rewrite"];
    let has_failed = facts.get("aof_last_bgrewrite_status").is_some_and(|status| *status != "ok");
    let is_written = !has_failed && !runs.iter().any(|name| is(name, "1"));
    (is("aof_enabled", "1") && !is_written).then(|| {
        let how = if has_failed {
            "and could not: see its log and its disk"
        } else {
            "which ends by itself (INFO persistence: aof_rewrite_in_progress is 0 then)"
        };
        Demand {
            what: format!(
                "redis has yet to write its append-only file, and forgets what it is given until then; {how}"
            ),
        }
    })
}

/// What lets Redis answer before what it was given is on disk.
fn too_early(durability: &Durability) -> Vec<Demand> {
    let told = match durability {
        Answer::Told(told) => told,
        Answer::Trusted => return Vec::new(),
        Answer::Untold(why) => {
            let wanted = SETTINGS.map(|(name, wanted)| format!("`{name} {wanted}`")).join(" and ");
            return vec![untold("CONFIG GET", "+config|get", why, &wanted)];
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

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\n# Replication\r\nrole:master\r\n# Memory\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";

    fn told(fsync: &str, on_rewrite: &str) -> Durability {
        let told = [("appendfsync", fsync), ("no-appendfsync-on-rewrite", on_rewrite)];
        Answer::Told(told.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn complaints_of(info: &Answer<String>, durability: &Durability) -> Vec<String> {
        judge(info, durability, AppendOnlyFile::Whole).into_iter().map(|demand| demand.what).collect()
    }

    fn complaints(info: &str, durability: &Durability) -> Vec<String> {
        complaints_of(&Answer::Told(info.to_owned()), durability)
    }

    #[test]
    fn a_redis_that_keeps_everything_is_fine() {
        assert!(complaints(GOOD, &told("always", "no")).is_empty());
        assert!(complaints(GOOD, &Answer::Trusted).is_empty());
    }

    #[test]
    fn each_thing_that_is_wrong_is_told_with_what_to_do() {
        let wrong = [
            (GOOD.replace("7.0.15", "6.2.1"), "6.2.1"),
            (GOOD.replace("noeviction", "allkeys-lru"), "CONFIG SET maxmemory-policy noeviction"),
            (GOOD.replace("aof_enabled:1", "aof_enabled:0"), "CONFIG SET appendonly yes"),
            (GOOD.replace("redis_version", "another"), "unknown"),
            (GOOD.replace("role:master", "role:slave"), "REPLICAOF NO ONE"),
        ];
        for (info, what) in wrong {
            let complaints = complaints(&info, &told("always", "no"));
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].contains(what), "{complaints:?}");
        }
    }

    #[test]
    fn what_may_be_the_first_append_only_file_keeps_nothing_until_it_is_written() {
        let good =
            format!("{GOOD}aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\naof_last_bgrewrite_status:ok\r\n");
        let of = |info: &str, file| judge(&Answer::Told(info.to_owned()), &told("always", "no"), file).len();
        assert_eq!((of(&good, AppendOnlyFile::MayBeFirst), of(GOOD, AppendOnlyFile::MayBeFirst)), (0, 0));
        for (is, was) in
            [("in_progress:1", "in_progress:0"), ("scheduled:1", "scheduled:0"), ("status:err", "status:ok")]
        {
            let info = good.replace(was, is);
            assert_eq!((of(&info, AppendOnlyFile::MayBeFirst), of(&info, AppendOnlyFile::Whole)), (1, 0), "{is}");
        }
    }

    #[test]
    fn an_answer_before_the_fsync_is_a_loss_and_so_is_one_that_cannot_be_seen() {
        let wrong = [
            (told("everysec", "no"), "`appendfsync always`"),
            (told("always", "yes"), "`no-appendfsync-on-rewrite no`"),
            (Answer::Told(HashMap::from([("appendfsync".to_owned(), "always".to_owned())])), "unknown"),
            (Answer::Untold("NOPERM".to_owned()), "redis.trust_durability = true"),
        ];
        for (durability, what) in wrong {
            let complaints = complaints(GOOD, &durability);
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].contains(what), "{complaints:?}");
        }
    }

    #[test]
    fn what_does_not_let_itself_be_asked_is_told_for_each_question_with_what_grants_it() {
        let (info, config) = (Answer::Untold("NOPERM".to_owned()), Answer::Untold("NOPERM".to_owned()));
        let complaints = complaints_of(&info, &config);
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        for (complaint, words) in complaints.iter().zip([["INFO", "+info"], ["CONFIG GET", "+config|get"]]) {
            assert!(words.iter().all(|word| complaint.contains(word)), "{complaint}");
        }
        assert_eq!(complaints_of(&info, &told("always", "no")).len(), 1);
        assert!(complaints_of(&Answer::Trusted, &Answer::Trusted).is_empty());
    }
}
