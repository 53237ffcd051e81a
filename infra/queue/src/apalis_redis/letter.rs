//! How dead letters lie in Redis: a line of JSON, then the message.

use domain::Timestamp;
use jobs::ports::{DeadLetter, Message, QueueError};

use crate::packed::{damaged, pack, unpack};

/// The letter as bytes.
pub(super) fn pack_letter(message: &Message, attempts: u32, why: &str, at: Timestamp) -> Result<Vec<u8>, QueueError> {
    let mut packed = serde_json::to_vec(&(attempts, at, why)).map_err(damaged)?;
    packed.push(b'\n');
    packed.extend_from_slice(&pack(message)?);
    Ok(packed)
}

/// The letter in these bytes.
pub(super) fn unpack_letter(id: &[u8], packed: &[u8]) -> Result<DeadLetter, QueueError> {
    let end = packed.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("a letter without a message"))?;
    let (head, message) = packed.split_at(end);
    let (attempts, at, why): (u32, Timestamp, String) = serde_json::from_slice(head).map_err(damaged)?;
    let message = unpack(message.get(1..).unwrap_or_default())?;
    Ok(DeadLetter { id: String::from_utf8_lossy(id).into_owned(), message, attempts, why, at })
}

#[cfg(test)]
mod tests {
    use jobs::ports::Lane;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_letter_comes_out_as_it_went_in(why in any::<String>(), body in prop::collection::vec(any::<u8>(), 0..200), at: i64) {
            let message = Message {
                job: "job".to_owned(),
                key: "key\n".to_owned(),
                lane: Lane::Bulk,
                not_before: None,
                max_attempts: 2,
                body: body.into(),
            };
            let packed = pack_letter(&message, 2, &why, Timestamp(at)).unwrap();
            let letter = DeadLetter { id: "a.1".to_owned(), message, attempts: 2, why, at: Timestamp(at) };
            prop_assert_eq!(unpack_letter(b"a.1", &packed).unwrap(), letter);
        }

        #[test]
        fn no_bytes_are_a_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack_letter(&bytes, &bytes);
        }
    }
}
