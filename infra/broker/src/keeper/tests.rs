//! What is kept of nodes that come and go, also where the table is away meanwhile.

use jobs::ports::{Dice, NodeCommand};
use tokio::time::sleep;

use super::*;
use crate::{
    counters::Counters,
    fakes::{CountingDice, CutOff, MemoryQueue, MemoryTable, RecordingLink, TokioClock, eventually},
    reports::Batcher,
};

/// A batch of the broker's waits so long for more.
const GATHERED: Duration = Duration::from_millis(60);

/// What two brokers share.
struct Site {
    table: Arc<MemoryTable>,
    queue: Arc<MemoryQueue>,
    clock: Arc<dyn Clock>,
}

impl Site {
    fn new() -> Self {
        Self { table: Arc::default(), queue: Arc::new(MemoryQueue::new()), clock: Arc::new(TokioClock::new()) }
    }

    /// A broker's keeper that reaches the table by this way.
    fn broker(&self, id: &str, table: Arc<dyn Table>) -> KeeperHandle {
        self.broker_that_tells(id, table, Arc::new(RecordingLink::default()))
    }

    /// The same, and what it tells others.
    fn broker_that_tells(&self, id: &str, table: Arc<dyn Table>, link: Arc<RecordingLink>) -> KeeperHandle {
        let (dice, counters) = (Arc::new(CountingDice::default()) as Arc<dyn Dice>, Arc::new(Counters::default()));
        let (batcher, reporter) = Batcher::new(Arc::clone(&self.queue) as _, Arc::clone(&self.clock), dice, counters);
        tokio::spawn(batcher.gathering(GATHERED, 12).run(CancellationToken::new()));
        let elsewhere = Arc::new(Elsewhere::new(id, Arc::clone(&table), link));
        let (keeper, handle) = Keeper::new(id, table, Arc::clone(&self.clock), reporter, elsewhere);
        tokio::spawn(keeper.run(CancellationToken::new()));
        handle
    }

    async fn session(&self, node: &str) -> Option<Session> {
        nodes::session(self.table.as_ref(), node).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_nodes_that_go_and_come_at_once_are_held_again_within_two_seconds() {
    let site = Site::new();
    let broker = site.broker("a", Arc::clone(&site.table) as _);
    let names: Vec<String> = (0..1000).map(|number| format!("n{number}")).collect();
    let before: Vec<Sid> = names.iter().map(|_| Sid::new()).collect();
    for (node, connection) in names.iter().zip(&before) {
        broker.registered(node, *connection, site.clock.now());
    }
    sleep(Duration::from_secs(5)).await;
    for (node, connection) in names.iter().zip(&before) {
        broker.lost(node, *connection);
    }
    let after: Vec<Sid> = names.iter().map(|_| Sid::new()).collect();
    for (node, connection) in names.iter().zip(&after) {
        broker.registered(node, *connection, site.clock.now());
        broker.ready(node, *connection);
    }
    sleep(Duration::from_secs(2)).await;
    for (node, connection) in names.iter().zip(&after).step_by(50) {
        let session = site.session(node).await.unwrap();
        assert!(session.ready && session.connection == connection.to_string(), "{session:?}");
        let of_it = site.queue.reports().into_iter().filter(|report| report.node == *node).map(|report| report.event);
        let expected = [Event::NodeRegistered, Event::NodeLost, Event::NodeRegistered, Event::NodeReady];
        assert_eq!(of_it.collect::<Vec<_>>(), expected, "in this order");
    }
    let held = nodes::sessions(site.table.as_ref()).await.unwrap();
    assert_eq!(held.iter().filter(|session| session.ready).count(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_late_hello_of_a_connection_that_is_gone_does_not_evict_the_newcomer_at_another_broker() {
    let site = Site::new();
    let way = Arc::new(CutOff::never(Arc::clone(&site.table)));
    let (a, b) = (site.broker("a", Arc::clone(&way) as _), site.broker("b", Arc::clone(&site.table) as _));
    let (first, second) = (Sid::new(), Sid::new());
    way.after(0);
    a.registered("n1", first, site.clock.now());
    sleep(Duration::from_millis(200)).await;
    a.lost("n1", first);
    sleep(Duration::from_millis(100)).await;
    b.registered("n1", second, site.clock.now());
    b.ready("n1", second);
    sleep(Duration::from_millis(150)).await;
    assert!(site.session("n1").await.is_some_and(|session| session.broker == "b" && session.ready));
    way.mend();
    sleep(Duration::from_secs(20)).await;
    let session = site.session("n1").await.unwrap();
    assert_eq!((session.broker.as_str(), session.connection), ("b", second.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_hello_that_waits_for_the_table_is_written_when_that_is_back() {
    let site = Site::new();
    let way = Arc::new(CutOff::never(Arc::clone(&site.table)));
    let broker = site.broker("a", Arc::clone(&way) as _);
    way.after(0);
    broker.registered("n1", Sid::new(), site.clock.now());
    sleep(Duration::from_millis(700)).await;
    way.mend();
    let is_registered = || site.queue.events().contains(&Event::NodeRegistered).then_some(());
    eventually("its hello is reported", is_registered).await;
    assert!(site.session("n1").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_hello_is_tried_for_as_long_as_the_table_is_away_and_its_connection_is_there() {
    let site = Site::new();
    let way = Arc::new(CutOff::never(Arc::clone(&site.table)));
    let broker = site.broker("a", Arc::clone(&way) as _);
    let connection = Sid::new();
    way.after(0);
    broker.registered("n1", connection, site.clock.now());
    broker.ready("n1", connection);
    sleep(Duration::from_hours(1)).await;
    way.mend();
    sleep(Duration::from_secs(2)).await;
    assert!(site.session("n1").await.is_some_and(|session| session.ready));
    let told = site.queue.events();
    assert_eq!(told, [Event::NodeRegistered, Event::NodeReady], "and nobody was lost");
}

#[tokio::test(start_paused = true)]
async fn a_hello_whose_write_takes_long_does_not_evict_who_came_to_another_broker_meanwhile() {
    let site = Site::new();
    let way = Arc::new(CutOff::never(Arc::clone(&site.table)));
    way.takes(Duration::from_millis(1500));
    let link = Arc::new(RecordingLink::default());
    let a = site.broker_that_tells("a", Arc::clone(&way) as _, Arc::clone(&link));
    let b = site.broker("b", Arc::clone(&site.table) as _);
    let (first, second) = (Sid::new(), Sid::new());
    a.registered("n1", first, site.clock.now());
    sleep(Duration::from_millis(300)).await;
    a.lost("n1", first);
    sleep(Duration::from_millis(300)).await;
    b.registered("n1", second, site.clock.now());
    b.ready("n1", second);
    sleep(Duration::from_mins(10)).await;
    let session = site.session("n1").await.unwrap();
    assert_eq!((session.broker.as_str(), session.connection, session.ready), ("b", second.to_string(), true));
    assert_eq!(site.queue.events(), [Event::NodeRegistered, Event::NodeReady], "nobody was lost");
    assert!(link.told().is_empty(), "who came is not sent away");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_older_than_that_at_another_broker_is_cut_and_not_written() {
    let site = Site::new();
    let way = Arc::new(CutOff::never(Arc::clone(&site.table)));
    let link = Arc::new(RecordingLink::default());
    let a = site.broker_that_tells("a", Arc::clone(&way) as _, Arc::clone(&link));
    let b = site.broker("b", Arc::clone(&site.table) as _);
    let (first, second) = (Sid::new(), Sid::new());
    way.after(0);
    a.registered("n1", first, site.clock.now());
    sleep(Duration::from_secs(20)).await;
    b.registered("n1", second, site.clock.now());
    sleep(Duration::from_secs(1)).await;
    way.mend();
    sleep(Duration::from_mins(1)).await;
    assert!(site.session("n1").await.is_some_and(|session| session.broker == "b"));
    let told = [(String::from("a"), NodeCommand::Displaced { node: "n1".to_owned(), connection: first.to_string() })];
    assert_eq!(link.told(), told);
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_waits_until_it_is_known_whether_another_broker_holds_the_node() {
    let site = Site::new();
    let way = Arc::new(CutOff::never(Arc::clone(&site.table)));
    let (a, b) = (site.broker("a", Arc::clone(&way) as _), site.broker("b", Arc::clone(&site.table) as _));
    let (first, second) = (Sid::new(), Sid::new());
    a.registered("n1", first, site.clock.now());
    sleep(Duration::from_secs(1)).await;
    b.registered("n1", second, site.clock.now());
    sleep(Duration::from_secs(1)).await;
    way.after(0);
    a.lost("n1", first);
    sleep(Duration::from_mins(2)).await;
    way.mend();
    sleep(Duration::from_secs(5)).await;
    let of_the_move = [Event::NodeRegistered, Event::NodeLost, Event::NodeRegistered];
    assert_eq!(site.queue.events(), of_the_move, "it is lost once, as it moved");
}

/// More of them than are written at a time.
#[tokio::test(start_paused = true)]
async fn late_hellos_of_many_connections_that_are_gone_evict_none_of_the_newcomers_at_another_broker() {
    let site = Site::new();
    let way = Arc::new(CutOff::never(Arc::clone(&site.table)));
    let link = Arc::new(RecordingLink::default());
    let a = site.broker_that_tells("a", Arc::clone(&way) as _, Arc::clone(&link));
    let b = site.broker("b", Arc::clone(&site.table) as _);
    let nodes: Vec<(String, Sid)> = (0..300).map(|number| (format!("n{number}"), Sid::new())).collect();
    way.after(0);
    for (node, connection) in &nodes {
        a.registered(node, *connection, site.clock.now());
    }
    sleep(Duration::from_millis(200)).await;
    for (node, connection) in &nodes {
        a.lost(node, *connection);
        b.registered(node, Sid::new(), site.clock.now());
    }
    sleep(Duration::from_secs(2)).await;
    way.mend();
    sleep(Duration::from_mins(1)).await;
    let held = nodes::sessions(site.table.as_ref()).await.unwrap();
    assert_eq!(held.iter().filter(|session| session.broker == "b").count(), 300);
    assert!(link.told().is_empty(), "who came is not sent away");
}

#[tokio::test(start_paused = true)]
async fn a_hello_that_waits_behind_a_goodbye_is_not_written_once_its_connection_is_gone() {
    let site = Site::new();
    let link = Arc::new(RecordingLink::default());
    let a = site.broker_that_tells("a", Arc::clone(&site.table) as _, Arc::clone(&link));
    let b = site.broker("b", Arc::clone(&site.table) as _);
    let (first, second, third) = (Sid::new(), Sid::new(), Sid::new());
    a.registered("n1", first, site.clock.now());
    sleep(Duration::from_secs(1)).await;
    site.queue.goes_away();
    a.lost("n1", first);
    a.registered("n1", second, site.clock.now());
    a.lost("n1", second);
    sleep(Duration::from_millis(100)).await;
    b.registered("n1", third, site.clock.now());
    sleep(Duration::from_millis(100)).await;
    site.queue.comes_back();
    sleep(Duration::from_mins(1)).await;
    let session = site.session("n1").await.unwrap();
    assert_eq!((session.broker.as_str(), session.connection), ("b", third.to_string()));
    let told: Vec<_> = link.told().into_iter().filter(|(broker, _)| broker == "b").collect();
    assert!(told.is_empty(), "who came is not sent away: {told:?}");
}
