//! A message made up for SQS, and how many of them go in one call.

use std::time::Duration;

use aws_sdk_sqs::{
    error::BuildError,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry, builders::SendMessageBatchRequestEntryBuilder},
};
use domain::Timestamp;
use engine_aws::{json_text, plain_text};
use jobs::ports::{Message, QueueError};

/// SQS's limits for one call.
const MOST_ENTRIES: usize = 10;
const MOST_BYTES: usize = 256 * 1024;
/// How long SQS can hold a message back.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// A message as SQS wants it, but for the id that it gets in its batch.
pub(super) struct Parcel {
    entry: SendMessageBatchRequestEntryBuilder,
    /// How much it counts: its body, and the names, types and values of its attributes.
    bytes: usize,
}

impl Parcel {
    /// Makes up a message at `now`; refuses one that SQS would not take.
    pub(super) fn of(message: &Message, now: Timestamp) -> Result<Self, QueueError> {
        let refuse =
            |why: &str| Err(QueueError::Invalid(format!("message {:?} of job {:?}: {why}", message.key, message.job)));
        let body = match std::str::from_utf8(&message.body) {
            Ok(body) if !body.is_empty() => json_text(body),
            _ => return refuse("its body is not text"),
        };
        let delay = message.not_before.map_or(Duration::ZERO, |at| at.since(now));
        if delay > LONGEST_DELAY {
            return refuse(
                "it is due in more than 15 minutes, SQS holds none back for longer: store it, and enqueue it then",
            );
        }
        let max_attempts = message.max_attempts.to_string();
        let key = plain_text(&message.key);
        let attributes = [("key", "String", &*key), ("max_attempts", "Number", &max_attempts)];
        let bytes = body.len()
            + attributes.map(|(name, kind, value)| name.len() + kind.len() + value.len()).iter().sum::<usize>();
        if bytes > MOST_BYTES {
            return refuse("with its key it is larger than the 256 KB that SQS takes");
        }
        let mut entry =
            SendMessageBatchRequestEntry::builder().message_body(&*body).delay_seconds(whole_seconds(delay));
        for (name, kind, value) in attributes {
            let value = MessageAttributeValue::builder().data_type(kind).string_value(value).build();
            entry = entry.message_attributes(name, value.map_err(|error| build_error(&error))?);
        }
        Ok(Self { entry, bytes })
    }
}

/// Rounded up, so that nothing comes before it is due.
fn whole_seconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

/// The parcels in as few calls as SQS allows, in their order.
pub(super) fn in_batches(parcels: Vec<Parcel>) -> Result<Vec<Vec<SendMessageBatchRequestEntry>>, QueueError> {
    let mut batches: Vec<Vec<SendMessageBatchRequestEntry>> = Vec::new();
    let mut bytes = 0;
    for parcel in parcels {
        bytes += parcel.bytes;
        let has_room = batches.last().is_some_and(|batch| batch.len() < MOST_ENTRIES && bytes <= MOST_BYTES);
        if !has_room {
            batches.push(Vec::new());
            bytes = parcel.bytes;
        }
        if let Some(batch) = batches.last_mut() {
            let id = batch.len().to_string();
            batch.push(parcel.entry.id(id).build().map_err(|error| build_error(&error))?);
        }
    }
    Ok(batches)
}

fn build_error(error: &BuildError) -> QueueError {
    QueueError::Invalid(error.to_string())
}

#[cfg(test)]
mod tests {
    use jobs::ports::Lane;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_424_466_000);

    fn message(bytes: usize) -> Message {
        Message {
            job: "plan_window".to_owned(),
            key: "k".to_owned(),
            lane: Lane::Normal,
            not_before: None,
            max_attempts: 3,
            body: "x".repeat(bytes).into(),
        }
    }

    fn delay(wait: Duration) -> Option<i32> {
        let message = Message { not_before: Some(NOW.plus(wait)), ..message(1) };
        Parcel::of(&message, NOW).ok().and_then(|parcel| *parcel.entry.get_delay_seconds())
    }

    fn sizes(messages: &[Message]) -> Vec<usize> {
        let parcels = messages.iter().map(|message| Parcel::of(message, NOW).unwrap()).collect();
        in_batches(parcels).unwrap().iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_holds_ten_messages_or_256_kb() {
        assert_eq!(sizes(&vec![message(1); 25]), [10, 10, 5]);
        assert_eq!(sizes(&vec![message(100 * 1024); 5]), [2, 2, 1]);
        assert_eq!(sizes(&[message(250 * 1024), message(1), message(250 * 1024)]), [2, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn a_message_never_comes_before_it_is_due() {
        assert_eq!(delay(Duration::ZERO), Some(0));
        assert_eq!(delay(Duration::from_millis(1)), Some(1));
        assert_eq!(delay(Duration::from_secs(2)), Some(2));
        assert_eq!(delay(LONGEST_DELAY), Some(900));
        let overdue = Message { not_before: Some(NOW.minus(Duration::from_secs(5))), ..message(1) };
        assert_eq!(*Parcel::of(&overdue, NOW).unwrap().entry.get_delay_seconds(), Some(0));
    }

    #[test]
    fn what_sqs_would_not_take_is_refused_with_the_reason() {
        let late = Message { not_before: Some(NOW.plus(LONGEST_DELAY + Duration::from_millis(1))), ..message(1) };
        let binary = Message { body: vec![0xff].into(), ..message(1) };
        let large = Message { key: "k".repeat(10 * 1024), ..message(250 * 1024) };
        for (message, reason) in
            [(late, "15 minutes"), (binary, "not text"), (message(0), "not text"), (large, "256 KB")]
        {
            let refused = Parcel::of(&message, NOW).err().map(|error| error.to_string());
            assert!(refused.as_ref().is_some_and(|why| why.contains(reason)), "{reason}: {refused:?}");
        }
    }
}
