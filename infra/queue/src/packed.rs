//! A message as bytes: a line of JSON without the body, then the body as it is; and many of them in parts.

#[cfg(feature = "redis")]
use std::collections::BTreeMap;

use bytes::Bytes;
use jobs::ports::{Message, QueueError};

/// The message as bytes.
pub(crate) fn pack(message: &Message) -> Result<Vec<u8>, QueueError> {
    let head = Message { body: Bytes::new(), ..message.clone() };
    let mut packed = serde_json::to_vec(&head).map_err(|error| QueueError::Invalid(error.to_string()))?;
    packed.push(b'\n');
    packed.extend_from_slice(&message.body);
    Ok(packed)
}

/// The message in these bytes.
pub(crate) fn unpack(packed: &[u8]) -> Result<Message, QueueError> {
    let end = packed.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("a message without a body"))?;
    let (head, body) = packed.split_at(end);
    let head: Message = serde_json::from_slice(head).map_err(damaged)?;
    Ok(Message { body: Bytes::copy_from_slice(body.get(1..).unwrap_or_default()), ..head })
}

/// The messages of each job, in their order.
#[cfg(feature = "redis")]
pub(crate) fn of_jobs(messages: Vec<Message>) -> BTreeMap<String, Vec<Message>> {
    let mut of_jobs: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for message in messages {
        of_jobs.entry(message.job.clone()).or_default().push(message);
    }
    of_jobs
}

/// Parts of `messages`, each of at most `most` and so many bytes; one that is larger goes alone.
#[cfg(any(feature = "redis", test))]
pub(crate) fn portions(messages: &[Message], most: usize, most_bytes: usize) -> Vec<&[Message]> {
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

/// What is stored is not what was put there.
pub(crate) fn damaged(what: impl std::fmt::Display) -> QueueError {
    QueueError::Away(format!("what is stored in the queue is not understood: {what}"))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use jobs::ports::Lane;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_comes_out_as_it_went_in(key in ".{1,20}", body in prop::collection::vec(any::<u8>(), 0..200), due: i64) {
            let message = Message {
                job: "job".to_owned(),
                key,
                lane: Lane::Bulk,
                not_before: Some(Timestamp(due)),
                max_attempts: 2,
                body: body.into(),
            };
            prop_assert_eq!(unpack(&pack(&message).unwrap()).unwrap(), message);
        }

        #[test]
        fn no_bytes_are_a_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

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
