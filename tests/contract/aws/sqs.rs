//! `Enqueue` on SQS.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jobs::ports::{Enqueue, Lane, MOST_BODY_BYTES, Message, QueueError};
use queue::{DeadMessage, SqsQueue};
use records::Clock;
use serde_json::json;
use telltale_tests::{Aws, ManualClock, Received};

const QUEUE: &str = "DispatchQueriesQueue";

fn message(key: &str) -> Message {
    Message {
        job: "dispatch_queries".to_owned(),
        key: key.to_owned(),
        lane: Lane::Normal,
        not_before: None,
        max_attempts: 3,
        body: format!("{{\"node\":{key:?}}}").into(),
    }
}

async fn start(clock: Arc<ManualClock>) -> (Aws, SqsQueue) {
    let aws = Aws::start().await.unwrap();
    let queues = aws.queues(clock).await.unwrap();
    (aws, queues)
}

/// Everything that the queue gives.
async fn drain(aws: &mut Aws) -> Vec<Received> {
    let mut all = Vec::new();
    loop {
        let some = aws.receive(QUEUE).await.unwrap();
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

#[tokio::test]
async fn a_message_arrives_with_its_key_and_its_attempts() {
    let (mut aws, queue) = start(Arc::new(ManualClock::new())).await;
    queue.enqueue(vec![message("north/ü 1")]).await.unwrap();
    let received = drain(&mut aws).await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].attributes, json!({ "key": "north/ü 1", "max_attempts": "3" }));
    assert_eq!(received[0].body, "{\"node\":\"north/ü 1\"}");
}

#[tokio::test]
async fn many_messages_and_large_ones_all_arrive_once() {
    let (mut aws, queue) = start(Arc::new(ManualClock::new())).await;
    let keys: BTreeSet<String> = (0..35).map(|n| format!("{n:02}")).collect();
    let large = Message { body: "x".repeat(MOST_BODY_BYTES).into(), ..message("large") };
    let small = keys.iter().map(|key| message(key));
    queue.enqueue([large.clone()].into_iter().chain(small).chain([large]).collect()).await.unwrap();

    let (large, small): (Vec<_>, Vec<_>) = drain(&mut aws).await.into_iter().partition(|got| got.body.len() > 100);
    assert_eq!(large.len(), 2);
    assert_eq!(small.len(), keys.len());
    assert_eq!(
        small.iter().map(|got| got.attributes["key"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(),
        keys
    );
}

#[tokio::test]
async fn a_message_that_is_due_later_is_held_back() {
    let clock = Arc::new(ManualClock::new());
    let (mut aws, queue) = start(clock.clone()).await;
    let later = Message { not_before: Some(clock.now().plus(Duration::from_mins(15))), ..message("later") };
    let earlier = Message { not_before: Some(clock.now().minus(Duration::from_mins(1))), ..message("earlier") };
    queue.enqueue(vec![later, earlier]).await.unwrap();
    let received = drain(&mut aws).await;
    assert_eq!(received.iter().map(|got| &got.attributes["key"]).collect::<Vec<_>>(), ["earlier"]);
}

#[tokio::test]
async fn what_sqs_cannot_hold_is_refused_and_nothing_is_sent() {
    let clock = Arc::new(ManualClock::new());
    let (mut aws, queue) = start(clock.clone()).await;
    let wrong = [
        Message { body: "x".repeat(MOST_BODY_BYTES + 1).into(), ..message("large") },
        Message { not_before: Some(clock.now().plus(Duration::from_mins(16))), ..message("late") },
        Message { job: "another_job".to_owned(), ..message("lost") },
        Message { key: String::new(), ..message("nameless") },
    ];
    for wrong in wrong {
        let refused = queue.enqueue(vec![message("good"), wrong]).await;
        assert!(matches!(refused, Err(QueueError::Invalid(_))), "{refused:?}");
    }
    assert_eq!(drain(&mut aws).await, []);
}

#[tokio::test]
async fn what_sqs_did_not_take_is_sent_again() {
    let (mut aws, queue) = start(Arc::new(ManualClock::new())).await;
    aws.be_busy(3).await.unwrap();
    queue.enqueue(vec![message("1"), message("2")]).await.unwrap();
    assert_eq!(drain(&mut aws).await.len(), 2);
}

#[tokio::test]
async fn a_queue_that_stays_busy_is_away() {
    let (mut aws, queue) = start(Arc::new(ManualClock::new())).await;
    aws.be_busy(100).await.unwrap();
    let failure = queue.enqueue(vec![message("1")]).await.unwrap_err();
    assert!(matches!(&failure, QueueError::Away(why) if why.contains("InternalError")), "{failure}");
}

#[tokio::test]
async fn what_sqs_has_no_place_for_arrives_in_another_spelling() {
    let (mut aws, queue) = start(Arc::new(ManualClock::new())).await;
    let name = "dale \u{ffff} ℃ \u{fffe}";
    let strange =
        Message { key: "a\u{1}b\u{ffff}".to_owned(), body: json!({ "node": name }).to_string().into(), ..message("") };
    queue.enqueue(vec![message("north"), strange]).await.unwrap();
    let dead = DeadMessage {
        job: "dispatch_queries",
        key: "\u{0}",
        body: "7",
        max_attempts: "3",
        attempts: 2,
        why: "no \u{1b}[1m job",
    };
    queue.bury(aws.resource(QUEUE).unwrap(), &dead).await.unwrap();

    let received = drain(&mut aws).await;
    assert_eq!(received.len(), 3);
    let body: serde_json::Value = serde_json::from_str(&received[1].body).unwrap();
    assert_eq!(body["node"], name);
    assert_eq!(received[1].attributes["key"], "a\u{fffd}b\u{fffd}");
    assert_eq!(
        received[2].attributes,
        json!({
            "job": "dispatch_queries", "key": "\u{fffd}", "max_attempts": "3", "attempts": "2", "why": "no \u{fffd}[1m job",
        })
    );
}
