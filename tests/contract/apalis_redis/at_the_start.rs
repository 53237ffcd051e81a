//! What would lose jobs is refused at the start.

use std::sync::Arc;

use engine_embedded::Engine;
use engine_redis::redis::cmd;
use jobs::ports::{Enqueue, Message};
use queue::{EmbeddedQueue, MOST_WAITING};
use telltale_tests::{ManualClock, RedisServer, refusal};
use tempfile::TempDir;

use super::noted::{End, noted};

/// A box that is about to start, and its Redis.
struct Start {
    redis: RedisServer,
    folder: TempDir,
}

impl Start {
    async fn prepare() -> Self {
        Self { redis: RedisServer::start().await.unwrap(), folder: TempDir::new().unwrap() }
    }

    async fn call(&self, words: &[&str]) {
        let redis = self.redis.connect().await.unwrap();
        let mut command = cmd(words[0]);
        command.arg(&words[1..]);
        redis.call::<()>(&command).await.unwrap();
    }

    /// Why it does not start with this of `[redis]`.
    async fn refused(&self, settings: &str) -> String {
        let data = self.folder.path().join("data");
        let config = format!("data = '{}'\n[redis]\nurl = '{}'\n{settings}\n", data.display(), self.redis.url());
        refusal(self.folder.path(), &config).await.unwrap()
    }
}

const APALIS_REDIS: &str = "queue = 'apalis-redis'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_may_forget_is_refused() {
    let start = Start::prepare().await;
    let told = start.refused(&format!("{APALIS_REDIS}\nmay_forget = true")).await;
    assert!(told.contains("no redis.may_forget"), "{told}");
    start.call(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    let told = start.refused(APALIS_REDIS).await;
    assert!(told.contains("maxmemory-policy"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_follows_another_is_refused_by_either_kind_of_queue() {
    let start = Start::prepare().await;
    start.redis.follows_another().await.unwrap();
    for settings in [APALIS_REDIS, ""] {
        let told = start.refused(settings).await;
        assert!(told.contains("its role is slave") && told.contains("REPLICAOF NO ONE"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_wait_in_another_kind_of_queue_are_not_left_behind() {
    let start = Start::prepare().await;
    let data = start.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    start.call(&["SET", "telltale:name", "a"]).await;
    for (written, settings) in [("redis a", APALIS_REDIS), ("apalis-redis a", ""), ("apalis-redis b", APALIS_REDIS)] {
        std::fs::write(data.join("queue"), written).unwrap();
        let told = start.refused(settings).await;
        assert!(told.contains("another redis.queue"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_jobs_than_it_holds_are_not_moved_to_it() {
    let start = Start::prepare().await;
    let data = start.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let engine = Engine::open(data.join("store")).unwrap();
    let alone = EmbeddedQueue::open(engine, Arc::new(ManualClock::new())).unwrap();
    let job = |n: usize| Message { job: format!("job-{}", n % 2), ..noted(&n.to_string(), End::Done) };
    alone.enqueue((0..=MOST_WAITING).map(job).collect()).await.unwrap();
    drop(alone);
    let told = start.refused(APALIS_REDIS).await;
    assert!(told.contains("than apalis-redis can hold"), "{told}");
}
