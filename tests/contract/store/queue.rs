//! The queue in a folder.

use std::{sync::Arc, time::Duration};

use engine_embedded::Engine;
use jobs::ports::{Consume, Depth, Enqueue, Inspect, Lane, Leased, Message, Settlement};
use queue::EmbeddedQueue;
use records::Clock;
use telltale_tests::ManualClock;
use tempfile::TempDir;

const JOB: &str = "test_job";
const LEASE: Duration = Duration::from_mins(10);

fn message(key: &str) -> Message {
    Message {
        job: JOB.to_owned(),
        key: key.to_owned(),
        lane: Lane::Normal,
        not_before: None,
        max_attempts: 2,
        body: key.to_owned().into(),
    }
}

fn open(folder: &TempDir, clock: &Arc<ManualClock>) -> EmbeddedQueue {
    EmbeddedQueue::open(Engine::open(folder.path()).unwrap(), clock.clone()).unwrap()
}

async fn claim(queue: &EmbeddedQueue, limit: usize) -> Vec<Leased> {
    queue.claim(JOB, limit, LEASE).await.unwrap()
}

#[tokio::test]
async fn a_restart_keeps_every_message_where_it_was() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new());
    let later = Message { not_before: Some(clock.now().plus(LEASE)), ..message("later") };
    {
        let queue = open(&folder, &clock);
        queue.enqueue(["done", "dead", "again"].map(message).to_vec()).await.unwrap();
        let leased = claim(&queue, 3).await;
        let [done, dead, again] = [0, 1, 2].map(|n| leased[n].ticket.clone());
        let not_before = clock.now();
        let settlements = vec![
            Settlement::Done(done),
            Settlement::Dead { ticket: dead, why: "hopeless".to_owned() },
            Settlement::Again { ticket: again, not_before, why: "it failed".to_owned() },
        ];
        queue.settle(settlements).await.unwrap();
        queue.enqueue(vec![later.clone(), message("waiting")]).await.unwrap();
    }
    let queue = open(&folder, &clock);
    assert_eq!(queue.depth(JOB).await.unwrap(), Depth { waiting: 3, running: 0, dead: 1 });
    let letters = queue.dead_letters(JOB, 10).await.unwrap();
    assert_eq!((letters[0].message.clone(), letters[0].why.as_str()), (message("dead"), "hopeless"));

    queue.enqueue(vec![message("waiting"), later.clone()]).await.unwrap();
    let due: Vec<_> = claim(&queue, 10).await.into_iter().map(|leased| (leased.message, leased.attempt)).collect();
    assert_eq!(due, [(message("again"), 2), (message("waiting"), 1)]);
    clock.advance(LEASE);
    assert!(claim(&queue, 10).await.iter().any(|leased| leased.message == later));
}

#[tokio::test]
async fn what_was_leased_before_a_restart_is_claimed_at_once_and_its_attempt_counts() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new());
    let stale = {
        let queue = open(&folder, &clock);
        queue.enqueue(vec![message("a")]).await.unwrap();
        claim(&queue, 1).await.remove(0)
    };
    {
        let queue = open(&folder, &clock);
        queue.settle(vec![Settlement::Done(stale.ticket)]).await.unwrap();
        let leased = claim(&queue, 10).await;
        assert_eq!(leased.iter().map(|leased| leased.attempt).collect::<Vec<_>>(), [2]);
    }
    let queue = open(&folder, &clock);
    assert_eq!(claim(&queue, 10).await, [], "both its runs were cut short");
    assert_eq!(queue.dead_letters(JOB, 10).await.unwrap()[0].attempts, 2);
}

#[tokio::test]
async fn a_ticket_of_an_earlier_life_fits_no_later_message() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut tickets = Vec::new();
    for key in ["a", "b", "c"] {
        let queue = open(&folder, &clock);
        queue.enqueue(vec![message(key)]).await.unwrap();
        let leased = claim(&queue, 10).await.remove(0);
        assert_eq!(leased.message, message(key));
        for earlier in tickets.clone() {
            queue.settle(vec![Settlement::Done(earlier)]).await.unwrap();
        }
        assert_eq!(queue.depth(JOB).await.unwrap().running, 1);
        queue.settle(vec![Settlement::Done(leased.ticket.clone())]).await.unwrap();
        tickets.push(leased.ticket);
    }
}
