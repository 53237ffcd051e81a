//! Operations: what people had devices, terminals and nodes do, and what came of it.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Operation`] | `operations#` the terminal or node it is about | id |

use std::{collections::BTreeSet, time::Duration};

use domain::{NodeName, Pid, Source, Timestamp, frame::Proof};
use serde::{Deserialize, Serialize};

use crate::{Key, Listed, Outcome, Range, Table, TableError, Versioned, record};

/// How long operations are kept.
pub const RETENTION: Duration = Duration::from_hours(365 * 24);

/// How long the outcome of an operation may be waited for. Longer than any broker waits for an answer: after it, whoever
/// waited is gone.
pub const LONGEST: Duration = Duration::from_mins(10);

/// How long the end of an operation may be on its way whose broker is no more: one that stops reports it before.
const LEFT_BEHIND: Duration = Duration::from_mins(1);

/// One operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// A ULID.
    pub id: String,
    /// The terminal, for what is done to it or to a device on its line; the node, for what is done to that.
    pub about: Source,
    /// The node that is told to do it.
    pub node: NodeName,
    /// The broker that held it when it was to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
    /// What is done.
    pub what: What,
    /// Who wants it.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// What came of it; none while it is waited for.
    pub ended: Option<Ended>,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A device does one of its protocol's operations.
    Device {
        /// The device.
        pid: Pid,
        /// The protocol it speaks.
        protocol: String,
        /// The operation's name.
        name: String,
        /// The number that was given.
        value: Option<f64>,
        /// What is sent to it.
        content: String,
        /// How its reply is proven.
        proof: Proof,
    },
    /// The DTU takes an AT command.
    At {
        /// The command, without the prefix that makes it one.
        command: String,
    },
    /// The gateway program lets go of its terminals and takes them on again.
    Restart,
}

/// The end of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Whether it was done, as far as that is proven.
    pub done: bool,
    /// What was answered, or why nothing was.
    pub said: String,
    /// The bytes that came back, as hex.
    pub reply: Option<String>,
    /// Whether it is only supposed, since nobody heard whether its broker was told: what that says of it takes its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supposed: bool,
}

/// What became of an operation's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is stored.
    Stored,
    /// It had ended before: the first end stands.
    EndedBefore,
    /// There is no such operation.
    Unknown,
}

impl Operation {
    /// Whether it is waited for in vain: who waited for its answer ended before it came.
    pub fn is_lost(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now.since(self.at) > LONGEST
    }

    /// Whether the same is known before, since its broker is none of those that live, or hold a node.
    pub fn is_left_behind(&self, living: &BTreeSet<String>, now: Timestamp) -> bool {
        let is_gone = self.broker.as_ref().is_some_and(|broker| !living.contains(broker));
        self.ended.is_none() && is_gone && now.since(self.at) > LEFT_BEHIND
    }
}

/// Stores a new operation. False when there is another one of this id already.
pub async fn put_new(table: &dyn Table, operation: &Operation) -> Result<bool, TableError> {
    let expires = operation.at.plus(RETENTION);
    let write = record::put_new(key(&operation.about, &operation.id), operation, Some(expires))?;
    record::put_own(table, write).await
}

/// The operation of that id.
pub async fn get(table: &dyn Table, about: &Source, id: &str) -> Result<Option<Versioned<Operation>>, TableError> {
    record::get(table, &key(about, id)).await
}

/// Stores the end of an operation, unless it has one that is more than supposed.
pub async fn end(table: &dyn Table, about: &Source, id: &str, ended: &Ended) -> Result<End, TableError> {
    loop {
        let Some(mut operation) = get(table, about, id).await? else { return Ok(End::Unknown) };
        if operation.value.ended.as_ref().is_some_and(|before| !before.supposed || ended.supposed) {
            return Ok(End::EndedBefore);
        }
        operation.value.ended = Some(ended.clone());
        let expires = operation.value.at.plus(RETENTION);
        // Refused when another end came between; then that one is read in the next turn, and stands.
        if table.write(operation.put_back(key(about, id), Some(expires))?).await? == Outcome::Applied {
            return Ok(End::Stored);
        }
    }
}

/// A page of the operations about a terminal or a node, newest first.
pub async fn list(
    table: &dyn Table,
    about: &Source,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Operation>, TableError> {
    record::page(table, &Range::all(partition(about), limit).newest_first().after(after)).await
}

fn partition(about: &Source) -> String {
    format!("operations#{about}")
}

fn key(about: &Source, id: &str) -> Key {
    Key::new(partition(about), id)
}
