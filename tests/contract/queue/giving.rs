//! What is given out, when and in which order.

use std::time::Duration;

use bytes::Bytes;
use jobs::ports::{Lane, MOST_BODY_BYTES, Message, QueueError};
use tokio::time;

use super::{Fixture, LEASE, keys, message};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

pub(super) async fn a_message_is_given_as_it_was_taken(fixture: Fixture) {
    let sent = Message {
        lane: Lane::Bulk,
        not_before: Some(fixture.after(Duration::ZERO)),
        max_attempts: 7,
        body: Bytes::from_static(&[0, 255, 10]),
        ..message("schlüssel / 1")
    };
    fixture.enqueue([sent.clone()]).await;
    let leased = fixture.claim_one().await;
    assert_eq!((leased.message, leased.attempt), (sent, 1));
}

pub(super) async fn a_message_is_given_once_and_forgotten_when_done(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    assert_eq!(fixture.counts().await, (1, 0, 0));
    let leased = fixture.claim_one().await;
    assert_eq!(fixture.claim(10).await, []);
    assert_eq!(fixture.counts().await, (0, 1, 0));
    fixture.done(&leased).await;
    assert_eq!(fixture.counts().await, (0, 0, 0));
    fixture.clock.advance(LEASE);
    assert_eq!(fixture.claim(10).await, []);
}

pub(super) async fn an_empty_queue_gives_nothing(fixture: Fixture) {
    assert_eq!(fixture.claim(10).await, []);
    assert_eq!(fixture.counts().await, (0, 0, 0));
    fixture.enqueue([]).await;
    fixture.queue.settle(Vec::new()).await.unwrap();
    assert_eq!(fixture.claim(10).await, []);
}

pub(super) async fn a_claim_gives_no_more_than_asked_for(fixture: Fixture) {
    fixture.enqueue(["a", "b", "c"].map(message)).await;
    assert_eq!(fixture.claim(0).await, []);
    assert_eq!(keys(&fixture.claim(2).await), ["a", "b"]);
    assert_eq!(keys(&fixture.claim(2).await), ["c"]);
}

pub(super) async fn each_job_has_its_own_messages(fixture: Fixture) {
    fixture.enqueue([message("mine"), Message { job: "another_job".to_owned(), ..message("theirs") }]).await;
    assert_eq!(keys(&fixture.claim(10).await), ["mine"]);
    let theirs = fixture.queue.claim("another_job", 10, LEASE).await.unwrap();
    assert_eq!(keys(&theirs), ["theirs"]);
}

pub(super) async fn urgent_lanes_go_first(fixture: Fixture) {
    let in_lane = |key, lane| Message { lane, ..message(key) };
    fixture.enqueue([in_lane("bulk", Lane::Bulk), in_lane("normal", Lane::Normal)]).await;
    fixture.clock.advance(SECOND);
    fixture.enqueue([in_lane("urgent", Lane::Urgent)]).await;
    assert_eq!(keys(&fixture.claim(10).await), ["urgent", "normal", "bulk"]);
}

pub(super) async fn within_a_lane_the_longest_due_goes_first(fixture: Fixture) {
    let due_in = |key, seconds: u32| Message { not_before: Some(fixture.after(SECOND * seconds)), ..message(key) };
    fixture.enqueue([due_in("third", 3), due_in("first", 1), due_in("second", 2)]).await;
    fixture.clock.advance(SECOND * 9);
    fixture.enqueue([message("fourth"), message("fifth")]).await;
    assert_eq!(keys(&fixture.claim(10).await), ["first", "second", "third", "fourth", "fifth"]);
}

pub(super) async fn a_message_is_not_given_before_it_is_due(fixture: Fixture) {
    let wait = Duration::from_millis(1_234);
    fixture.enqueue([Message { not_before: Some(fixture.after(wait)), lane: Lane::Urgent, ..message("later") }]).await;
    assert_eq!(fixture.counts().await, (1, 0, 0));
    fixture.clock.advance(wait.saturating_sub(MILLISECOND));
    assert_eq!(fixture.claim(10).await, []);
    fixture.clock.advance(MILLISECOND);
    assert_eq!(keys(&fixture.claim(10).await), ["later"]);
}

pub(super) async fn waiting_ends_when_something_is_due(fixture: Fixture) {
    let bound = SECOND * 10;
    time::timeout(bound, fixture.queue.wait("no_such_job")).await.expect("a wait is bounded");

    fixture.enqueue([message("a")]).await;
    for _ in 0..1000 {
        time::timeout(bound, fixture.queue.wait(super::JOB)).await.expect("there is nothing to wait for");
    }
}

pub(super) async fn what_no_queue_could_hold_is_refused(fixture: Fixture) {
    let largest = Message { body: vec![b'x'; MOST_BODY_BYTES].into(), ..message("largest") };
    let wrong = [
        Message { key: String::new(), ..message("") },
        Message { job: String::new(), ..message("no job") },
        Message { max_attempts: 0, ..message("no attempt") },
        Message { body: vec![b'x'; MOST_BODY_BYTES + 1].into(), ..message("too large") },
    ];
    for wrong in wrong {
        let refused = fixture.queue.enqueue(vec![message("good"), wrong]).await;
        assert!(matches!(refused, Err(QueueError::Invalid(_))), "{refused:?}");
    }
    fixture.enqueue([largest.clone()]).await;
    let taken = fixture.claim(10).await;
    assert!(taken.iter().any(|leased| leased.message == largest));
}
