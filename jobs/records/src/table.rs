//! The `Table` port: the semantics of DynamoDB and no more, so that every engine can keep the promise.

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// The most writes one transaction may hold (DynamoDB's limit).
pub const MOST_IN_A_TRANSACTION: usize = 100;

/// Tells the time. The ambient clock is banned; this is the only one.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Where an item lies: a partition and its place in the partition's order (by the bytes of `sk`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The partition. Never empty, never holds a NUL.
    pub pk: String,
    /// The place in it. Never empty, never holds a NUL.
    pub sk: String,
}

impl Key {
    /// The key `pk`, `sk`.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// What lies at a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Where.
    pub key: Key,
    /// Which writing of it this is: the writer sets it, 1 for the first, and one more than it read for each change.
    pub version: u64,
    /// From when on it counts as gone, even where the engine has not removed it yet.
    pub expires: Option<Timestamp>,
    /// The record, encoded. At most 350 KB.
    pub body: Bytes,
}

/// What must hold of the item that is there for a write to be done. An expired item counts as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Whatever is there.
    Always,
    /// Nothing is there.
    Absent,
    /// An item of this version is there.
    Version(u64),
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Puts the item in the place of what is there (with [`Condition::Version`], an update-if).
    Put(Item, Condition),
    /// Removes what is there; fine when nothing is.
    Delete(Key, Condition),
}

impl Write {
    /// The key written to.
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(item, _) => &item.key,
            Self::Delete(key, _) => key,
        }
    }

    /// What must hold for it.
    pub fn condition(&self) -> Condition {
        match self {
            Self::Put(_, condition) | Self::Delete(_, condition) => *condition,
        }
    }
}

/// How a conditional write or a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a refused write did nothing"]
pub enum Outcome {
    /// Done, and durable.
    Applied,
    /// A condition did not hold; nothing was written, now. Where a call crosses a network, an earlier try of it may have been
    /// done and its answer lost: then what it wrote is what stands in its way. Who must know looks at what was found, or
    /// reads again.
    Refused {
        /// Which of the writes was refused first (0 for a single one).
        index: usize,
        /// What is there instead.
        found: Option<Item>,
    },
}

impl Outcome {
    /// Whether it was done.
    pub fn applied(&self) -> bool {
        matches!(self, Self::Applied)
    }
}

/// In which order a range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Order {
    /// Smallest `sk` first.
    #[default]
    Ascending,
    /// Greatest `sk` first.
    Descending,
}

/// A part of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The partition.
    pub pk: String,
    /// The least `sk` wanted; empty for the partition's first.
    pub from: String,
    /// The greatest `sk` wanted, itself included; none for the partition's last.
    pub to: Option<String>,
    /// In which order.
    pub order: Order,
    /// The most items to give; at least 1.
    pub limit: usize,
    /// Goes on behind this `sk`: the `next` of the page before.
    pub after: Option<String>,
}

impl Range {
    /// The first `limit` items of a partition.
    pub fn all(pk: impl Into<String>, limit: usize) -> Self {
        Self { pk: pk.into(), from: String::new(), to: None, order: Order::Ascending, limit, after: None }
    }

    /// The items whose `sk` lies between `from` and `to`, both included.
    #[must_use]
    pub fn between(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.from = from.into();
        self.to = Some(to.into());
        self
    }

    /// The items whose `sk` begins with `prefix`.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        let last = format!("{prefix}{}", char::MAX);
        self.between(prefix, last)
    }

    /// Greatest first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.order = Order::Descending;
        self
    }

    /// Goes on where a page ended.
    #[must_use]
    pub fn after(mut self, next: Option<String>) -> Self {
        self.after = next;
        self
    }
}

/// A part of a range's items.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Page {
    /// The items, in the order asked for. May be fewer than the limit even when more follow.
    pub items: Vec<Item>,
    /// Where to go on; none when the range is at its end.
    pub next: Option<String>,
}

/// Why the table could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
pub enum TableError {
    /// It is away, throttled or busy: the same call may work later.
    #[error("the table is away: {0}")]
    Away(String),
    /// It is full or cannot be written to.
    #[error("the table takes no writes: {0}")]
    ReadOnly(String),
    /// The call is wrong and stays wrong: an empty key, an item too large, a transaction too long.
    #[error("the table refuses the call: {0}")]
    Invalid(String),
    /// What is stored cannot be understood.
    #[error("a stored item is damaged: {0}")]
    Damaged(String),
}

/// An ordered key-value store with conditional writes. What a write call acknowledges is durable; what failed may be done all
/// the same.
#[async_trait]
pub trait Table: Send + Sync {
    /// The item at `key`; an expired one counts as absent. Sees every acknowledged write.
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError>;

    /// The items at `keys` that are there, in no particular order. Any number of keys; a key named twice is given once.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError>;

    /// The items of a range, in order, a page at a time.
    async fn query(&self, range: &Range) -> Result<Page, TableError>;

    /// One write, done if its condition holds.
    async fn write(&self, write: Write) -> Result<Outcome, TableError>;

    /// Writes without conditions, any number, not atomic: after an error some may be done. Each key at most once.
    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError>;

    /// All the writes or none of them, if every condition holds. At most [`MOST_IN_A_TRANSACTION`] and 4 MB, each key once.
    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError>;
}
