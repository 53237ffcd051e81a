//! What it does as the others do: the cases of their suite, as they look from the workers' side.

use std::time::Duration;

use domain::Timestamp;
use jobs::{
    Job,
    ports::{DeadLetter, Enqueue, Inspect, MOST_BODY_BYTES, Message, QueueError},
};

use super::{
    Fixture, Noted,
    noted::{End, noted, open_the_gate, runs},
};

pub(super) async fn what_no_queue_could_hold_is_refused(fixture: Fixture) {
    let good = noted("good", End::Done);
    for wrong in [
        Message { key: String::new(), ..good.clone() },
        Message { job: String::new(), ..good.clone() },
        Message { max_attempts: 0, ..good.clone() },
        Message { body: vec![b'x'; MOST_BODY_BYTES + 1].into(), ..good.clone() },
    ] {
        let refused = fixture.queue.enqueue(vec![good.clone(), wrong]).await;
        assert!(matches!(refused, Err(QueueError::Invalid(_))), "{refused:?}");
    }
    assert_eq!(fixture.counts().await, (0, 0, 0));
}

pub(super) async fn a_key_that_waits_or_runs_is_taken_once(fixture: Fixture) {
    let message = |key| noted(key, End::WhenOpen);
    fixture.enqueue([message("a"), message("b"), message("a")]).await;
    fixture.enqueue([message("b")]).await;
    assert_eq!(fixture.counts().await, (2, 0, 0));
    fixture.work(2);
    fixture.until_counts((0, 2, 0)).await;
    fixture.enqueue([message("a")]).await;
    assert_eq!(fixture.counts().await, (0, 2, 0));
    open_the_gate(&fixture.cx).await;
    fixture.until_counts((0, 0, 0)).await;
    assert_eq!(fixture.runs().await.len(), 2);
}

pub(super) async fn a_key_that_is_done_is_taken_again(fixture: Fixture) {
    fixture.work(1);
    for count in 1..=3 {
        fixture.enqueue([noted("a", End::Done)]).await;
        fixture.until_runs(count).await;
        fixture.until_counts((0, 0, 0)).await;
    }
}

pub(super) async fn a_key_that_is_dead_does_not_block_another(fixture: Fixture) {
    fixture.work(1);
    fixture.enqueue([noted("a", End::Hopeless)]).await;
    fixture.until_counts((0, 0, 1)).await;
    fixture.enqueue([noted("a", End::Done)]).await;
    fixture.until_runs(2).await;
    fixture.until_counts((0, 0, 1)).await;
}

pub(super) async fn a_key_belongs_to_its_job(fixture: Fixture) {
    let theirs = Message { job: "another_job".to_owned(), ..noted("a", End::Done) };
    fixture.enqueue([noted("a", End::Done), theirs]).await;
    assert_eq!(fixture.counts().await, (1, 0, 0));
    assert_eq!(fixture.queue.depth("another_job").await.unwrap().waiting, 1);
}

pub(super) async fn what_is_due_later_waits(fixture: Fixture) {
    let due = fixture.cx.clock.now().plus(Duration::from_secs(2));
    fixture.work(1);
    fixture.enqueue([Message { not_before: Some(due), ..noted("later", End::Done) }, noted("now", End::Done)]).await;
    assert_eq!(fixture.until_runs(2).await, ["now", "later"]);
    let (_, at): (String, Timestamp) = runs(&fixture.cx).await.remove(1);
    assert!(at >= due, "{at:?} is before {due:?}");
}

/// Dead letters of these keys, one after the other.
async fn with_letters(fixture: &Fixture, keys: &[&str]) -> Vec<DeadLetter> {
    fixture.work(1);
    for (index, key) in keys.iter().enumerate() {
        fixture.enqueue([noted(key, End::Hopeless)]).await;
        fixture.until_counts((0, 0, index + 1)).await;
    }
    fixture.letters().await
}

pub(super) async fn dead_letters_are_listed_oldest_first(fixture: Fixture) {
    let letters = with_letters(&fixture, &["z", "a", "m"]).await;
    let keys: Vec<&str> = letters.iter().map(|letter| letter.message.key.as_str()).collect();
    assert_eq!(keys, ["z", "a", "m"]);
    assert_eq!(fixture.queue.dead_letters(Noted::NAME, 2).await.unwrap(), letters[..2]);
    assert_eq!(fixture.queue.dead_letters("another_job", 10).await.unwrap(), []);
}

pub(super) async fn a_redriven_letter_begins_anew(fixture: Fixture) {
    let letters = with_letters(&fixture, &["a"]).await;
    let DeadLetter { id, message, attempts, why, .. } = &letters[0];
    assert_eq!((message, *attempts, why.as_str()), (&noted("a", End::Hopeless), 1, "hopeless"));
    assert!(fixture.queue.redrive(Noted::NAME, id).await.unwrap());
    fixture.until_runs(2).await;
    fixture.until_counts((0, 0, 1)).await;
    assert_eq!(fixture.letters().await[0].attempts, 1);
}

pub(super) async fn a_letter_is_redriven_once(fixture: Fixture) {
    let letters = with_letters(&fixture, &["a"]).await;
    let id = letters[0].id.as_str();
    for (job, id) in [("another_job", id), (Noted::NAME, ""), (Noted::NAME, "999"), (Noted::NAME, "what is this")] {
        assert!(!fixture.queue.redrive(job, id).await.unwrap(), "{job} {id}");
    }
    let both = tokio::join!(fixture.queue.redrive(Noted::NAME, id), fixture.queue.redrive(Noted::NAME, id));
    assert!(both.0.unwrap() != both.1.unwrap());
    assert!(!fixture.queue.redrive(Noted::NAME, id).await.unwrap());
}

pub(super) async fn a_letter_whose_key_is_back_is_the_same_work(fixture: Fixture) {
    let letters = with_letters(&fixture, &["a"]).await;
    let later = fixture.cx.clock.now().plus(Duration::from_hours(1));
    fixture.enqueue([Message { not_before: Some(later), ..noted("a", End::Done) }]).await;
    assert!(fixture.queue.redrive(Noted::NAME, &letters[0].id).await.unwrap());
    assert_eq!(fixture.counts().await, (1, 0, 0));
}

pub(super) async fn a_letter_that_is_discarded_is_gone(fixture: Fixture) {
    let letters = with_letters(&fixture, &["a"]).await;
    assert!(!fixture.queue.discard("another_job", &letters[0].id).await.unwrap());
    assert!(fixture.queue.discard(Noted::NAME, &letters[0].id).await.unwrap());
    assert!(!fixture.queue.discard(Noted::NAME, &letters[0].id).await.unwrap());
    assert_eq!(fixture.counts().await, (0, 0, 0));
}
