//! What waits: listed in the order it is given, and cancelled.

use std::time::Duration;

use jobs::ports::{Clock, Lane, Message, Waiting};

use super::{Fixture, JOB, keys, message};

const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn what_waits_is_listed_in_the_order_it_is_given(fixture: Fixture) {
    let due_in = |key, seconds: u32| Message { not_before: Some(fixture.after(SECOND * seconds)), ..message(key) };
    let urgent = Message { lane: Lane::Urgent, ..message("urgent") };
    fixture.enqueue([due_in("in five", 5), message("runs"), message("now"), due_in("in two", 2)]).await;
    let running = fixture.claim(1).await;
    assert_eq!(keys(&running), ["runs"]);
    fixture.enqueue([urgent]).await;

    let waiting = fixture.queue.waiting(JOB, 10).await.unwrap();
    let listed: Vec<&str> = waiting.iter().map(|waiting| waiting.message.key.as_str()).collect();
    assert_eq!(listed, ["urgent", "now", "in two", "in five"]);
    let last = Waiting { message: due_in("in five", 5), due: fixture.after(SECOND * 5), attempts: 0 };
    assert_eq!(waiting[3], last);
    assert_eq!(fixture.queue.waiting(JOB, 3).await.unwrap(), waiting[..3]);
    assert_eq!(fixture.queue.waiting("another_job", 3).await.unwrap(), []);

    fixture.again_now(&running[0]).await;
    fixture.clock.advance(SECOND * 2);
    let waiting = fixture.queue.waiting(JOB, 10).await.unwrap();
    let again = waiting.iter().find(|waiting| waiting.message.key == "runs").unwrap();
    assert_eq!((again.attempts, again.due), (1, fixture.clock.now().minus(SECOND * 2)));
}

pub(super) async fn a_message_that_waits_is_cancelled_and_its_key_taken_again(fixture: Fixture) {
    let later = Message { not_before: Some(fixture.after(SECOND)), ..message("later") };
    fixture.enqueue([message("now"), message("stays"), later]).await;
    for key in ["now", "later"] {
        assert!(fixture.queue.cancel(JOB, key).await.unwrap(), "{key}");
        assert!(!fixture.queue.cancel(JOB, key).await.unwrap(), "{key}");
    }
    assert!(!fixture.queue.cancel("another_job", "stays").await.unwrap());
    assert_eq!(fixture.counts().await, (1, 0, 0));
    fixture.clock.advance(SECOND);
    fixture.enqueue([message("now")]).await;
    assert_eq!(keys(&fixture.claim(10).await), ["stays", "now"]);
}

pub(super) async fn what_runs_is_not_cancelled(fixture: Fixture) {
    fixture.enqueue([message("a")]).await;
    let running = fixture.claim_one().await;
    assert!(!fixture.queue.cancel(JOB, "a").await.unwrap());
    fixture.again_now(&running).await;
    assert!(fixture.queue.cancel(JOB, "a").await.unwrap());
    assert_eq!(fixture.counts().await, (0, 0, 0));
}
