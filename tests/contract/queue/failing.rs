//! Leases that run out, runs that fail, and dead letters.

use std::time::Duration;

use jobs::ports::{Clock, DEAD_LETTER_RETENTION, Message, Settlement, Ticket};

use super::{Fixture, JOB, LEASE, keys, message};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

pub(super) async fn a_lease_that_ran_out_is_given_again(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    let first = fixture.claim_one().await;
    fixture.clock.advance(LEASE.saturating_sub(MILLISECOND));
    assert_eq!(fixture.claim(10).await, []);
    fixture.clock.advance(MILLISECOND);
    let second = fixture.claim_one().await;
    assert_eq!(second.message, first.message);
    assert_ne!(second.ticket, first.ticket);
}

pub(super) async fn every_lease_counts_as_an_attempt(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    for attempt in 1..=3 {
        assert_eq!(fixture.claim_one().await.attempt, attempt);
        fixture.clock.advance(LEASE);
    }
}

pub(super) async fn a_run_that_never_ends_becomes_a_dead_letter(fixture: Fixture) {
    fixture.enqueue([message("poison")]).await;
    for _ in 0..3 {
        fixture.claim_one().await;
        fixture.clock.advance(LEASE);
    }
    assert_eq!(fixture.claim(10).await, []);
    assert_eq!(fixture.counts().await, (0, 0, 1));
    let letters = fixture.queue.dead_letters(JOB, 10).await.unwrap();
    assert_eq!((letters[0].attempts, &letters[0].message), (3, &message("poison")));
    assert_eq!(letters[0].at, fixture.clock.now());
    assert!(!letters[0].why.is_empty());
}

pub(super) async fn a_failed_run_is_given_again_when_it_says(fixture: Fixture) {
    fixture.enqueue([message("a"), message("b")]).await;
    let leased = fixture.claim(1).await;
    let wait = Duration::from_millis(2_345);
    fixture.again_at(&leased[0], fixture.after(wait)).await;
    assert_eq!(keys(&fixture.claim(10).await), ["b"]);
    fixture.clock.advance(wait.saturating_sub(MILLISECOND));
    assert_eq!(fixture.claim(10).await, []);
    fixture.clock.advance(MILLISECOND);
    let again = fixture.claim_one().await;
    assert_eq!((again.message, again.attempt), (message("a"), 2));
}

pub(super) async fn the_last_failed_run_makes_a_dead_letter(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    for _ in 0..3 {
        let leased = fixture.claim_one().await;
        fixture.again_now(&leased).await;
    }
    assert_eq!(fixture.claim(10).await, []);
    assert_eq!(fixture.counts().await, (0, 0, 1));
    let letters = fixture.queue.dead_letters(JOB, 10).await.unwrap();
    assert_eq!((letters[0].attempts, letters[0].why.as_str()), (3, "it failed"));
}

pub(super) async fn a_dead_message_is_not_given_again(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    let leased = fixture.claim_one().await;
    fixture.dead(&leased, "hopeless").await;
    fixture.clock.advance(LEASE * 2);
    assert_eq!(fixture.claim(10).await, []);
    let letters = fixture.queue.dead_letters(JOB, 10).await.unwrap();
    assert_eq!((letters[0].attempts, letters[0].why.as_str()), (1, "hopeless"));
}

pub(super) async fn a_stale_ticket_changes_nothing(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    let stale = fixture.claim_one().await;
    fixture.clock.advance(LEASE);
    let held = fixture.claim_one().await;

    fixture.done(&stale).await;
    fixture.again_now(&stale).await;
    fixture.dead(&stale, "too late").await;
    assert_eq!(fixture.counts().await, (0, 1, 0));

    fixture.done(&held).await;
    assert_eq!(fixture.counts().await, (0, 0, 0));
    fixture.again_now(&held).await;
    assert_eq!(fixture.counts().await, (0, 0, 0));
}

pub(super) async fn a_foreign_ticket_changes_nothing(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    fixture.claim_one().await;
    for ticket in ["", "-", "1-", "999999-999999", "what is this", "-1-0"] {
        fixture.settle(Settlement::Done(Ticket(ticket.to_owned()))).await;
    }
    assert_eq!(fixture.counts().await, (0, 1, 0));
}

/// Enqueues and kills one message for each key, a second apart.
async fn kill_one_by_one(fixture: &Fixture, keys: &[&str]) {
    for key in keys {
        fixture.enqueue([message(key)]).await;
        let leased = fixture.claim_one().await;
        fixture.dead(&leased, "hopeless").await;
        fixture.clock.advance(SECOND);
    }
}

pub(super) async fn dead_letters_are_listed_oldest_first(fixture: Fixture) {
    kill_one_by_one(&fixture, &["z", "a", "m"]).await;
    let letters = fixture.queue.dead_letters(JOB, 2).await.unwrap();
    let keys: Vec<&str> = letters.iter().map(|letter| letter.message.key.as_str()).collect();
    assert_eq!(keys, ["z", "a"]);
    assert_eq!(fixture.queue.dead_letters(JOB, 10).await.unwrap().len(), 3);
    assert_eq!(fixture.queue.dead_letters("another_job", 10).await.unwrap(), []);
}

pub(super) async fn a_redriven_letter_begins_anew(fixture: Fixture) {
    let later = Message { not_before: Some(fixture.after(SECOND)), ..message("a") };
    fixture.enqueue([later.clone()]).await;
    fixture.clock.advance(SECOND);
    let leased = fixture.claim_one().await;
    fixture.dead(&leased, "hopeless").await;
    let letter = fixture.queue.dead_letters(JOB, 1).await.unwrap().remove(0);

    assert!(fixture.queue.redrive(JOB, &letter.id).await.unwrap());
    assert_eq!(fixture.counts().await, (1, 0, 0));
    let leased = fixture.claim_one().await;
    assert_eq!((leased.attempt, leased.message), (1, later));
}

pub(super) async fn a_letter_is_redriven_once(fixture: Fixture) {
    kill_one_by_one(&fixture, &["a"]).await;
    let letter = fixture.queue.dead_letters(JOB, 1).await.unwrap().remove(0);
    for (job, id) in [("another_job", letter.id.as_str()), (JOB, ""), (JOB, "999"), (JOB, "what is this")] {
        assert!(!fixture.queue.redrive(job, id).await.unwrap(), "{job} {id}");
    }
    assert!(fixture.queue.redrive(JOB, &letter.id).await.unwrap());
    assert!(!fixture.queue.redrive(JOB, &letter.id).await.unwrap());
    assert_eq!(fixture.counts().await, (1, 0, 0));
}

pub(super) async fn a_letter_whose_key_is_back_is_the_same_work(fixture: Fixture) {
    kill_one_by_one(&fixture, &["a"]).await;
    let letter = fixture.queue.dead_letters(JOB, 1).await.unwrap().remove(0);
    fixture.enqueue([message("a")]).await;
    assert!(fixture.queue.redrive(JOB, &letter.id).await.unwrap());
    assert_eq!(fixture.counts().await, (1, 0, 0));
}

pub(super) async fn a_letter_that_is_discarded_is_gone(fixture: Fixture) {
    kill_one_by_one(&fixture, &["a", "b"]).await;
    fixture.enqueue([message("c")]).await;
    let letter = fixture.queue.dead_letters(JOB, 1).await.unwrap().remove(0);
    for (job, id) in [("another_job", letter.id.as_str()), (JOB, "999"), (JOB, "what is this")] {
        assert!(!fixture.queue.discard(job, id).await.unwrap(), "{job} {id}");
    }
    assert!(fixture.queue.discard(JOB, &letter.id).await.unwrap());
    assert!(!fixture.queue.discard(JOB, &letter.id).await.unwrap());
    assert_eq!(fixture.counts().await, (1, 0, 1));
}

pub(super) async fn old_letters_are_forgotten(fixture: Fixture) {
    kill_one_by_one(&fixture, &["a", "b"]).await;
    fixture.clock.advance(DEAD_LETTER_RETENTION.saturating_sub(SECOND));
    kill_one_by_one(&fixture, &["c"]).await;
    let letters = fixture.queue.dead_letters(JOB, 10).await.unwrap();
    let keys: Vec<&str> = letters.iter().map(|letter| letter.message.key.as_str()).collect();
    assert_eq!(keys, ["b", "c"]);
}
