//! How messages and leases lie in Redis.

use std::time::Duration;

use domain::Timestamp;
use jobs::ports::{DeadLetter, Lane, Leased, Message, QueueError, Ticket, Waiting};
use serde::{Deserialize, Serialize};

use crate::packed::{damaged, unpack};

/// What a claim gave.
pub(super) struct Claimed {
    /// In how long the next message is due.
    pub(super) next_due: Option<Duration>,
    /// Entries of streams that were no messages of ours, and are gone; empty when there were none.
    pub(super) thrown_away: String,
    pub(super) leased: Vec<Leased>,
    pub(super) damaged: Vec<Damaged>,
}

/// What was leased and cannot be understood.
pub(super) struct Damaged {
    pub(super) lease: Lease,
    pub(super) stored: Vec<u8>,
    pub(super) why: String,
}

impl Damaged {
    /// What stands in its place, so that it can be looked at: what is stored is its body.
    pub(super) fn in_its_place(&self) -> Message {
        let parts: Vec<&str> = self.lease.member.splitn(5, '/').collect();
        let lane = match parts.first() {
            Some(&"0") => Lane::Urgent,
            Some(&"2") => Lane::Bulk,
            _ => Lane::Normal,
        };
        let max_attempts = parts.get(3).and_then(|max| max.parse().ok()).unwrap_or(1);
        let (job, key) = (self.lease.job.clone(), self.lease.key.clone());
        Message { job, key, lane, not_before: None, max_attempts, body: self.stored.clone().into() }
    }
}

/// The lane's number in the names of streams.
pub(super) fn lane_number(lane: Lane) -> u8 {
    match lane {
        Lane::Urgent => 0,
        Lane::Normal => 1,
        Lane::Bulk => 2,
    }
}

/// What a ticket says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) job: String,
    /// Its name among the leases: lane, entry of the stream, run, attempts, holder.
    pub(super) member: String,
    pub(super) key: String,
}

impl Lease {
    fn ticket(&self) -> Result<Ticket, QueueError> {
        Ok(Ticket(serde_json::to_string(self).map_err(damaged)?))
    }

    /// None when no ticket of ours looks like it.
    pub(super) fn read(ticket: &Ticket) -> Option<Self> {
        serde_json::from_str(&ticket.0).ok()
    }
}

/// What a claim gave. A message that cannot be understood spoils no other.
pub(super) fn unpack_claim(job: &str, given: &[Vec<u8>]) -> Result<Claimed, QueueError> {
    let [next_due, thrown_away, given @ ..] = given else { return Err(damaged("an empty claim")) };
    let next_due = if next_due.is_empty() { None } else { Some(Duration::from_millis(number(next_due)?)) };
    let thrown_away = String::from_utf8_lossy(thrown_away).into_owned();
    let mut claimed = Claimed { next_due, thrown_away, leased: Vec::new(), damaged: Vec::new() };
    for parts in given.chunks_exact(4) {
        let [key, member, run, stored] = parts else { return Err(damaged("a claim in parts")) };
        let (Ok(member), Ok(key)) = (string(member), string(key)) else {
            // Nobody can settle it: its leases run out until it is a dead letter.
            tracing::error!(job, key = %key.escape_ascii(), "a message's name is damaged");
            continue;
        };
        let lease = Lease { job: job.to_owned(), member, key };
        match unpack(stored) {
            Ok(message) => {
                claimed.leased.push(Leased { ticket: lease.ticket()?, message, attempt: number(run)? });
            }
            Err(error) => claimed.damaged.push(Damaged { lease, stored: stored.clone(), why: error.to_string() }),
        }
    }
    Ok(claimed)
}

/// Dead letters as the script gives them, without those that cannot be understood.
pub(super) fn unpack_letters(given: &[Vec<u8>]) -> Vec<DeadLetter> {
    let letters = given.chunks_exact(3).map(|parts| {
        let [id, letter, message] = parts else { return Err(damaged("letters in parts")) };
        let (attempts, at, _, _, _, why): (u32, String, String, String, String, String) =
            serde_json::from_slice(letter).map_err(damaged)?;
        let at = Timestamp(number(at.as_bytes())?);
        Ok(DeadLetter { id: string(id)?, message: unpack(message)?, attempts, why, at })
    });
    understood(letters)
}

/// What waits, as the script gives it, without what cannot be understood.
pub(super) fn unpack_waiting(given: &[Vec<u8>]) -> Vec<Waiting> {
    let waiting = given.chunks_exact(3).map(|parts| {
        let [due, runs, message] = parts else { return Err(damaged("what waits in parts")) };
        Ok(Waiting { message: unpack(message)?, due: Timestamp(number(due)?), attempts: number(runs)? })
    });
    understood(waiting)
}

fn understood<T>(all: impl Iterator<Item = Result<T, QueueError>>) -> Vec<T> {
    all.filter_map(|one| one.inspect_err(|error| tracing::warn!(%error, "it is not listed")).ok()).collect()
}

fn string(bytes: &[u8]) -> Result<String, QueueError> {
    String::from_utf8(bytes.to_vec()).map_err(damaged)
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Result<T, QueueError> {
    let text = std::str::from_utf8(bytes).map_err(damaged)?;
    text.parse().map_err(|_| damaged(format!("{text:?} is no number")))
}
