//! How messages and leases lie in Redis.

use domain::Timestamp;
use jobs::ports::{DeadLetter, Lane, Leased, QueueError, Ticket, Waiting};
use serde::{Deserialize, Serialize};

use crate::packed::{damaged, unpack};

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

/// What a claim gave: when the next message is due, and the leases.
pub(super) fn unpack_claim(job: &str, given: &[Vec<u8>]) -> Result<(Option<Timestamp>, Vec<Leased>), QueueError> {
    let (next_due, given) = given.split_first().ok_or_else(|| damaged("an empty claim"))?;
    let next_due = if next_due.is_empty() { None } else { Some(Timestamp(number(next_due)?)) };
    let leased = given.chunks_exact(4).map(|parts| {
        let [key, member, run, message] = parts else { return Err(damaged("a claim in parts")) };
        let lease = Lease { job: job.to_owned(), member: string(member)?, key: string(key)? };
        Ok(Leased { ticket: lease.ticket()?, message: unpack(message)?, attempt: number(run)? })
    });
    Ok((next_due, leased.collect::<Result<_, _>>()?))
}

/// Dead letters as the script gives them.
pub(super) fn unpack_letters(given: &[Vec<u8>]) -> Result<Vec<DeadLetter>, QueueError> {
    let letters = given.chunks_exact(3).map(|parts| {
        let [id, letter, message] = parts else { return Err(damaged("letters in parts")) };
        let (attempts, at, _, _, _, why): (u32, String, String, String, String, String) =
            serde_json::from_slice(letter).map_err(damaged)?;
        let at = Timestamp(number(at.as_bytes())?);
        Ok(DeadLetter { id: string(id)?, message: unpack(message)?, attempts, why, at })
    });
    letters.collect()
}

/// What waits, as the script gives it.
pub(super) fn unpack_waiting(given: &[Vec<u8>]) -> Result<Vec<Waiting>, QueueError> {
    let waiting = given.chunks_exact(3).map(|parts| {
        let [due, runs, message] = parts else { return Err(damaged("what waits in parts")) };
        Ok(Waiting { message: unpack(message)?, due: Timestamp(number(due)?), attempts: number(runs)? })
    });
    waiting.collect()
}

fn string(bytes: &[u8]) -> Result<String, QueueError> {
    String::from_utf8(bytes.to_vec()).map_err(damaged)
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Result<T, QueueError> {
    let text = std::str::from_utf8(bytes).map_err(damaged)?;
    text.parse().map_err(|_| damaged(format!("{text:?} is no number")))
}
