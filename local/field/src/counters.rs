//! What the field did, counted.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// What a field did so far. Taken at one instant, so the books balance: every query received was answered, missed,
/// dropped or still waits, and every query answered was acknowledged, failed or is still on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FieldCounters {
    /// Nodes that are connected and registered now.
    pub nodes_registered: u64,
    /// How often a node was told `registerSuccess`.
    pub registrations: u64,
    /// How often a node lost its transport, cuts of its own included.
    pub transports_lost: u64,
    /// Nodes that ended for good: refused by the server, or killed by an event that the real program does not survive.
    pub nodes_ended: u64,
    /// Queries that came from the server.
    pub queries_received: u64,
    /// Queries for a terminal that was off line or is unknown: dropped without a word.
    pub queries_dropped: u64,
    /// Queries that brought at least one reply, and so a post of `queryData`.
    pub queries_answered: u64,
    /// Queries that brought no reply at all.
    pub queries_missed: u64,
    /// Posts of `queryData` that the server answered with a 2xx.
    pub posts_acknowledged: u64,
    /// Posts of `queryData` that were given up, or pushed out of a full queue.
    pub posts_failed: u64,
    /// Second and third attempts of any post.
    pub posts_retried: u64,
    /// `terminalMountDevTimeOut` told: one for each query missed.
    pub timeouts_told: u64,
    /// `instructTimeOut` told: some instructions of a query unanswered.
    pub partial_timeouts_told: u64,
    /// Instructs and AT commands that were carried out and reported.
    pub operations_reported: u64,
    /// Replies with damaged bytes.
    pub replies_damaged: u64,
    /// Replies that answer something else.
    pub replies_foreign: u64,
    /// Replies that refuse.
    pub replies_refusing: u64,
    /// Instructions to a living device that it left unanswered.
    pub replies_withheld: u64,
    /// Terminals that lost their connection.
    pub terminals_dropped: u64,
    /// Transports that a node cut.
    pub transports_cut: u64,
}

/// The counters while they count.
#[derive(Default)]
pub(crate) struct Tally(Mutex<FieldCounters>);

impl Tally {
    pub(crate) fn count(&self, change: impl FnOnce(&mut FieldCounters)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn now(&self) -> FieldCounters {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
