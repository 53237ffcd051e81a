//! Many messages, and many who want them.

use std::{collections::HashSet, time::Duration};

use futures::future::join_all;
use jobs::ports::Settlement;
use telltale_tests::PATIENCE;
use tokio::time;

use super::{Fixture, JOB, LEASE, message};

pub(super) async fn two_claimers_never_get_the_same_message(fixture: Fixture) {
    let count = 1000;
    fixture.enqueue((0..count).map(|n| message(&n.to_string()))).await;
    let claimers = (0..8).map(|_| {
        let queue = fixture.queue.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = queue.claim(JOB, 7, LEASE).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|leased| leased.message.key));
            }
        })
    });
    let claimed: Vec<String> = join_all(claimers).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(claimed.len(), count);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>().len(), count);
}

pub(super) async fn of_racing_enqueues_of_one_key_one_is_taken(fixture: Fixture) {
    join_all((0..50).map(|_| fixture.enqueue([message("a")]))).await;
    assert_eq!(fixture.counts().await, (1, 0, 0));
}

pub(super) async fn twenty_thousand_due_messages_are_drained(fixture: Fixture) {
    let count = 20_000;
    for thousand in 0..count / 1000 {
        fixture.enqueue((0..1000).map(|n| message(&format!("{thousand}/{n}")))).await;
    }
    let drainers = (0..4).map(|_| {
        let queue = fixture.queue.clone();
        tokio::spawn(async move {
            let mut done = 0;
            loop {
                let claimed = queue.claim(JOB, 250, LEASE).await.unwrap();
                if claimed.is_empty() {
                    return done;
                }
                done += claimed.len();
                queue
                    .settle(claimed.into_iter().map(|leased| Settlement::Done(leased.ticket)).collect())
                    .await
                    .unwrap();
            }
        })
    });
    let done: usize = join_all(drainers).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(done, count);
    assert_eq!(fixture.counts().await, (0, 0, 0));
}

/// One message after another, each sent only when the one before has arrived: were a wake-up lost, its message would be
/// found by the wait's own end after a second, and fifty of those would take far longer than this allows.
pub(super) async fn nobody_waits_for_a_heartbeat(fixture: Fixture) {
    let count = 50;
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let queue = fixture.queue.clone();
    let consumer = tokio::spawn(async move {
        loop {
            for leased in queue.claim(JOB, 10, LEASE).await.unwrap() {
                queue.settle(vec![Settlement::Done(leased.ticket)]).await.unwrap();
                arrived.send(leased.message.key).unwrap();
            }
            queue.wait(JOB).await;
        }
    });
    time::timeout(Duration::from_secs(20), async {
        for n in 0..count {
            fixture.enqueue([message(&n.to_string())]).await;
            let key = time::timeout(PATIENCE, arrivals.recv()).await.unwrap();
            assert_eq!(key, Some(n.to_string()));
        }
    })
    .await
    .expect("every message is announced");
    consumer.abort();
}
