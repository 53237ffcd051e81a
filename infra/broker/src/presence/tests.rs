use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use domain::Timestamp;
use jobs::ports::{Inboxes, LinkError};
use records::nodes::{self, Session};
use tokio::time::{Instant, advance};

use super::*;
use crate::fakes::{MemoryQueue, MemoryTable, TokioClock};

const PATIENCE: Duration = Duration::from_mins(1);

/// Inboxes whose owners give a sign of life just when theirs is removed. What came of it.
#[derive(Default)]
struct LastMinute {
    table: Arc<MemoryTable>,
    lived_on: Mutex<Vec<bool>>,
}

#[async_trait]
impl Inboxes for LastMinute {
    async fn remove(&self, broker: &str) -> Result<(), LinkError> {
        let lives = brokers::live(self.table.as_ref(), broker, TokioClock::START).await.unwrap();
        self.lived_on.lock().unwrap().push(lives);
        Ok(())
    }
}

/// Nobody comes.
struct Shut;

#[async_trait]
impl Door for Shut {
    async fn seen(&self) -> Result<Seen, TableError> {
        Ok(Seen::default())
    }
}

/// A broker that looks, beside one called `other` that gave one sign.
async fn beside_another() -> (Presence, Arc<LastMinute>) {
    let inboxes = Arc::new(LastMinute::default());
    let table = Arc::clone(&inboxes.table);
    for broker in ["this", "other"] {
        brokers::begin(table.as_ref(), broker, None, TokioClock::START).await.unwrap();
    }
    let presence = Presence {
        broker: "this".to_owned(),
        undertaker: Undertaker {
            table,
            queue: Arc::new(MemoryQueue::new()),
            clock: Arc::new(TokioClock::new()),
            inboxes: Arc::clone(&inboxes) as _,
            patience: PATIENCE,
            parts_die: false,
        },
        door: Arc::new(Shut),
        looks: Arc::default(),
    };
    (presence, inboxes)
}

/// Looks as often as there are signs to see, for so long.
async fn look_for(presence: &Presence, known: &mut Known, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        advance(PATIENCE / SIGNS).await;
        assert!(presence.look(known).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_buried_cannot_come_back_while_it_is() {
    let (presence, inboxes) = beside_another().await;
    let mut known = Known::nothing();
    assert!(presence.look(&mut known).await.unwrap());
    look_for(&presence, &mut known, PATIENCE).await;
    assert_eq!(*inboxes.lived_on.lock().unwrap(), [false], "it must not live on without its inbox");
    let left = brokers::all(presence.undertaker.table.as_ref()).await.unwrap();
    assert_eq!(left.iter().map(|sign| sign.broker.as_str()).collect::<Vec<_>>(), ["this"]);
}

#[tokio::test(start_paused = true)]
async fn the_nodes_of_who_is_in_no_list_are_lost_and_those_of_who_is_are_not() {
    let (mut presence, inboxes) = beside_another().await;
    let queue = Arc::new(MemoryQueue::new());
    presence.undertaker.queue = Arc::clone(&queue) as _;
    for (node, broker) in [("n1", "this"), ("n2", "other"), ("n3", "a server that ran alone")] {
        let (node, broker, connection) = (node.to_owned(), broker.to_owned(), "c".to_owned());
        let session = Session { node, broker, connection, since: TokioClock::START, ready: true };
        nodes::open_session(inboxes.table.as_ref(), &session).await.unwrap();
    }
    assert!(presence.look(&mut Known::nothing()).await.unwrap());
    let held = nodes::sessions(inboxes.table.as_ref()).await.unwrap();
    assert_eq!(held.iter().map(|session| session.node.as_str()).collect::<Vec<_>>(), ["n1", "n2"]);
    let reported: Vec<String> = queue.reports().into_iter().map(|report| report.node).collect();
    assert_eq!(reported, ["n3"]);
}

#[tokio::test(start_paused = true)]
async fn the_nodes_of_a_dead_broker_were_lost_before_it_was_buried() {
    let (mut presence, inboxes) = beside_another().await;
    let queue = Arc::new(MemoryQueue::new());
    presence.undertaker.queue = Arc::clone(&queue) as _;
    let later = TokioClock::START.plus(Duration::from_secs(9));
    for (node, since) in [("n1", TokioClock::START), ("n2", later)] {
        let (node, broker, connection) = (node.to_owned(), "other".to_owned(), "c".to_owned());
        let session = Session { node, broker, connection, since, ready: true };
        nodes::open_session(inboxes.table.as_ref(), &session).await.unwrap();
    }
    let mut known = Known::nothing();
    assert!(presence.look(&mut known).await.unwrap());
    look_for(&presence, &mut known, PATIENCE).await;
    let lost: Vec<_> = queue.reports().into_iter().map(|report| (report.node, report.at)).collect();
    let next_sign = |at: Timestamp| at.plus(PATIENCE / SIGNS);
    assert_eq!(lost, [("n1".to_owned(), next_sign(TokioClock::START)), ("n2".to_owned(), next_sign(later))]);
}

#[tokio::test(start_paused = true)]
async fn a_burial_that_was_begun_is_finished_by_the_next_who_looks() {
    let (presence, inboxes) = beside_another().await;
    let other =
        brokers::all(presence.undertaker.table.as_ref()).await.unwrap().into_iter().find(|sign| sign.broker == "other");
    assert!(brokers::declare_dead(presence.undertaker.table.as_ref(), &other.unwrap()).await.unwrap());
    assert!(presence.look(&mut Known::nothing()).await.unwrap());
    assert_eq!(*inboxes.lived_on.lock().unwrap(), [false]);
    assert_eq!(brokers::all(presence.undertaker.table.as_ref()).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_was_held_up_takes_nobody_for_dead_on_that_account() {
    let (presence, inboxes) = beside_another().await;
    let mut known = Known::nothing();
    assert!(presence.look(&mut known).await.unwrap());
    advance(2 * PATIENCE).await;
    assert!(presence.look(&mut known).await.unwrap());
    assert_eq!(*inboxes.lived_on.lock().unwrap(), [false; 0]);
    look_for(&presence, &mut known, PATIENCE).await;
    assert_eq!(inboxes.lived_on.lock().unwrap().len(), 1, "what gives no sign from then on is dead");
}

#[tokio::test(start_paused = true)]
async fn the_last_broker_is_buried_by_who_is_none() {
    let (presence, inboxes) = beside_another().await;
    let mut known = Known::nothing();
    for _ in 0..=SIGNS {
        presence.undertaker.look(&mut known, None).await.unwrap();
        advance(PATIENCE / SIGNS).await;
    }
    assert_eq!(*inboxes.lived_on.lock().unwrap(), [false, false]);
    assert_eq!(brokers::all(presence.undertaker.table.as_ref()).await.unwrap(), []);
}

/// What ends of a broker's alarms when it is buried that goes by a part, beside one that lives and goes by `other`.
async fn ends_with(other: Option<&str>) -> Vec<String> {
    let (mut presence, inboxes) = beside_another().await;
    let (table, queue) = (Arc::clone(&inboxes.table), Arc::new(MemoryQueue::new()));
    presence.undertaker.queue = Arc::clone(&queue) as _;
    brokers::leave(table.as_ref(), "other").await.unwrap();
    brokers::begin(table.as_ref(), "this", other, TokioClock::START).await.unwrap();
    brokers::begin(table.as_ref(), "dead", Some("broker:east:8081"), TokioClock::START).await.unwrap();
    look_for(&presence, &mut Known::nothing(), 2 * PATIENCE).await;
    assert_eq!(brokers::all(table.as_ref()).await.unwrap().len(), 1, "it is buried");
    let of = |event| match event {
        jobs::report::Event::PartBack { need, .. } => Some(need.to_string()),
        _ => None,
    };
    queue.events().into_iter().filter_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_told_under_a_name_that_nobody_has_any_more_ends_with_the_burial() {
    for other in [None, Some("broker:west:8081")] {
        let ended = ["queue", "store", "spool", "durability", "clock"].map(|need| format!("broker:east:8081/{need}"));
        assert_eq!(ends_with(other).await, ended);
    }
    assert_eq!(ends_with(Some("broker:east:8081")).await, [""; 0], "who came after it tells the end itself");
}
