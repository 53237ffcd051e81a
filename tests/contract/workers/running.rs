//! Runs, and what they come to.

use std::time::Duration;

use jobs::{Job, ports::Message};
use queue::Source;
use telltale_tests::eventually;
use tokio::time;

use super::{
    Errand, Fixture,
    errands::{End, Endless, errand, open_the_gate},
};

pub(super) async fn jobs_are_run_and_leave_the_queue(fixture: Fixture) {
    let count = 500;
    fixture.enqueue((0..count).map(|n| errand(n, End::Done))).await;
    fixture.start::<Errand>(16);
    fixture.until_counts::<Errand>((0, 0, 0)).await;
    for n in 0..count {
        assert_eq!(fixture.runs(&n.to_string()).await, 1);
    }
}

/// One after another: were each found only by the worker's own look after a second, this would take far longer.
pub(super) async fn a_trickle_is_run_at_once(fixture: Fixture) {
    fixture.start::<Errand>(4);
    time::timeout(Duration::from_secs(20), async {
        for n in 0..50 {
            fixture.enqueue([errand(n, End::Done)]).await;
            fixture.until_counts::<Errand>((0, 0, 0)).await;
            assert_eq!(fixture.runs(&n.to_string()).await, 1);
        }
    })
    .await
    .expect("no job waits for a heartbeat");
}

pub(super) async fn no_more_run_at_a_time_than_there_is_room_for(fixture: Fixture) {
    fixture.start::<Errand>(3);
    fixture.enqueue((0..10).map(|n| errand(n, End::DoneWhenOpen))).await;
    fixture.until_counts::<Errand>((7, 3, 0)).await;
    fixture.enqueue([errand("one more", End::DoneWhenOpen)]).await;
    assert_eq!(fixture.counts::<Errand>().await, (8, 3, 0));
    open_the_gate(&fixture.cx).await;
    fixture.until_counts::<Errand>((0, 0, 0)).await;
}

pub(super) async fn a_failing_job_comes_back_until_it_is_a_dead_letter(fixture: Fixture) {
    fixture.start::<Errand>(2);
    fixture.enqueue([errand("failing", End::Failed)]).await;
    let letter = fixture.until_dead::<Errand>().await;
    assert_eq!((letter.attempts, letter.why.as_str()), (3, "it did not work"));
    assert_eq!(fixture.runs("failing").await, 3);
}

pub(super) async fn a_job_comes_back_when_it_asked_to(fixture: Fixture) {
    fixture.start::<Errand>(2);
    fixture.enqueue([errand("later", End::LaterThenDone)]).await;
    fixture.until_counts::<Errand>((1, 0, 0)).await;
    eventually("the first run was settled", async || (fixture.runs("later").await == 1).then_some(())).await;
    fixture.until_counts::<Errand>((1, 0, 0)).await;

    fixture.clock.advance(Duration::from_millis(89_999));
    let Source::Leases(consume) = &fixture.source else { panic!("it goes by a clock of its own") };
    assert_eq!(consume.claim(Errand::NAME, 1, Errand::LEASE).await.unwrap(), []);
    fixture.clock.advance(Duration::from_millis(1));
    fixture.until_counts::<Errand>((0, 0, 0)).await;
    assert_eq!(fixture.runs("later").await, 2);
}

pub(super) async fn a_panic_is_the_failure_of_that_job_alone(fixture: Fixture) {
    fixture.start::<Errand>(4);
    fixture.enqueue([errand("panicking", End::Panic)]).await;
    fixture.enqueue((0..50).map(|n| errand(n, End::Done))).await;
    let letter = fixture.until_dead::<Errand>().await;
    assert_eq!((letter.attempts, letter.why.as_str()), (3, "panicked: this errand panics"));
    fixture.until_counts::<Errand>((0, 0, 1)).await;
}

pub(super) async fn a_hopeless_job_is_a_dead_letter_at_once(fixture: Fixture) {
    fixture.start::<Errand>(2);
    fixture.enqueue([errand("hopeless", End::Hopeless)]).await;
    let letter = fixture.until_dead::<Errand>().await;
    assert_eq!((letter.attempts, letter.why.as_str()), (1, "it cannot work"));
}

pub(super) async fn a_message_that_is_no_such_job_is_a_dead_letter_at_once(fixture: Fixture) {
    fixture.start::<Errand>(2);
    let message = Message { body: "not JSON".into(), ..errand("odd", End::Done).message() };
    fixture.queue.enqueue(vec![message.clone()]).await.unwrap();
    let letter = fixture.until_dead::<Errand>().await;
    assert_eq!((letter.attempts, letter.message), (1, message));
}

pub(super) async fn a_run_longer_than_its_lease_is_cut_off(fixture: Fixture) {
    fixture.start::<Endless>(1);
    fixture.enqueue([Endless]).await;
    let letter = fixture.until_dead::<Endless>().await;
    assert_eq!((letter.attempts, letter.why.as_str()), (2, "it ran longer than its lease of 50ms"));
    assert_eq!(fixture.runs("endless").await, 2);
}
