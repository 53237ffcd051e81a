//! What the queue knows of one message.

use bytes::Bytes;
use domain::Timestamp;
use jobs::ports::{DeadLetter, Leased, MOST_BODY_BYTES, Message, QueueError, Ticket, Waiting};
use serde::{Deserialize, Serialize};

/// Names a message: a later one has a greater id.
pub(crate) type Id = u64;

/// What the queue knows of one message, without its body, which lies elsewhere and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The message, its body left empty.
    pub(crate) message: Message,
    /// From when on it may be given out.
    pub(crate) due: Timestamp,
    /// How often it was given out.
    pub(crate) attempts: u32,
    /// Where it is.
    pub(crate) state: State,
}

/// Where a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Due, or due later.
    Waiting,
    /// Given to a worker.
    Leased {
        /// Which lease it is, of all there ever were.
        lease: u64,
        /// When it runs out.
        until: Timestamp,
    },
    /// A dead letter.
    Dead {
        /// What was wrong last.
        why: String,
        /// Since when.
        at: Timestamp,
    },
}

impl Entry {
    /// A message that was just taken in, and its body.
    pub(crate) fn new(mut message: Message, now: Timestamp) -> (Self, Bytes) {
        let body = std::mem::take(&mut message.body);
        let due = message.not_before.unwrap_or(now);
        (Self { message, due, attempts: 0, state: State::Waiting }, body)
    }

    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.state, State::Dead { .. })
    }

    pub(crate) fn is_out_of_attempts(&self) -> bool {
        self.attempts >= self.message.max_attempts
    }

    fn with_body(&self, body: Bytes) -> Message {
        Message { body, ..self.message.clone() }
    }
}

/// A lease that was just given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// Of which message.
    pub(crate) id: Id,
    lease: u64,
    entry: Entry,
}

impl Given {
    pub(crate) fn new(id: Id, lease: u64, entry: Entry) -> Self {
        Self { id, lease, entry }
    }

    /// What the worker gets.
    pub(crate) fn leased(self, body: Bytes) -> Leased {
        let message = self.entry.with_body(body);
        Leased { ticket: ticket(self.id, self.lease), message, attempt: self.entry.attempts }
    }
}

fn ticket(id: Id, lease: u64) -> Ticket {
    Ticket(format!("{id}-{lease}"))
}

/// The message and the lease a ticket names; none when no ticket of ours looks like it.
pub(crate) fn read_ticket(ticket: &Ticket) -> Option<(Id, u64)> {
    let (id, lease) = ticket.0.split_once('-')?;
    Some((id.parse().ok()?, lease.parse().ok()?))
}

/// A dead letter as people see it; none when the message is not dead.
pub(crate) fn dead_letter(id: Id, entry: &Entry, body: Bytes) -> Option<DeadLetter> {
    let State::Dead { why, at } = &entry.state else { return None };
    Some(DeadLetter {
        id: id.to_string(),
        message: entry.with_body(body),
        attempts: entry.attempts,
        why: why.clone(),
        at: *at,
    })
}

/// A message that waits, as people see it.
pub(crate) fn waiting(entry: &Entry, body: Bytes) -> Waiting {
    Waiting { message: entry.with_body(body), due: entry.due, attempts: entry.attempts }
}

/// Refuses messages that no queue would take.
pub(crate) fn check(messages: &[Message]) -> Result<(), QueueError> {
    for message in messages {
        let wrong = if message.job.is_empty() {
            "it names no job".to_owned()
        } else if message.key.is_empty() {
            "its key is empty".to_owned()
        } else if message.max_attempts == 0 {
            "it gets no attempt".to_owned()
        } else if message.body.len() > MOST_BODY_BYTES {
            format!("its body has {} bytes, the most is {MOST_BODY_BYTES}", message.body.len())
        } else {
            continue;
        };
        return Err(QueueError::Invalid(format!("message {:?} of job {:?}: {wrong}", message.key, message.job)));
    }
    Ok(())
}
