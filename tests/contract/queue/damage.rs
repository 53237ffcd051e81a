//! What others write into a queue on Redis, and what is damaged there: it spoils nothing beside it.

use std::sync::Arc;

use engine_redis::{Redis, redis::cmd};
use jobs::ports::{Consume, Enqueue, Inspect, Settlement};
use queue::RedisQueue;
use telltale_tests::{ManualClock, RedisServer, eventually};

use super::{JOB, LEASE, keys, message};

/// A queue, and a way to its Redis beside it.
struct Beside {
    server: RedisServer,
    clock: Arc<ManualClock>,
    queue: RedisQueue,
    redis: Redis,
}

impl Beside {
    async fn start() -> Self {
        let (server, clock) = (RedisServer::start().await.unwrap(), Arc::new(ManualClock::new()));
        let (queue, redis) = (server.queue(clock.clone()).await.unwrap(), server.connect().await.unwrap());
        Self { server, clock, queue, redis }
    }

    async fn enqueue(&self, key: &str) {
        self.queue.enqueue(vec![message(key)]).await.unwrap();
    }

    fn place(&self, part: &str) -> String {
        format!("{}:{part}", self.redis.keys_of(JOB))
    }

    async fn add_foreign_entry(&self) {
        let lane = self.place("lane:1");
        self.redis.call::<String>(cmd("XADD").arg(lane).arg(&["*", "foo", "bar"])).await.unwrap();
    }

    /// Reads what is due as a script that fails then does: no lease says who has it.
    async fn read_and_leave(&self, by: &str) {
        let mut read = cmd("XREADGROUP");
        read.arg(&["GROUP", "workers", by, "COUNT", "10", "STREAMS", &self.place("lane:1"), ">"]);
        self.redis.call::<engine_redis::redis::Value>(&read).await.unwrap();
    }

    async fn claim(&self) -> Vec<super::Leased> {
        self.queue.claim(JOB, 10, LEASE).await.unwrap()
    }

    async fn end(&self, leased: Vec<super::Leased>) {
        self.queue.settle(leased.into_iter().map(|leased| Settlement::Done(leased.ticket)).collect()).await.unwrap();
    }

    async fn counts(&self) -> (usize, usize, usize) {
        let depth = self.queue.depth(JOB).await.unwrap();
        (depth.waiting, depth.running, depth.dead)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_is_no_message_is_thrown_away_and_its_neighbours_run() {
    let beside = Beside::start().await;
    beside.enqueue("before").await;
    beside.add_foreign_entry().await;
    beside.enqueue("after").await;
    assert_eq!(beside.queue.waiting(JOB, 10).await.unwrap().len(), 2);
    let given = beside.claim().await;
    assert_eq!(keys(&given), ["before", "after"]);
    beside.end(given).await;
    assert_eq!(beside.counts().await, (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_and_is_in_no_lease_is_taken_up_as_if_it_were_not() {
    let beside = Beside::start().await;
    // The group is made by the first claim.
    beside.enqueue("first").await;
    let first = beside.claim().await;
    assert_eq!(keys(&first), ["first"]);
    beside.enqueue("left").await;
    beside.add_foreign_entry().await;
    beside.read_and_leave("nobody").await;

    let given = eventually("it is taken up", async || Some(beside.claim().await).filter(|it| !it.is_empty())).await;
    assert_eq!((keys(&given), given[0].attempt), (vec!["left"], 1));
    beside.end(given).await;
    beside.end(first).await;
    assert_eq!(beside.counts().await, (0, 0, 0));
}

/// Its name is forgotten once it is dead, and what it has pending would be forgotten with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_read_and_did_not_lease_is_taken_up_by_another() {
    let beside = Beside::start().await;
    beside.enqueue("held").await;
    let dead = RedisQueue::new(beside.server.connect().await.unwrap(), "dead").by(beside.clock.clone());
    let held = dead.claim(JOB, 1, LEASE).await.unwrap();
    dead.settle(vec![Settlement::Done(held[0].ticket.clone())]).await.unwrap();
    beside.enqueue("left").await;
    beside.read_and_leave("dead").await;
    drop(dead);
    beside.redis.call::<u64>(cmd("DEL").arg(beside.redis.key("alive:dead"))).await.unwrap();

    let given = eventually("it is taken up", async || Some(beside.claim().await).filter(|it| !it.is_empty())).await;
    assert_eq!(keys(&given), ["left"]);
    beside.end(given).await;
    assert_eq!(beside.counts().await, (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_message_is_a_dead_letter_of_its_own_and_its_neighbours_run() {
    let beside = Beside::start().await;
    for key in ["before", "damaged", "after"] {
        beside.enqueue(key).await;
    }
    let damage = cmd("HSET").arg(beside.place("messages")).arg(&["damaged", "garbage"]).take();
    beside.redis.call::<u64>(&damage).await.unwrap();
    assert_eq!(beside.queue.waiting(JOB, 10).await.unwrap().len(), 2);

    let given = beside.claim().await;
    assert_eq!(keys(&given), ["before", "after"]);
    beside.end(given).await;
    assert_eq!(beside.counts().await, (0, 0, 1));
    let letters = beside.queue.dead_letters(JOB, 10).await.unwrap();
    let letter = letters.first().unwrap();
    assert_eq!((letter.message.key.as_str(), letter.message.body.as_ref()), ("damaged", &b"garbage"[..]));
    assert!(letter.why.contains("not understood"), "{}", letter.why);
    assert!(beside.queue.discard(JOB, &letter.id).await.unwrap());
    // The same work may come again.
    beside.enqueue("damaged").await;
    assert_eq!(keys(&beside.claim().await), ["damaged"]);
}
