//! What only an engine that lives on its own can do: go away and come back.

use std::{sync::Arc, time::Duration};

use boot::SystemClock;
use engine_redis::{ServerClock, Turn, redis::cmd};
use jobs::ports::{Clock, Consume, Enqueue, Inspect, QueueError, Settlement};
use queue::RedisQueue;
use telltale_tests::{ManualClock, PATIENCE, RedisServer, eventually};
use tokio::time::timeout;

use super::{JOB, LEASE, Lane, Message, message};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_outlives_a_kill_of_redis() {
    let server = RedisServer::start().await.unwrap();
    let clock = Arc::new(ManualClock::new());
    let queue = server.queue(clock.clone()).await.unwrap();
    let later = super::Message { not_before: Some(clock.now().plus(LEASE)), ..message("later") };
    queue.enqueue(vec![message("runs"), message("dead"), later]).await.unwrap();
    let leased = queue.claim(JOB, 2, LEASE).await.unwrap();
    queue
        .settle(vec![Settlement::Dead { ticket: leased[1].ticket.clone(), why: "hopeless".to_owned() }])
        .await
        .unwrap();
    queue.enqueue(vec![message("waits")]).await.unwrap();

    server.kill().await.unwrap();
    assert!(matches!(queue.enqueue(vec![message("lost")]).await, Err(QueueError::Away(_))));
    assert!(matches!(queue.claim(JOB, 1, LEASE).await, Err(QueueError::Away(_))));
    server.restart().await.unwrap();

    let depth = eventually("the queue is back", async || queue.depth(JOB).await.ok()).await;
    assert_eq!((depth.waiting, depth.running, depth.dead), (2, 1, 1));
    queue.settle(vec![Settlement::Done(leased[0].ticket.clone())]).await.unwrap();
    let claimed = queue.claim(JOB, 10, LEASE).await.unwrap();
    assert_eq!(super::keys(&claimed), ["waits"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_hears_of_a_message_of_another_process_after_a_restart_of_redis() {
    let server = RedisServer::start().await.unwrap();
    let clock = Arc::new(ManualClock::new());
    let (waiting, another) = (server.queue(clock.clone()).await.unwrap(), server.queue(clock).await.unwrap());
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    eventually("the queue is back", async || another.enqueue(vec![message("a")]).await.ok()).await;
    let claimed = timeout(PATIENCE, async {
        loop {
            match waiting.claim(JOB, 1, LEASE).await {
                Ok(claimed) if !claimed.is_empty() => return claimed,
                _ => waiting.wait(JOB).await,
            }
        }
    });
    assert_eq!(super::keys(&claimed.await.unwrap()), ["a"]);
}

/// No clock of a process has a part in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_as_long_for_a_worker_whose_clock_is_wrong() {
    let server = RedisServer::start().await.unwrap();
    let redis = server.connect().await.unwrap();
    let queue = RedisQueue::new(redis.clone(), "right");
    let another = RedisQueue::new(redis, "wrong");
    queue.enqueue(vec![message("a")]).await.unwrap();
    let leased = queue.claim(JOB, 1, LEASE).await.unwrap();
    assert_eq!(another.claim(JOB, 1, LEASE).await.unwrap(), []);
    queue.settle(vec![Settlement::Done(leased[0].ticket.clone())]).await.unwrap();

    another.enqueue(vec![message("b")]).await.unwrap();
    assert_eq!(another.claim(JOB, 1, Duration::from_millis(50)).await.unwrap().len(), 1);
    let again = eventually("its lease ran out", async || queue.claim(JOB, 1, LEASE).await.unwrap().pop()).await;
    assert_eq!((again.message.key.as_str(), again.attempt), ("b", 2));
}

/// Redis did what was asked, and nobody heard it: what the claim took is given by the next one, and no run is counted for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_claim_took_whose_answer_was_lost_is_given_by_the_next_as_the_same_run() {
    let server = RedisServer::start().await.unwrap();
    let (queue, another) = (
        RedisQueue::new(server.connect().await.unwrap(), "one"),
        RedisQueue::new(server.connect().await.unwrap(), "two"),
    );
    queue.enqueue(vec![message("a"), message("b"), message("c")]).await.unwrap();
    // It is known to Redis, which would ask for it else.
    let first = queue.claim(JOB, 1, LEASE).await.unwrap();
    server.hangs().await.unwrap();
    assert!(matches!(queue.claim(JOB, 1, LEASE).await, Err(QueueError::Away(_))));
    server.goes_on().await.unwrap();
    eventually("it was done all the same", async || {
        another.depth(JOB).await.ok().filter(|depth| depth.running == 2).map(drop)
    })
    .await;

    let again = queue.claim(JOB, 10, LEASE).await.unwrap();
    let runs: Vec<_> = again.iter().map(|leased| (leased.message.key.as_str(), leased.attempt)).collect();
    assert_eq!(runs, [("b", 1), ("c", 1)]);
    assert_eq!(queue.claim(JOB, 10, LEASE).await.unwrap(), [], "once");
    assert_eq!(another.claim(JOB, 10, LEASE).await.unwrap(), []);
    let done = first.into_iter().chain(again).map(|leased| Settlement::Done(leased.ticket)).collect();
    queue.settle(done).await.unwrap();
    let depth = queue.depth(JOB).await.unwrap();
    assert_eq!((depth.waiting, depth.running, depth.dead), (0, 0, 0));
}

/// A process that ended leaves nothing behind, also no name, and what another read under its own stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_names_of_dead_processes_are_removed_once_nothing_is_pending_under_them() {
    let server = RedisServer::start().await.unwrap();
    let redis = server.connect().await.unwrap();
    let names = async || -> Vec<String> {
        let mut names = Vec::new();
        for lane in 0..3 {
            let consumers = cmd("XINFO")
                .arg("CONSUMERS")
                .arg(format!("{}:lane:{lane}", redis.keys_of(JOB)))
                .arg("workers")
                .to_owned();
            let of_lane: Vec<std::collections::HashMap<String, engine_redis::redis::Value>> =
                redis.call(&consumers).await.unwrap();
            names.extend(of_lane.iter().map(|it| engine_redis::redis::from_redis_value(it["name"].clone()).unwrap()));
        }
        names.sort();
        names.dedup();
        names
    };
    let queue = async |name: &str| RedisQueue::new(server.connect().await.unwrap(), name);
    let (idle, holder, living) = (queue("idle").await, queue("holder").await, queue("living").await);
    living.enqueue(vec![message("held")]).await.unwrap();
    assert_eq!(holder.claim(JOB, 1, LEASE).await.unwrap().len(), 1);
    // Who finds nothing is named as well, from 7.2 on by reading alone.
    assert_eq!(idle.claim(JOB, 1, LEASE).await.unwrap(), []);
    for lane in 0..3 {
        let mut create = cmd("XGROUP");
        create.arg("CREATECONSUMER").arg(format!("{}:lane:{lane}", redis.keys_of(JOB))).arg("workers").arg("idle");
        redis.call::<u8>(&create).await.unwrap();
    }
    assert!(names().await.contains(&"idle".to_owned()));
    drop((idle, holder));
    for dead in ["idle", "holder"] {
        redis.call::<u64>(cmd("DEL").arg(redis.key(&format!("alive:{dead}")))).await.unwrap();
    }

    let given = eventually("it is given", async || living.claim(JOB, 10, LEASE).await.unwrap().pop()).await;
    assert_eq!((given.message.key.as_str(), given.attempt), ("held", 2), "and what was pending is not forgotten");
    eventually("only the living has a name", async || {
        assert_eq!(living.claim(JOB, 10, LEASE).await.unwrap(), []);
        (names().await == ["living"]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_of_redis_goes_on_as_it_did_where_ones_own_jumps() {
    let server = RedisServer::start().await.unwrap();
    let ours = Arc::new(ManualClock::at(SystemClock.now()));
    let its = ServerClock::of(server.connect().await.unwrap(), ours.clone()).await.unwrap();
    let is_right = || its.now().0.abs_diff(SystemClock.now().0) < 500;
    assert!(is_right(), "{:?}", its.now());
    ours.advance(Duration::from_mins(1));
    assert!(is_right(), "{:?}", its.now());
    ours.set_back(Duration::from_hours(2));
    assert!(is_right(), "{:?}", its.now());
    // Also when it was looked at again.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(is_right(), "{:?}", its.now());
}

/// Its clock stands still: its lease never runs out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_held_is_given_to_another_and_counted_and_what_a_living_one_holds_is_not() {
    let server = RedisServer::start().await.unwrap();
    let clock = Arc::new(ManualClock::new());
    let queue = async || server.queue(clock.clone()).await.unwrap();
    let (dead, living, another) = (queue().await, queue().await, queue().await);
    dead.enqueue(vec![message("of the dead"), message("of the living")]).await.unwrap();
    assert_eq!(super::keys(&dead.claim(JOB, 1, LEASE).await.unwrap()), ["of the dead"]);
    let held = living.claim(JOB, 1, LEASE).await.unwrap();
    assert_eq!(super::keys(&held), ["of the living"]);
    drop(dead);

    let given = eventually("it is given to another", async || another.claim(JOB, 10, LEASE).await.unwrap().pop()).await;
    assert_eq!((given.message.key.as_str(), given.attempt), ("of the dead", 2));
    assert_eq!(another.claim(JOB, 10, LEASE).await.unwrap(), []);
    living.settle(vec![Settlement::Done(held[0].ticket.clone())]).await.unwrap();
    another.settle(vec![Settlement::Done(given.ticket)]).await.unwrap();
    let depth = another.depth(JOB).await.unwrap();
    assert_eq!((depth.waiting, depth.running, depth.dead), (0, 0, 0));
}

/// Its channels were taken from it after the start, or it was let in another way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_without_channels_gives_is_taken_and_given_once() {
    let server = RedisServer::start().await.unwrap();
    let redis = server.connect().await.unwrap();
    let queue = server.queue(Arc::new(ManualClock::new())).await.unwrap();
    redis.call::<()>(cmd("ACL").arg(&["SETUSER", "default", "resetchannels"])).await.unwrap();
    queue.enqueue(vec![message("a")]).await.unwrap();
    queue.enqueue(vec![message("a")]).await.unwrap();
    let leased = queue.claim(JOB, 10, LEASE).await.unwrap();
    assert_eq!(super::keys(&leased), ["a"]);
    let again = Settlement::Again {
        ticket: leased[0].ticket.clone(),
        not_before: ManualClock::new().now(),
        why: "not yet".to_owned(),
    };
    queue.settle(vec![again]).await.unwrap();
    assert_eq!(super::keys(&queue.claim(JOB, 10, LEASE).await.unwrap()), ["a"]);
}

/// Whether a queue takes nothing more.
async fn is_full(queue: &RedisQueue, number: usize) -> bool {
    let large = Message { body: vec![b'x'; 32 * 1024].into(), ..message(&number.to_string()) };
    match queue.enqueue(vec![large]).await {
        Ok(()) => false,
        Err(error) => {
            assert!(matches!(&error, QueueError::Away(why) if why.contains("OOM")), "{error}");
            true
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_whose_memory_is_full_takes_no_more_and_what_it_holds_is_worked_off() {
    let server = RedisServer::start().await.unwrap();
    let queue = server.queue(Arc::new(SystemClock)).await.unwrap();
    server.set("maxmemory", "8mb").await.unwrap();
    let mut taken = 0;
    while !is_full(&queue, taken).await {
        taken += 1;
    }
    assert!(taken > 100, "{taken}");
    // A process that comes now works as well.
    let another = server.queue(Arc::new(SystemClock)).await.unwrap();
    let leased = another.claim(JOB, 50, LEASE).await.unwrap();
    assert_eq!(leased.len(), 50);
    assert!(Turn::at(server.connect().await.unwrap(), "schedule", "another", LEASE).is_ours().await.unwrap());
    // What comes of it is taken, also where it is given together with what is not.
    let follows = Message { lane: Lane::Urgent, ..message("what comes of it") };
    let does_not = Message { job: "another job".to_owned(), ..message("what is new") };
    assert!(matches!(another.enqueue(vec![does_not, follows]).await, Err(QueueError::Away(_))));
    another.settle(leased.into_iter().map(|leased| Settlement::Done(leased.ticket)).collect()).await.unwrap();
    assert_eq!(another.depth(JOB).await.unwrap().waiting, taken - 50 + 1);
    eventually("there is room again", async || (!is_full(&queue, taken + 1).await).then_some(())).await;
}
