//! A key names the work: the same work is not queued twice.

use jobs::ports::Message;

use super::{Fixture, keys, message};

pub(super) async fn a_key_that_waits_is_taken_once(fixture: Fixture) {
    fixture.enqueue([message("a"), message("b"), message("a")]).await;
    fixture.enqueue([message("b")]).await;
    assert_eq!(fixture.counts().await, (2, 0, 0));
    assert_eq!(keys(&fixture.claim(10).await), ["a", "b"]);
}

pub(super) async fn a_key_that_runs_is_taken_once(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    let running = fixture.claim_one().await;
    fixture.enqueue([message("a")]).await;
    assert_eq!(fixture.counts().await, (0, 1, 0));
    fixture.again_now(&running).await;
    fixture.enqueue([message("a")]).await;
    assert_eq!(fixture.counts().await, (1, 0, 0));
}

pub(super) async fn a_key_that_is_done_is_taken_again(fixture: Fixture) {
    for _ in 0..3 {
        fixture.enqueue([message("a")]).await;
        let leased = fixture.claim_one().await;
        assert_eq!(leased.attempt, 1);
        fixture.done(&leased).await;
    }
}

pub(super) async fn a_key_that_is_dead_does_not_block_another(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    let leased = fixture.claim_one().await;
    fixture.dead(&leased, "hopeless").await;
    fixture.enqueue([message("a")]).await;
    assert_eq!(fixture.counts().await, (1, 0, 1));
    let leased = fixture.claim_one().await;
    fixture.done(&leased).await;
    assert_eq!(fixture.counts().await, (0, 0, 1));
}

pub(super) async fn a_key_belongs_to_its_job(fixture: Fixture) {
    fixture.enqueue([message("a"), Message { job: "another_job".to_owned(), ..message("a") }]).await;
    assert_eq!(fixture.counts().await, (1, 0, 0));
    assert_eq!(fixture.queue.depth("another_job").await.unwrap().waiting, 1);
}
