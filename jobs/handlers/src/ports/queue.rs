//! The queue: `Enqueue` for every home, `Consume` and `Inspect` off AWS.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Which of a job's messages go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Somebody waits for it.
    Urgent,
    /// The usual.
    Normal,
    /// Whenever there is time.
    Bulk,
}

/// A job on its way to a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The job's name, which is its queue's.
    pub job: String,
    /// Names the work. A message whose (job, key) still waits or runs may be dropped: it is the same work.
    pub key: String,
    /// Its lane.
    pub lane: Lane,
    /// Not to be run before; at once when none.
    pub not_before: Option<Timestamp>,
    /// How many runs it gets, the first included, before it is a dead letter.
    pub max_attempts: u32,
    /// The job as JSON. At most 250 KB.
    pub body: Bytes,
}

/// The most bytes a message's body may have.
pub const MOST_BODY_BYTES: usize = 250 * 1024;

/// Why the queue could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It is away or full: the same call may work later.
    #[error("the queue is away: {0}")]
    Away(String),
    /// The call is wrong and stays wrong: an empty key, a body too large.
    #[error("the queue refuses the call: {0}")]
    Invalid(String),
}

/// Takes jobs in.
#[async_trait]
pub trait Enqueue: Send + Sync {
    /// Takes all the messages; when this returns they are durable. After an error, some may have been taken.
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError>;
}

/// Names one lease of one message: a later lease of the same message has another ticket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ticket(pub String);

/// A message leased to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The lease.
    pub ticket: Ticket,
    /// The message.
    pub message: Message,
    /// Which run this is: 1 for the first. Counted when the lease is given, so a run that kills its worker counts.
    pub attempt: u32,
}

/// How a leased message's run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Done: forget it.
    Done(Ticket),
    /// Give it again, not before this instant; a dead letter when its attempts are used up.
    Again {
        /// The lease.
        ticket: Ticket,
        /// When.
        not_before: Timestamp,
        /// What went wrong.
        why: String,
    },
    /// A dead letter.
    Dead {
        /// The lease.
        ticket: Ticket,
        /// What is wrong.
        why: String,
    },
}

/// Gives jobs out.
#[async_trait]
pub trait Consume: Send + Sync {
    /// Leases up to `limit` messages of `job` that are due: urgent lanes first, longest due first within one. Messages
    /// whose lease ran out are given again; those out of attempts become dead letters instead. Empty when none is due.
    async fn claim(&self, job: &str, limit: usize, lease: Duration) -> Result<Vec<Leased>, QueueError>;

    /// Ends leases. A ticket whose lease ran out and was given to another changes nothing. Durable when it returns.
    async fn settle(&self, settlements: Vec<Settlement>) -> Result<(), QueueError>;

    /// Returns when a claim of `job` may find something: a message arrived, became due, or a lease ran out. May return
    /// for nothing; never misses one, and never waits longer than a second.
    async fn wait(&self, job: &str);
}

/// How many messages of one job are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Depth {
    /// Due, or due later.
    pub waiting: usize,
    /// Leased.
    pub running: usize,
    /// Dead letters.
    pub dead: usize,
}

/// How long a dead letter is kept, and how many of one job: the oldest go first. (SQS keeps them as long.)
pub const DEAD_LETTER_RETENTION: Duration = Duration::from_hours(14 * 24);
/// See [`DEAD_LETTER_RETENTION`].
pub const MOST_DEAD_LETTERS: usize = 10_000;

/// A message that could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Names it, for [`Inspect::redrive`].
    pub id: String,
    /// The message.
    pub message: Message,
    /// How often it was run.
    pub attempts: u32,
    /// What was wrong last.
    pub why: String,
    /// Since when it is dead.
    pub at: Timestamp,
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The message.
    pub message: Message,
    /// From when on it is given out.
    pub due: Timestamp,
    /// How often it was run.
    pub attempts: u32,
}

/// Looks into the queue.
#[async_trait]
pub trait Inspect: Send + Sync {
    /// How many messages of `job` are where.
    async fn depth(&self, job: &str) -> Result<Depth, QueueError>;

    /// Up to `limit` dead letters of `job`, oldest first.
    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError>;

    /// Up to `limit` messages of `job` that wait: those that are given next, first.
    ///
    /// # Errors
    /// [`QueueError::Invalid`] where a queue does not tell (SQS).
    async fn waiting(&self, job: &str, limit: usize) -> Result<Vec<Waiting>, QueueError>;

    /// Forgets the message of this key, if it waits: what runs is not stopped. False when none does. Looks through what waits.
    ///
    /// # Errors
    /// As [`Self::waiting`].
    async fn cancel(&self, job: &str, key: &str) -> Result<bool, QueueError>;

    /// Puts a dead letter back, due at once, its attempts forgotten. False when there is none of that id.
    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError>;

    /// Forgets a dead letter. False when there is none of that id.
    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError>;
}

/// What lies in a spool: taken while the queue was away, and not given to it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SpoolState {
    /// How many messages.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many bytes there may be.
    pub most_bytes: u64,
    /// Whether its disk took nothing when it was last tried.
    pub disk_refuses: bool,
    /// Whether its disk would take nothing now: it is full, or read-only. While the queue takes everything nobody misses that.
    pub disk_is_full: bool,
    /// Whether a write of it has failed: it takes nothing until the process, which ends, is there again.
    pub has_failed: bool,
    /// How many messages no queue would take, ever: they are kept, and do not wait.
    pub set_aside: u64,
}

impl SpoolState {
    /// Of a spool that has so many hundredths of what it may have, the rest is soon gone.
    const NEARLY_FULL: u64 = 90;

    /// Whether there is little room left, or none on its disk.
    pub fn is_nearly_full(&self) -> bool {
        self.disk_refuses || self.bytes > self.most_bytes / 100 * Self::NEARLY_FULL
    }

    /// Why gateways should go elsewhere, if they should: a code, and a sentence.
    pub fn why_not_ready(&self) -> Option<(&'static str, &'static str)> {
        if self.has_failed {
            return Some(("spool-failed", "A write of the spool has failed, and the process ends to open it anew."));
        }
        let is_full = ("spool-full", "The queue is away, and there is little room left to wait for it.");
        self.is_nearly_full().then_some(is_full)
    }
}

/// Looks into a spool.
pub trait Spooling: Send + Sync {
    /// What lies in it.
    fn state(&self) -> SpoolState;
}
