//! A queue that is away, and the spool before it.

mod aside;

use std::{
    future,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::Timestamp;
use futures::FutureExt;
use jobs::ports::{Consume, Enqueue, Message, QueueError, Spooling};
use queue::{RedisQueue, SpooledQueue};
use telltale_tests::{ManualClock, RedisServer, eventually};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

use super::{JOB, LEASE, keys, message};

const MEBIBYTE: u64 = 1024 * 1024;

/// A queue on a Redis that can go away, and where its spool lies.
struct Away {
    server: RedisServer,
    queue: Arc<RedisQueue>,
    folder: TempDir,
}

impl Away {
    async fn start() -> Self {
        let server = RedisServer::start().await.unwrap();
        let queue = Arc::new(server.queue(Arc::new(ManualClock::new())).await.unwrap());
        Self { server, queue, folder: TempDir::new().unwrap() }
    }

    fn spool(&self, most_bytes: u64) -> Arc<SpooledQueue> {
        open(&self.queue, self.folder.path(), most_bytes)
    }

    /// The keys of all that there is to claim, once there are so many.
    async fn keys(&self, count: usize) -> Vec<String> {
        let mut found = Vec::new();
        eventually("all of it is in the queue", async || {
            let claimed = self.queue.claim(JOB, 500, LEASE).await.unwrap_or_default();
            found.extend(keys(&claimed).into_iter().map(str::to_owned));
            (found.len() >= count).then_some(())
        })
        .await;
        found
    }
}

fn open(queue: &Arc<RedisQueue>, folder: &Path, most_bytes: u64) -> Arc<SpooledQueue> {
    Arc::new(SpooledQueue::open(Arc::clone(queue) as _, folder, most_bytes).unwrap())
}

fn drain(spool: &Arc<SpooledQueue>) -> JoinHandle<()> {
    let spool = Arc::clone(spool);
    tokio::spawn(async move { spool.drain().await })
}

fn numbered(numbers: std::ops::Range<u32>) -> Vec<Message> {
    numbers.map(|number| message(&format!("{number:04}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_while_the_queue_is_away_is_given_to_it_in_order_when_it_is_back() {
    let away = Away::start().await;
    let spool = away.spool(MEBIBYTE);
    let draining = drain(&spool);
    spool.enqueue(numbered(0..1)).await.unwrap();
    assert_eq!(spool.state().messages, 0, "while it is there nothing is spooled");

    away.server.kill().await.unwrap();
    for number in 1..200 {
        spool.enqueue(numbered(number..number + 1)).await.unwrap();
    }
    assert!(spool.state().messages > 0 && spool.state().bytes > 0);
    away.server.restart().await.unwrap();
    for number in 200..220 {
        spool.enqueue(numbered(number..number + 1)).await.unwrap();
    }
    let wanted: Vec<String> = (0..220).map(|number| format!("{number:04}")).collect();
    assert_eq!(away.keys(220).await, wanted);
    eventually("nothing is left in the spool", async || (spool.state().messages == 0).then_some(())).await;
    assert_eq!(spool.state().bytes, 0);
    draining.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spooled_outlives_the_process_that_took_it() {
    let away = Away::start().await;
    let spool = away.spool(MEBIBYTE);
    away.server.kill().await.unwrap();
    let whole =
        Message { not_before: Some(Timestamp(1)), max_attempts: 7, body: vec![0, 255, 10].into(), ..message("whole") };
    spool.enqueue(vec![whole.clone()]).await.unwrap();
    spool.enqueue(numbered(0..3)).await.unwrap();
    drop(spool);

    away.server.restart().await.unwrap();
    let spool = away.spool(MEBIBYTE);
    assert_eq!(spool.state().messages, 4);
    spool.enqueue(numbered(3..4)).await.unwrap();
    let draining = drain(&spool);
    let claimed = eventually("all of it is in the queue", async || {
        let claimed = away.queue.claim(JOB, 500, LEASE).await.unwrap_or_default();
        (!claimed.is_empty()).then_some(claimed)
    })
    .await;
    assert_eq!(claimed[0].message, whole);
    assert_eq!(keys(&claimed), ["whole", "0000", "0001", "0002", "0003"]);
    draining.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_while_an_empty_redis_stands_in_for_another_waits_for_the_one_of_before() {
    let Away { server, queue, folder } = Away::start().await;
    server.is_called("the one of before").await.unwrap();
    let named = server.queue(Arc::new(ManualClock::new())).await.unwrap().on_the_one_called("the one of before");
    let named = Arc::new(named);
    let spool = open(&named, folder.path(), MEBIBYTE);
    spool.enqueue(numbered(0..1)).await.unwrap();
    server.kill().await.unwrap();
    spool.enqueue(numbered(1..100)).await.unwrap();

    server.is_replaced_by_an_empty_one().await.unwrap();
    eventually("the one in its place answers", async || match named.enqueue(numbered(100..101)).await {
        Err(QueueError::Away(why)) => why.contains("another one").then_some(()),
        taken => panic!("{taken:?}"),
    })
    .await;
    timeout(Duration::from_millis(500), spool.drain()).await.expect_err("it goes on for ever");
    spool.enqueue(numbered(100..120)).await.unwrap();
    assert_eq!(spool.state().messages, 119, "nothing leaves the spool");
    assert!(matches!(named.claim(JOB, 1, LEASE).await, Err(QueueError::Away(_))), "what others wait for is not ours");
    assert_eq!(server.size().await.unwrap(), 0);

    server.is_brought_back().await.unwrap();
    let draining = drain(&spool);
    let wanted: Vec<String> = (0..120).map(|number| format!("{number:04}")).collect();
    assert_eq!(Away { server, queue, folder }.keys(120).await, wanted);
    draining.abort();
}

/// A queue that is away at first, and then takes what it is given and never answers.
#[derive(Default)]
struct Silent {
    was_away: AtomicBool,
    is_given: Notify,
}

#[async_trait]
impl Enqueue for Silent {
    async fn enqueue(&self, _: Vec<Message>) -> Result<(), QueueError> {
        if !self.was_away.swap(true, Ordering::Relaxed) {
            return Err(QueueError::Away("it is away".to_owned()));
        }
        self.is_given.notify_one();
        future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_was_giving_to_the_queue_when_it_died_is_given_by_the_next() {
    let away = Away::start().await;
    let silent = Arc::new(Silent::default());
    let spool = SpooledQueue::open(Arc::clone(&silent) as _, away.folder.path(), MEBIBYTE).unwrap();
    spool.enqueue(numbered(0..3)).await.unwrap();
    tokio::select! {
        () = spool.drain() => {}
        () = silent.is_given.notified() => {}
    }
    drop(spool);

    let spool = away.spool(MEBIBYTE);
    assert_eq!(spool.state().messages, 3);
    let draining = drain(&spool);
    assert_eq!(away.keys(3).await, ["0000", "0001", "0002"]);
    draining.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_spool_takes_nothing_and_loses_nothing() {
    let away = Away::start().await;
    let spool = away.spool(1000);
    away.server.kill().await.unwrap();
    let mut taken = 0;
    let full = loop {
        match spool.enqueue(numbered(taken..taken + 1)).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&full, QueueError::Away(why) if why.contains("full")), "{full}");
    assert!(taken > 0 && spool.state().bytes <= 1000);
    assert!(matches!(spool.enqueue(vec![message("")]).await, Err(QueueError::Invalid(_))));

    away.server.restart().await.unwrap();
    let draining = drain(&spool);
    assert_eq!(away.keys(taken as usize).await.len(), taken as usize);
    eventually("there is room again", async || spool.enqueue(vec![message("later")]).await.ok()).await;
    draining.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_whose_disk_takes_nothing_says_so_until_it_takes_something_again() {
    let away = Away::start().await;
    let folder = away.folder.path().join("spool");
    let spool = open(&away.queue, &folder, MEBIBYTE);
    away.server.kill().await.unwrap();
    let draining = drain(&spool);
    // A disk that cannot be seen is taken for one that takes nothing.
    let gone = away.folder.path().join("gone");
    std::fs::rename(&folder, &gone).unwrap();
    assert!(matches!(spool.enqueue(numbered(0..1)).await, Err(QueueError::Away(_))));
    assert!(spool.state().disk_refuses && spool.state().is_nearly_full());
    assert!(!spool.has_failed(), "it heals by itself");

    std::fs::rename(&gone, &folder).unwrap();
    eventually("it has room again, which nobody had to try", async || (!spool.state().disk_refuses).then_some(()))
        .await;
    spool.enqueue(numbered(1..2)).await.unwrap();
    draining.abort();
    drop(spool);
    assert_eq!(open(&away.queue, &folder, MEBIBYTE).state().messages, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_whose_disk_takes_nothing_is_no_matter_once_the_queue_takes_everything() {
    let away = Away::start().await;
    let folder = away.folder.path().join("spool");
    let spool = open(&away.queue, &folder, MEBIBYTE);
    away.server.kill().await.unwrap();
    std::fs::rename(&folder, away.folder.path().join("gone")).unwrap();
    assert!(matches!(spool.enqueue(numbered(0..1)).await, Err(QueueError::Away(_))));
    assert!(spool.state().disk_refuses);
    away.server.restart().await.unwrap();
    eventually("the queue takes it", async || spool.enqueue(numbered(1..2)).await.ok()).await;
    assert!(!spool.state().disk_refuses && spool.state().disk_is_full, "it is said before it matters");
    std::fs::rename(away.folder.path().join("gone"), &folder).unwrap();
    assert!(!spool.state().disk_is_full);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_queue_was_given_that_may_forget_is_given_again_once_it_keeps_things_and_then_removed() {
    let away = Away::start().await;
    let spool = away.spool(MEBIBYTE);
    let draining = drain(&spool);
    spool.keep_copies(true);
    spool.enqueue(numbered(0..3)).await.unwrap();
    assert_eq!(spool.state().messages, 0, "the queue has them");
    assert_eq!(away.keys(3).await.len(), 3);
    away.server.forget_everything().await.unwrap();
    spool.keep_copies(false);
    assert_eq!(away.keys(3).await, ["0000", "0001", "0002"]);
    eventually("it is idle", async || (spool.state().messages == 0).then_some(())).await;
    draining.abort();
    let _ = draining.await;
    let _ = spool.drain().now_or_never();
    drop(spool);
    assert_eq!(away.spool(MEBIBYTE).state().messages, 0, "no copy is left");
}

/// A queue that is away when it is told so, and else takes what it is given and answers when it may.
#[derive(Default)]
struct Slow {
    is_away: AtomicBool,
    given: Mutex<Vec<String>>,
    is_given: Notify,
    may_answer: Notify,
}

#[async_trait]
impl Enqueue for Slow {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(QueueError::Away("it is away".to_owned()));
        }
        self.given.lock().unwrap().extend(messages.into_iter().map(|message| message.key));
        self.is_given.notify_one();
        self.may_answer.notified().await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_that_are_given_again_while_the_queue_is_slow_to_take_something_else_are_given_all_the_same() {
    let (slow, folder) = (Arc::new(Slow::default()), TempDir::new().unwrap());
    let spool = Arc::new(SpooledQueue::open(Arc::clone(&slow) as _, folder.path(), MEBIBYTE).unwrap());
    spool.keep_copies(true);
    slow.may_answer.notify_one();
    spool.enqueue(numbered(0..3)).await.unwrap();
    slow.is_given.notified().await;
    slow.is_away.store(true, Ordering::Relaxed);
    spool.enqueue(numbered(3..5)).await.unwrap();
    slow.is_away.store(false, Ordering::Relaxed);

    let draining = drain(&spool);
    slow.is_given.notified().await;
    slow.given.lock().unwrap().clear();
    // It came back, and may have forgotten what it had.
    spool.keep_copies(true);
    slow.may_answer.notify_one();
    slow.is_given.notified().await;
    slow.may_answer.notify_one();
    eventually("it has all", async || (spool.state().messages == 0).then_some(())).await;
    assert_eq!(*slow.given.lock().unwrap(), ["0000", "0001", "0002"]);
    draining.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_take_half_of_a_spool_and_the_latest_are_kept() {
    let away = Away::start().await;
    let spool = away.spool(2000);
    let draining = drain(&spool);
    spool.keep_copies(true);
    for number in 0..40 {
        spool.enqueue(numbered(number..number + 1)).await.unwrap();
    }
    away.server.kill().await.unwrap();
    eventually("it is there for what comes while the queue is away", async || {
        spool.enqueue(numbered(40..41)).await.ok()
    })
    .await;
    draining.abort();
    let _ = draining.await;
    drop(spool);
    let left = away.spool(2000);
    assert!((2..40).contains(&left.state().messages), "{:?}", left.state());
    assert!(left.state().bytes <= 2000, "{:?}", left.state());
}

/// A queue that counts what it is given.
struct Counts {
    queue: Arc<RedisQueue>,
    given: AtomicUsize,
}

#[async_trait]
impl Enqueue for Counts {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let count = messages.len();
        self.queue.enqueue(messages).await?;
        self.given.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_disk_does_not_let_go_is_given_once_holds_up_nothing_and_is_removed_when_there_is_room() {
    let away = Away::start().await;
    let (folder, gone) = (away.folder.path().join("spool"), away.folder.path().join("gone"));
    let counts = Arc::new(Counts { queue: Arc::clone(&away.queue), given: AtomicUsize::new(0) });
    let spool = Arc::new(SpooledQueue::open(Arc::clone(&counts) as _, &folder, MEBIBYTE).unwrap());
    away.server.kill().await.unwrap();
    spool.enqueue(numbered(0..250)).await.unwrap();
    std::fs::rename(&folder, &gone).unwrap();

    away.server.restart().await.unwrap();
    let draining = drain(&spool);
    eventually("the queue has all of it", async || (spool.state().messages == 0).then_some(())).await;
    for number in 250..255 {
        spool.enqueue(numbered(number..number + 1)).await.unwrap();
    }
    assert_eq!(counts.given.load(Ordering::Relaxed), 255, "each once");
    let wanted: Vec<String> = (0..255).map(|number| format!("{number:04}")).collect();
    assert_eq!(away.keys(255).await, wanted);
    assert!(!spool.has_failed());

    draining.abort();
    let _ = draining.await;
    std::fs::rename(&gone, &folder).unwrap();
    // It hands over what it removes, and that is done when the spool is closed.
    assert!(spool.drain().now_or_never().is_none());
    drop(spool);
    assert_eq!(open(&away.queue, &folder, MEBIBYTE).state().messages, 0);
    assert_eq!(counts.given.load(Ordering::Relaxed), 255, "each once");
}
