//! What enqueueing, claiming and settling mean: a state machine over the queue's messages, in memory and without a clock.
//!
//! Every change of an entry goes through [`Ledger::change`], which keeps the index true and notes the id. An adapter makes
//! durable what [`Ledger::take_changes`] names before it tells anybody of it.

mod entry;
mod index;

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use bytes::Bytes;
use domain::Timestamp;
use jobs::ports::{DEAD_LETTER_RETENTION, Depth, MOST_DEAD_LETTERS, Message, Settlement, Ticket};

pub(crate) use self::entry::{Entry, Given, Id, State, check, dead_letter, waiting};
use self::{entry::read_ticket, index::Index};

/// How many messages and leases there can be in one life of the queue.
const SERIALS_IN_A_LIFE: u64 = 1 << 40;

/// What an adapter has to make durable.
#[derive(Default)]
pub(crate) struct Changes {
    /// The messages that changed, came or went: see [`Ledger::entry`].
    pub(crate) ids: BTreeSet<Id>,
    /// The bodies of those that came.
    pub(crate) bodies: Vec<(Id, Bytes)>,
}

/// The queue's messages.
pub(crate) struct Ledger {
    entries: HashMap<Id, Entry>,
    jobs: HashMap<String, Index>,
    changes: Changes,
    /// The first number of this life.
    born: u64,
    /// The last number given to a message or a lease; none is ever used again, not by a later life either.
    serial: u64,
}

impl Ledger {
    /// An empty one. `life` is greater than that of every ledger of this queue before it.
    pub(crate) fn new(life: u64) -> Self {
        let born = life.saturating_mul(SERIALS_IN_A_LIFE);
        Self { entries: HashMap::new(), jobs: HashMap::new(), changes: Changes::default(), born, serial: born }
    }

    /// Forgets every message; goes on counting.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.jobs.clear();
        self.changes = Changes::default();
    }

    /// Puts a stored message back in its place. A lease of an earlier life is over: nobody is left who holds it.
    pub(crate) fn restore(&mut self, id: Id, mut entry: Entry) {
        if matches!(entry.state, State::Leased { lease, .. } if lease <= self.born) {
            entry.state = State::Waiting;
        }
        self.insert(id, entry);
    }

    /// The message called `id`, without its body; none when it is done or never was.
    pub(crate) fn entry(&self, id: Id) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// What has changed since this was last asked.
    pub(crate) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Takes a message in, unless its key waits or runs already.
    pub(crate) fn take_in(&mut self, message: Message, now: Timestamp) {
        if self.index_of(&message.job).has(&message.key) {
            return;
        }
        let id = self.next_serial();
        let (entry, body) = Entry::new(message, now);
        self.insert(id, entry);
        self.changes.ids.insert(id);
        self.changes.bodies.push((id, body));
    }

    /// Leases up to `limit` due messages. Those that have no attempt left become dead letters.
    pub(crate) fn claim(&mut self, job: &str, limit: usize, lease: Duration, now: Timestamp) -> Vec<Given> {
        for id in self.jobs.get(job).map_or_else(Vec::new, |index| index.run_out(now)) {
            self.change(id, |entry| entry.state = State::Waiting);
        }
        let mut given = Vec::new();
        while given.len() < limit
            && let Some(id) = self.jobs.get(job).and_then(|index| index.first_due(now))
        {
            given.extend(self.lease(id, now.plus(lease), now));
        }
        given
    }

    fn lease(&mut self, id: Id, until: Timestamp, now: Timestamp) -> Option<Given> {
        if self.entry(id)?.is_out_of_attempts() {
            self.bury(id, "its last run did not end in time".to_owned(), now);
            return None;
        }
        let lease = self.next_serial();
        self.change(id, |entry| {
            entry.attempts += 1;
            entry.state = State::Leased { lease, until };
        });
        Some(Given::new(id, lease, self.entry(id)?.clone()))
    }

    /// Ends a lease, if it is still the message's.
    pub(crate) fn settle(&mut self, settlement: Settlement, now: Timestamp) {
        let (Settlement::Done(ticket) | Settlement::Again { ticket, .. } | Settlement::Dead { ticket, .. }) =
            &settlement;
        let Some((id, entry)) = self.held_by(ticket) else { return };
        match settlement {
            Settlement::Done(_) => self.remove(id),
            Settlement::Dead { why, .. } => self.bury(id, why, now),
            Settlement::Again { why, .. } if entry.is_out_of_attempts() => self.bury(id, why, now),
            Settlement::Again { not_before, .. } => self.put_back(id, not_before),
        }
    }

    /// The message whose lease `ticket` still is.
    fn held_by(&self, ticket: &Ticket) -> Option<(Id, &Entry)> {
        let (id, settled) = read_ticket(ticket)?;
        let entry = self.entry(id)?;
        matches!(entry.state, State::Leased { lease, .. } if lease == settled).then_some((id, entry))
    }

    /// Puts a dead letter of `job` back, unless its key waits or runs again: then it is the same work, and forgotten.
    /// False when there is none of this id.
    pub(crate) fn redrive(&mut self, job: &str, id: Id, now: Timestamp) -> bool {
        let Some(entry) = self.entry(id).filter(|entry| entry.is_dead() && entry.message.job == job) else {
            return false;
        };
        if self.jobs.get(job).is_some_and(|index| index.has(&entry.message.key)) {
            self.remove(id);
        } else {
            self.change(id, |entry| entry.attempts = 0);
            self.put_back(id, now);
        }
        true
    }

    /// Up to `limit` messages that wait or run, the first that came first.
    pub(crate) fn living(&self, limit: usize) -> Vec<(Id, Entry)> {
        let living = self.entries.iter().filter(|(_, entry)| !entry.is_dead());
        let mut ids: Vec<Id> = living.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.into_iter().take(limit).filter_map(|id| Some((id, self.entry(id)?.clone()))).collect()
    }

    /// Forgets a message, wherever it is.
    pub(crate) fn forget(&mut self, id: Id) {
        self.remove(id);
    }

    /// Up to `limit` messages of `job` that wait, those that are given next first.
    pub(crate) fn waiting(&self, job: &str, limit: usize, now: Timestamp) -> Vec<(Id, Entry)> {
        let ids = self.jobs.get(job).into_iter().flat_map(|index| index.waiting(now)).take(limit);
        ids.filter_map(|id| Some((id, self.entry(id)?.clone()))).collect()
    }

    /// Forgets the message of a key that waits. False when none does.
    pub(crate) fn cancel(&mut self, job: &str, key: &str) -> bool {
        let id = self.jobs.get(job).and_then(|index| index.of_key(key));
        let Some(id) = id.filter(|id| self.entry(*id).is_some_and(|entry| entry.state == State::Waiting)) else {
            return false;
        };
        self.remove(id);
        true
    }

    /// When a claim of `job` will next find something, if nothing happens before.
    pub(crate) fn next_due(&self, job: &str) -> Option<Timestamp> {
        self.jobs.get(job)?.next_due()
    }

    /// How many messages of `job` are where.
    pub(crate) fn depth(&self, job: &str) -> Depth {
        self.jobs.get(job).map(Index::depth).unwrap_or_default()
    }

    /// Up to `limit` dead letters of `job`, oldest first.
    pub(crate) fn dead(&self, job: &str, limit: usize) -> Vec<(Id, Entry)> {
        let ids = self.jobs.get(job).into_iter().flat_map(Index::dead).take(limit);
        ids.filter_map(|id| Some((id, self.entry(id)?.clone()))).collect()
    }

    fn insert(&mut self, id: Id, entry: Entry) {
        self.index_of(&entry.message.job).add(id, &entry);
        self.entries.insert(id, entry);
    }

    fn put_back(&mut self, id: Id, due: Timestamp) {
        self.change(id, |entry| {
            entry.due = due;
            entry.state = State::Waiting;
        });
    }

    fn bury(&mut self, id: Id, why: String, now: Timestamp) {
        if let Some(Entry { message, attempts, .. }) = self.entry(id) {
            tracing::error!(
                job.name = message.job,
                job.key = message.key,
                job.attempt = attempts,
                "job {} {:?} is a dead letter after {attempts} runs: {why}",
                message.job,
                message.key
            );
        }
        self.change(id, |entry| entry.state = State::Dead { why, at: now });
        self.forget_old_dead(id, now);
    }

    /// Forgets the dead letters of a message's job that are too old, or too many.
    fn forget_old_dead(&mut self, id: Id, now: Timestamp) {
        let Some(job) = self.entry(id).map(|entry| entry.message.job.clone()) else { return };
        let Some(index) = self.jobs.get(&job) else { return };
        let forgotten: Vec<Id> = index.dead_to_forget(now.minus(DEAD_LETTER_RETENTION), MOST_DEAD_LETTERS).collect();
        for id in forgotten {
            self.remove(id);
        }
    }

    /// Forgets a dead letter of `job`. False when there is none of this id.
    pub(crate) fn discard(&mut self, job: &str, id: Id) -> bool {
        let is_it = self.entry(id).is_some_and(|entry| entry.is_dead() && entry.message.job == job);
        if is_it {
            self.remove(id);
        }
        is_it
    }

    fn change(&mut self, id: Id, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if let Some(index) = self.jobs.get_mut(&entry.message.job) {
            index.remove(id, entry);
            change(entry);
            index.add(id, entry);
        }
        self.changes.ids.insert(id);
    }

    fn remove(&mut self, id: Id) {
        let Some(entry) = self.entries.remove(&id) else { return };
        self.index_of(&entry.message.job).remove(id, &entry);
        self.changes.ids.insert(id);
    }

    fn index_of(&mut self, job: &str) -> &mut Index {
        self.jobs.entry(job.to_owned()).or_default()
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}
