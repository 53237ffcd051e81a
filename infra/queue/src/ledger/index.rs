//! Where to find one job's messages, in the order they are needed.

use std::collections::{BTreeSet, HashMap};

use domain::Timestamp;
use jobs::ports::{Depth, Lane};

use super::entry::{Entry, Id, State};

const LANES: [Lane; 3] = [Lane::Urgent, Lane::Normal, Lane::Bulk];
const FIRST: Timestamp = Timestamp(i64::MIN);

/// One job's messages.
#[derive(Default)]
pub(super) struct Index {
    waiting: BTreeSet<(Lane, Timestamp, Id)>,
    /// By when the lease runs out.
    leased: BTreeSet<(Timestamp, Id)>,
    /// By when they died.
    dead: BTreeSet<(Timestamp, Id)>,
    /// The keys that wait or run.
    keys: HashMap<String, Id>,
}

impl Index {
    /// Files a message where its state says.
    pub(super) fn add(&mut self, id: Id, entry: &Entry) {
        if !entry.is_dead() {
            self.keys.insert(entry.message.key.clone(), id);
        }
        match entry.state {
            State::Waiting => self.waiting.insert((entry.message.lane, entry.due, id)),
            State::Leased { until, .. } => self.leased.insert((until, id)),
            State::Dead { at, .. } => self.dead.insert((at, id)),
        };
    }

    /// Takes a message from where its state says.
    pub(super) fn remove(&mut self, id: Id, entry: &Entry) {
        if !entry.is_dead() {
            self.keys.remove(&entry.message.key);
        }
        match entry.state {
            State::Waiting => self.waiting.remove(&(entry.message.lane, entry.due, id)),
            State::Leased { until, .. } => self.leased.remove(&(until, id)),
            State::Dead { at, .. } => self.dead.remove(&(at, id)),
        };
    }

    /// Whether a message of this key waits or runs.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The first message that may be given out now.
    pub(super) fn first_due(&self, now: Timestamp) -> Option<Id> {
        LANES.into_iter().find_map(|lane| self.first_of(lane).filter(|(due, _)| *due <= now)).map(|(_, id)| id)
    }

    fn first_of(&self, lane: Lane) -> Option<(Timestamp, Id)> {
        let (found, due, id) = *self.waiting.range((lane, FIRST, 0)..).next()?;
        (found == lane).then_some((due, id))
    }

    /// What waits, in the order it is given: what is due by lanes, then the rest by when it is due.
    pub(super) fn waiting(&self, now: Timestamp) -> impl Iterator<Item = Id> {
        let due = self.waiting.iter().filter(move |(_, due, _)| *due <= now).map(|(_, _, id)| *id);
        let mut later: Vec<(Timestamp, Id)> =
            self.waiting.iter().filter(|(_, due, _)| *due > now).map(|(_, due, id)| (*due, *id)).collect();
        later.sort_unstable();
        due.chain(later.into_iter().map(|(_, id)| id))
    }

    /// The message of this key that waits or runs.
    pub(super) fn of_key(&self, key: &str) -> Option<Id> {
        self.keys.get(key).copied()
    }

    /// Whose lease has run out.
    pub(super) fn run_out(&self, now: Timestamp) -> Vec<Id> {
        self.leased.range(..=(now, Id::MAX)).map(|(_, id)| *id).collect()
    }

    /// When a claim will next find something, if nothing happens before.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let waiting = LANES.into_iter().filter_map(|lane| self.first_of(lane)).map(|(due, _)| due);
        let leased = self.leased.first().map(|(until, _)| *until);
        waiting.chain(leased).min()
    }

    pub(super) fn depth(&self) -> Depth {
        Depth { waiting: self.waiting.len(), running: self.leased.len(), dead: self.dead.len() }
    }

    /// The dead letters from before an instant, and those that are more than `most`.
    pub(super) fn dead_to_forget(&self, before: Timestamp, most: usize) -> impl Iterator<Item = Id> {
        let too_many = self.dead.len().saturating_sub(most);
        let forgotten = self.dead.iter().enumerate();
        forgotten.take_while(move |(index, (at, _))| *index < too_many || *at < before).map(|(_, (_, id))| *id)
    }

    /// The dead letters, oldest first.
    pub(super) fn dead(&self) -> impl Iterator<Item = Id> {
        self.dead.iter().map(|(_, id)| *id)
    }
}
