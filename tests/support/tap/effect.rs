//! Effects that a process can be caught at, by what its calls hold.

use engine_redis::redis::Script;

use super::language::{Language, varint};

const BASE: &str = include_str!("../../../infra/queue/src/redis/base.lua");
const ENQUEUE: &str = include_str!("../../../infra/queue/src/redis/enqueue.lua");
const SETTLE: &str = include_str!("../../../infra/queue/src/redis/settle.lua");

/// How scripts begin that run, and that do not, while the memory of Redis is full.
const EVEN_WHEN_FULL: &str = "#!lua flags=allow-oom";
const NOT_WHEN_FULL: &str = "#!lua";
/// The jobs that are put into their queues even then.
const URGENT: [&str; 4] = ["deliver_notice", "evaluate_alarms", "fan_out", "sweep"];

/// The number of the first kind of call that writes, of those to the table.
const FIRST_WRITE: u64 = 3;

/// When a process is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It has asked for the effect, and nobody heard it.
    Before,
    /// The effect is there, and the process has not heard of it.
    After,
}

/// An effect of a process on its queues, its brokers or its table.
#[derive(Debug, Clone)]
pub struct Effect {
    /// What happens.
    pub name: String,
    language: Language,
    holds: Vec<Vec<u8>>,
    lacks: Option<Vec<u8>>,
    version: Option<u64>,
}

impl Effect {
    fn of_redis(name: String, holds: &[&str]) -> Self {
        let holds = holds.iter().map(|held| held.as_bytes().to_vec()).collect();
        Self { name, language: Language::Redis, holds, lacks: None, version: None }
    }

    /// Jobs are put into a queue.
    pub fn enqueue(job: &str) -> Self {
        let when = if URGENT.contains(&job) { EVEN_WHEN_FULL } else { NOT_WHEN_FULL };
        Self::of_redis(format!("enqueue {job}"), &[&hash(when, ENQUEUE), &key(job)])
    }

    /// A queue hears how runs of a job ended.
    pub fn acknowledge(job: &str) -> Self {
        Self::of_redis(format!("acknowledge {job}"), &[&hash(EVEN_WHEN_FULL, SETTLE), &key(job)])
    }

    /// A broker is given a command of this kind.
    pub fn command(kind: &str) -> Self {
        Self::of_redis(format!("tell a broker {kind}"), &["EVALSHA", ":inbox:", &format!(r#""command":"{kind}""#)])
    }

    /// Browsers are shown something.
    pub fn show() -> Self {
        Self::of_redis("show browsers".to_owned(), &["EVALSHA", ":pushes}"])
    }

    /// Something is written that holds all of this: parts of keys, parts of records, as far as those are not so long that they are
    /// packed.
    pub fn write(name: &str, holds: &[&str]) -> Self {
        let holds = holds.iter().map(|held| held.as_bytes().to_vec()).collect();
        Self { name: name.to_owned(), language: Language::Table, holds, lacks: None, version: None }
    }

    /// The same without this.
    #[must_use]
    pub fn without(self, lacks: &str) -> Self {
        Self { lacks: Some(lacks.as_bytes().to_vec()), ..self }
    }

    /// The same where the record, whose partition begins with the first of what is held, comes to be of this version.
    #[must_use]
    pub fn of_version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Whether it is Redis that does it, and not the owner of the table.
    pub fn is_of_redis(&self) -> bool {
        self.language == Language::Redis
    }

    /// Whether a call is this.
    pub(super) fn is(&self, language: Language, call: &[u8]) -> bool {
        let holds = |part: &Vec<u8>| call.windows(part.len()).any(|window| window == part);
        language == self.language
            && (language == Language::Redis || is_write(call))
            && self.holds.iter().all(holds)
            && !self.lacks.as_ref().is_some_and(holds)
            && self
                .version
                .is_none_or(|version| self.holds.first().and_then(|pk| version_in(call, pk)) == Some(version))
    }
}

/// Behind a frame's length and the call's number lies its kind.
fn is_write(call: &[u8]) -> bool {
    let kind = call.get(4..).and_then(|mut frame| varint(&mut frame).and_then(|_| varint(&mut frame)));
    kind.is_some_and(|kind| kind >= FIRST_WRITE)
}

/// The version of the first item in a call whose partition begins so. An item is its two keys, each behind its length, and its version.
fn version_in(call: &[u8], partition: &[u8]) -> Option<u64> {
    let begin = call.windows(partition.len()).position(|window| window == partition)?;
    let mut rest = call.get(begin.checked_sub(1)?..)?;
    for _ in ["pk", "sk"] {
        let length = usize::try_from(varint(&mut rest)?).ok()?;
        rest = rest.get(length..)?;
    }
    varint(&mut rest)
}

/// What Redis calls a script of the queue.
fn hash(when: &str, code: &str) -> String {
    Script::new(&format!("{when}\n{BASE}\n{code}")).get_hash().to_owned()
}

/// How the key of a job's queue ends.
fn key(job: &str) -> String {
    format!(":{job}}}")
}
