//! A message as bytes: a line of JSON without the body, then the body as it is.

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
}
