use std::sync::Mutex;

use jobs::ports::PlannedQuery;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{
    fakes::{CountingDice, MemoryQueue, TokioClock, eventually},
    reports::Batcher,
};

/// Nodes that remember what they were asked, and when.
#[derive(Default)]
struct Asks(Mutex<Vec<(String, u8, Timestamp)>>);

impl Asks {
    fn all(&self) -> Vec<(String, u8, Timestamp)> {
        self.0.lock().unwrap().clone()
    }
}

impl Nodes for Asks {
    fn ask(&self, node: &str, query: &Query) -> Asked {
        if node == "away" {
            return Asked::NotThere;
        }
        let query: Value = serde_json::to_value(query).unwrap();
        let pid = u8::try_from(query["pid"].as_u64().unwrap()).unwrap();
        let asked = Timestamp(query["timeStamp"].as_i64().unwrap());
        self.0.lock().unwrap().push((query["mac"].as_str().unwrap().to_owned(), pid, asked));
        Asked::Sent
    }
}

struct Paced {
    pacer: PacerHandle,
    asks: Arc<Asks>,
    queue: Arc<MemoryQueue>,
    counters: Arc<Counters>,
}

fn start() -> Paced {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
    let (asks, queue, counters) = (Arc::new(Asks::default()), Arc::new(MemoryQueue::new()), Arc::<Counters>::default());
    let dice = Arc::new(CountingDice::default());
    let (batcher, reporter) = Batcher::new(Arc::clone(&queue) as _, Arc::clone(&clock), dice, Arc::clone(&counters));
    let settings = Arc::new(BrokerSettings::default());
    let (pacer, handle) = Pacer::new(Arc::clone(&asks) as _, reporter, clock, settings, Arc::clone(&counters));
    tokio::spawn(batcher.run(CancellationToken::new()));
    tokio::spawn(pacer.run(CancellationToken::new()));
    Paced { pacer: handle, asks, queue, counters }
}

fn mac(number: u8) -> Mac {
    format!("{number:012}").parse().unwrap()
}

fn query(terminal: u8, pid: u8, at_ms: u64) -> PlannedQuery {
    PlannedQuery {
        at: TokioClock::START.plus(Duration::from_millis(at_ms)),
        mac: mac(terminal),
        pid,
        line: 485,
        protocol: "modbusP".to_owned(),
        model: "dev".to_owned(),
        contents: vec!["0103".to_owned(), "0104".to_owned()],
        interval: 60_000,
    }
}

fn plan(node: &str, queries: Vec<PlannedQuery>) -> Plan {
    Plan { node: node.to_owned(), window: "w".to_owned(), queries }
}

#[tokio::test(start_paused = true)]
async fn queries_are_sent_at_their_times() {
    let paced = start();
    let begun = Instant::now();
    paced.pacer.plan(plan("n1", vec![query(1, 1, 3000), query(2, 1, 1000), query(3, 1, 2000)])).await;
    let asks = eventually("all are sent", || Some(paced.asks.all()).filter(|asks| asks.len() == 3)).await;
    let order: Vec<&str> = asks.iter().map(|(mac, ..)| mac.as_str()).collect();
    assert_eq!(order, ["000000000002", "000000000003", "000000000001"]);
    for ((.., asked), planned) in asks.iter().zip([1000, 2000, 3000]) {
        let late = asked.since(TokioClock::START.plus(Duration::from_millis(planned)));
        assert!(late < Duration::from_millis(10), "{late:?}");
    }
    assert!(begun.elapsed() >= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn the_same_plan_twice_is_sent_once() {
    let paced = start();
    paced.pacer.plan(plan("n1", vec![query(1, 1, 100)])).await;
    paced.pacer.plan(plan("n1", vec![query(1, 1, 100)])).await;
    eventually("the repeat is dropped", || (paced.counters.queries_dropped.get() == 1).then_some(())).await;
    assert_eq!(paced.asks.all().len(), 1);
}

#[test]
fn after_a_clock_was_set_back_devices_are_asked_as_ever() {
    let mut lines = lines::Lines::default();
    let mut ask = |at: i64| {
        let (at, node) = (Timestamp(at), "n1".to_owned());
        let turn = lines.due(lines::Due { node, query: PlannedQuery { at, ..query(1, 1, 0) } }, at);
        let asked = turn.ask.map(|ask| ask.asked);
        asked.map(|asked| lines.answered("n1", &mac(1), asked, at)).is_some()
    };
    assert_eq!([ask(100_000), ask(100_000)], [true, false]);
    assert_eq!([ask(80_000), ask(80_000), ask(85_000)], [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_query_is_waited_for_as_long_as_its_instructions_may_take_and_then_missed() {
    let paced = start();
    paced.pacer.plan(plan("n1", vec![query(1, 1, 0), query(1, 2, 1)])).await;
    sleep(Duration::from_millis(24_900)).await;
    assert_eq!(paced.asks.all().len(), 1);
    assert!(paced.queue.events().is_empty());
    sleep(Duration::from_millis(200)).await;
    assert_eq!(paced.asks.all().len(), 2);
    let told = eventually("it is reported", || paced.queue.events().pop()).await;
    let asked = Some(paced.asks.all()[0].2);
    assert_eq!(told, Event::Missed { mac: mac(1), pid: 1, count: None, asked });
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_no_miss() {
    let paced = start();
    paced.pacer.plan(plan("n1", vec![query(1, 1, 0), query(1, 2, 0)])).await;
    let asks = eventually("one is sent", || Some(paced.asks.all()).filter(|asks| !asks.is_empty())).await;
    paced.pacer.tell(LineEvent::Answered { node: "n1".to_owned(), mac: mac(1), asked: asks[0].2 });
    let asks = eventually("the other is sent", || Some(paced.asks.all()).filter(|asks| asks.len() == 2)).await;
    paced.pacer.tell(LineEvent::Answered { node: "n1".to_owned(), mac: mac(1), asked: asks[1].2 });
    sleep(Duration::from_mins(2)).await;
    assert!(paced.queue.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_node_misses_is_reported_with_its_count() {
    let paced = start();
    paced.pacer.tell(LineEvent::Missed { node: "n1".to_owned(), mac: mac(1), pid: 1, count: Some(3) });
    let missed = Event::Missed { mac: mac(1), pid: 1, count: Some(3), asked: None };
    assert_eq!(eventually("it is reported", || paced.queue.events().pop()).await, missed);
}

#[tokio::test(start_paused = true)]
async fn a_query_for_a_node_that_is_away_is_dropped_and_not_missed() {
    let paced = start();
    paced.pacer.plan(plan("away", vec![query(1, 1, 0)])).await;
    eventually("it is dropped", || (paced.counters.queries_dropped.get() == 1).then_some(())).await;
    sleep(Duration::from_mins(2)).await;
    assert!(paced.queue.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_nodes_queries_are_not_missed() {
    let paced = start();
    paced.pacer.plan(plan("n1", vec![query(1, 1, 0), query(2, 1, 0)])).await;
    eventually("both are sent", || (paced.asks.all().len() == 2).then_some(())).await;
    paced.pacer.tell(LineEvent::NodeGone { node: "n1".to_owned() });
    sleep(Duration::from_mins(2)).await;
    assert!(paced.queue.events().is_empty());
}
