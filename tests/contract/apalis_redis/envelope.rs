//! What is done around apalis-redis so that it loses nothing.

use std::{sync::Arc, time::Duration};

use engine_redis::redis::cmd;
use jobs::{
    Job,
    ports::{Enqueue, Inspect, QueueError, Spooling},
};
use queue::{ApalisRedisQueue, MOST_WAITING, SpooledQueue};
use telltale_tests::{ManualClock, PATIENCE, RedisServer, eventually};
use tempfile::TempDir;
use tokio::time::timeout;

use super::{
    Fixture,
    noted::{End, Noted, noted, open_the_gate},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_queue_refuses_is_spooled_and_run() {
    let fixture = Fixture::apalis_redis().await;
    let folder = TempDir::new().unwrap();
    let spool = Arc::new(SpooledQueue::open(fixture.queue.clone(), folder.path(), 1 << 20).unwrap());
    let all = MOST_WAITING + 50;
    for some in (0..all).collect::<Vec<_>>().chunks(100) {
        spool.enqueue(some.iter().map(|n| noted(&n.to_string(), End::Done)).collect()).await.unwrap();
    }
    assert_eq!(fixture.counts().await, (MOST_WAITING, 0, 0));
    assert_eq!(spool.state().messages, 50);
    let refused = fixture.queue.enqueue(vec![noted("one more", End::Done)]).await;
    assert!(matches!(&refused, Err(QueueError::Away(why)) if why.contains("full")), "{refused:?}");

    let draining = tokio::spawn(async move { spool.drain().await });
    fixture.work(16);
    fixture.until_runs(all).await;
    fixture.until_counts((0, 0, 0)).await;
    assert_eq!(fixture.runs().await.len(), all);
    draining.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_outlive_a_kill_of_redis() {
    let fixture = Fixture::apalis_redis().await;
    fixture.enqueue([noted("runs", End::WhenOpen)]).await;
    fixture.work(4);
    fixture.until_counts((0, 1, 0)).await;
    fixture.server.kill().await.unwrap();
    assert!(matches!(fixture.queue.enqueue(vec![noted("lost", End::Done)]).await, Err(QueueError::Away(_))));
    open_the_gate(&fixture.cx).await;
    fixture.server.restart().await.unwrap();
    eventually("it is back", async || fixture.queue.enqueue(vec![noted("next", End::Done)]).await.ok()).await;
    fixture.until_counts((0, 0, 0)).await;
    assert!(fixture.runs().await.contains(&"next".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_redis_that_stands_in_for_another_is_given_nothing() {
    let server = RedisServer::start().await.unwrap();
    server.is_called("the one of before").await.unwrap();
    let queue = server.apalis_redis_queue().await.unwrap().on_the_one_called("the one of before");
    queue.enqueue(vec![noted("before", End::Done)]).await.unwrap();
    server.is_replaced_by_an_empty_one().await.unwrap();
    eventually("the one in its place answers", async || match queue.enqueue(vec![noted("next", End::Done)]).await {
        Err(QueueError::Away(why)) => why.contains("another one").then_some(()),
        taken => panic!("{taken:?}"),
    })
    .await;
    assert_eq!(server.size().await.unwrap(), 0);
    server.is_brought_back().await.unwrap();
    eventually("it is back", async || queue.enqueue(vec![noted("next", End::Done)]).await.ok()).await;
    assert_eq!(queue.depth(Noted::NAME).await.unwrap().waiting, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_is_forgotten() {
    let fixture = Fixture::apalis_redis().await;
    fixture.work(8);
    fixture.enqueue((0..600).map(|n| noted(&n.to_string(), End::Done))).await;
    fixture.until_runs(600).await;
    eventually("nothing of it is left", async || {
        let mut left = 0;
        for (command, name) in [("HLEN", "data"), ("SCARD", "done")] {
            left += fixture.call::<usize>(cmd(command).arg(fixture.key(name))).await;
        }
        for pattern in ["meta:*", "idempotency:*"] {
            // Braces and the like have no meaning in a pattern.
            left += fixture.call::<Vec<String>>(cmd("KEYS").arg(fixture.key(pattern))).await.len();
        }
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_leaves_nothing_to_itself() {
    let fixture = Fixture::apalis_redis().await;
    let workers = fixture.work(2);
    fixture.enqueue((0..5).map(|n| noted(&n.to_string(), End::WhenOpen))).await;
    fixture.until_counts((3, 2, 0)).await;
    fixture.stop.cancel();
    open_the_gate(&fixture.cx).await;
    timeout(PATIENCE, workers).await.expect("it stops").unwrap();
    assert_eq!(fixture.counts().await, (3, 0, 0));
    assert_eq!(fixture.call::<usize>(cmd("ZCARD").arg(fixture.key("workers"))).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_whose_clock_is_wrong_is_refused() {
    let fixture = Fixture::apalis_redis().await;
    let wrong = Arc::new(ManualClock::new());
    wrong.advance(Duration::from_hours(24 * 365 * 50));
    let refused = ApalisRedisQueue::open(fixture.redis.clone(), wrong, "wrong").await;
    assert!(matches!(refused.err(), Some(QueueError::Invalid(why)) if why.contains("clock")));
}
