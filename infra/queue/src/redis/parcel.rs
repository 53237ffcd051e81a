//! How messages and leases lie in Redis.

use domain::Timestamp;
use jobs::ports::{DeadLetter, Lane, Leased, Message, QueueError, Ticket, Waiting};
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

/// Parts of `messages`, each of at most `most` and so many bytes; one that is larger goes alone.
pub(super) fn portions(messages: &[Message], most: usize, most_bytes: usize) -> Vec<&[Message]> {
    let mut portions = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (index, message) in messages.iter().enumerate() {
        if index > begin && (index - begin == most || bytes + message.body.len() > most_bytes) {
            portions.extend(messages.get(begin..index));
            (begin, bytes) = (index, 0);
        }
        bytes += message.body.len();
    }
    portions.extend(messages.get(begin..).filter(|rest| !rest.is_empty()));
    portions
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Message {
        Message {
            job: "j".to_owned(),
            key: "k\n\0".to_owned(),
            lane: Lane::Bulk,
            not_before: Some(Timestamp(5)),
            max_attempts: 2,
            body: vec![b'\n'; bytes].into(),
        }
    }

    #[test]
    fn portions_hold_everything_and_are_no_larger_than_they_may_be() {
        let messages = [message(10), message(10), message(25), message(1), message(1), message(1)];
        let sizes = |most, bytes| portions(&messages, most, bytes).iter().map(|some| some.len()).collect::<Vec<_>>();
        assert_eq!(sizes(100, 20), [2, 1, 3]);
        assert_eq!(sizes(2, 1000), [2, 2, 2]);
        assert_eq!(sizes(6, 1000), [6]);
        assert_eq!(portions(&[], 6, 1000), Vec::<&[Message]>::new());
    }
}
