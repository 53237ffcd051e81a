//! What no queue will take does not keep the rest from it, and is not lost.

use engine_embedded::Engine;

use super::*;

/// A queue that was away and refuses one message.
struct Picky {
    queue: Arc<RedisQueue>,
    is_away: AtomicBool,
    refused: &'static str,
}

#[async_trait]
impl Enqueue for Picky {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(QueueError::Away("it is away".to_owned()));
        }
        if messages.iter().any(|message| message.key == self.refused) {
            return Err(QueueError::Invalid("it is refused".to_owned()));
        }
        self.queue.enqueue(messages).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_queue_refuses_of_what_is_spooled_is_kept_aside_and_the_rest_is_given_in_order() {
    let away = Away::start().await;
    let picky = Picky { queue: Arc::clone(&away.queue), is_away: AtomicBool::new(true), refused: "0003" };
    let picky = Arc::new(picky);
    let spool = Arc::new(SpooledQueue::open(Arc::clone(&picky) as _, away.folder.path(), MEBIBYTE).unwrap());
    spool.enqueue(numbered(0..6)).await.unwrap();
    picky.is_away.store(false, Ordering::Relaxed);

    let draining = drain(&spool);
    assert_eq!(away.keys(5).await, ["0000", "0001", "0002", "0004", "0005"]);
    eventually("nothing waits", async || (spool.state().messages == 0).then_some(())).await;
    assert_eq!(spool.state().set_aside, 1);
    draining.abort();
    let _ = draining.await;
    drop(spool);
    assert_eq!(away.spool(MEBIBYTE).state().set_aside, 1, "also after a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_damaged_in_a_spool_is_kept_aside_and_the_rest_is_given_in_order() {
    let away = Away::start().await;
    away.server.kill().await.unwrap();
    let spool = away.spool(MEBIBYTE);
    spool.enqueue(numbered(0..3)).await.unwrap();
    drop(spool);
    let engine = Engine::open(away.folder.path()).unwrap();
    let rows = engine.space("spool").unwrap();
    let second = rows.range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded).nth(1).unwrap().unwrap().key;
    let damaged = engine.commit({
        let rows = rows.clone();
        move |batch| {
            batch.put(&rows, second, b"no message".to_vec());
            Ok(())
        }
    });
    damaged.await.unwrap();
    drop((rows, engine));

    away.server.restart().await.unwrap();
    let spool = away.spool(MEBIBYTE);
    let draining = drain(&spool);
    assert_eq!(away.keys(2).await, ["0000", "0002"]);
    eventually("nothing waits", async || (spool.state().messages == 0).then_some(())).await;
    assert_eq!(spool.state().set_aside, 1);
    draining.abort();
}
