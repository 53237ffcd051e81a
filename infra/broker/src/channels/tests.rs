use std::sync::{Arc, Mutex};

use jobs::ports::{Audience, Position, Push};
use proptest::prelude::*;
use serde_json::{Value, json, value::RawValue};
use socketioxide::socket::Sid;

use super::{
    channel::Channel,
    hub::{Beginning, Hub, NotHeard},
    listeners::{Ear, Taken},
    window::Place,
};
use crate::{counters::Counters, fakes::TokioClock};

const MAC: &str = "98D863CC870D";
const OTHER: &str = "98D863CC870E";

/// A connection that takes as many envelopes as it has room for.
#[derive(Clone)]
struct Page {
    connection: Sid,
    heard: Arc<Mutex<Vec<Value>>>,
    room: Arc<Mutex<usize>>,
}

impl Ear for Page {
    fn take(&self, envelope: &RawValue) -> Taken {
        let mut room = self.room.lock().unwrap();
        if *room == 0 {
            return Taken::Full;
        }
        *room -= 1;
        self.heard.lock().unwrap().push(serde_json::from_str(envelope.get()).unwrap());
        Taken::Yes
    }
}

impl Page {
    fn new() -> Self {
        Self { connection: Sid::new(), heard: Arc::default(), room: Arc::new(Mutex::new(1_000_000)) }
    }

    fn has_room_for(&self, envelopes: usize) {
        *self.room.lock().unwrap() = envelopes;
    }

    /// What it heard since it was last asked: what was pushed, or the event's name where nothing was.
    fn heard(&self) -> Vec<Value> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        let short = |said: Value| if said["data"].is_null() { said["event"].clone() } else { said["data"].clone() };
        heard.into_iter().map(short).collect()
    }

    fn subscribe(&self, hub: &Hub<Self>, from: Option<(u64, &str)>) -> Result<(u64, String), NotHeard> {
        let from = from.map(|(seq, epoch)| Place { seq, epoch });
        let begins = hub.subscribe(self.connection, self.clone(), &terminal(MAC), from);
        begins.map(|Beginning { seq, epoch }| (seq, epoch))
    }
}

fn hub() -> (Hub<Page>, Arc<Counters>) {
    let counters = Arc::<Counters>::default();
    (Hub::new("b1", Arc::new(TokioClock::new()), Arc::clone(&counters)), counters)
}

fn terminal(mac: &str) -> Channel {
    Channel::Terminal(mac.parse().unwrap())
}

fn push(mac: &str, data: u64) -> Push {
    Push { event: format!("{mac}1"), audience: Audience::Terminal(mac.parse().unwrap()), data: json!(data) }
}

/// Pushes of a terminal at their numbers.
fn publish(hub: &Hub<Page>, mac: &str, numbers: std::ops::RangeInclusive<u64>) {
    let position = at("e1", numbers.start() - 1, *numbers.start());
    let pushes: Vec<Push> = numbers.map(|number| push(mac, number)).collect();
    hub.publish(&pushes, Some(position));
}

fn at(epoch: &str, after: u64, first: u64) -> Position {
    Position { epoch: epoch.to_owned(), after, first, at: None }
}

#[tokio::test]
async fn an_envelope_says_what_is_pushed_where_when_and_at_which_place() {
    let (hub, _) = hub();
    let page = Page::new();
    page.subscribe(&hub, None).unwrap();
    hub.publish(&[push(MAC, 7)], None);
    assert_eq!(
        page.heard.lock().unwrap()[..],
        [json!({
            "event": "98D863CC870D1", "channel": MAC, "data": 7, "timestamp": TokioClock::START, "seq": 1, "epoch": "b1",
        })]
    );
}

#[tokio::test]
async fn a_page_hears_its_channel_from_its_subscription_on() {
    let (hub, counters) = hub();
    let page = Page::new();
    publish(&hub, MAC, 1..=2);
    assert_eq!(page.subscribe(&hub, None), Ok((2, "e1".to_owned())));
    publish(&hub, MAC, 3..=4);
    publish(&hub, OTHER, 5..=6);
    assert_eq!(page.heard(), [3, 4]);
    assert_eq!(counters.pushes_sent.get(), 2);
    hub.unsubscribe(page.connection, &terminal(MAC));
    publish(&hub, MAC, 7..=7);
    assert_eq!(page.heard(), [0_u64; 0]);
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_and_then_what_comes_each_once() {
    let (hub, _) = hub();
    publish(&hub, MAC, 1..=3);
    publish(&hub, OTHER, 4..=4);
    publish(&hub, MAC, 5..=5);
    let page = Page::new();
    assert_eq!(page.subscribe(&hub, Some((2, "e1"))), Ok((2, "e1".to_owned())));
    // What is told again, as by a broker that reads on another connection, is known by its number.
    publish(&hub, MAC, 5..=6);
    assert_eq!(page.heard(), [3, 5, 6]);
}

#[tokio::test]
async fn who_is_ahead_of_a_broker_that_reads_slowly_hears_nothing_twice() {
    let (hub, _) = hub();
    publish(&hub, MAC, 1..=2);
    let page = Page::new();
    page.subscribe(&hub, Some((4, "e1"))).unwrap();
    publish(&hub, MAC, 3..=5);
    assert_eq!(page.heard(), [5]);
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_a_gap_and_a_quiet_channel_has_none() {
    let (hub, _) = hub();
    publish(&hub, MAC, 1..=2);
    publish(&hub, OTHER, 3..=20_000);
    let page = Page::new();
    assert_eq!(page.subscribe(&hub, Some((1, "e1"))), Ok((20_000, "e1".to_owned())));
    assert_eq!(
        page.heard.lock().unwrap()[..],
        [json!({
            "event": "gap", "channel": MAC, "seq": 20_000, "epoch": "e1", "snapshot": format!("/api/terminals/{MAC}"),
        })]
    );
    page.heard();
    assert_eq!(page.subscribe(&hub, Some((2, "e1"))), Ok((2, "e1".to_owned())), "nothing came in between");
    assert_eq!(page.heard(), [0_u64; 0]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_for_longer_than_ten_minutes() {
    let (hub, _) = hub();
    publish(&hub, MAC, 1..=2);
    tokio::time::advance(std::time::Duration::from_secs(601)).await;
    hub.tidy();
    let page = Page::new();
    page.subscribe(&hub, Some((1, "e1"))).unwrap();
    assert_eq!(page.heard(), ["gap"]);
}

#[tokio::test]
async fn great_pushes_are_kept_up_to_sixteen_megabytes() {
    let (hub, _) = hub();
    let great = |number| Push { data: json!("x".repeat(1_000_000)), ..push(MAC, number) };
    for number in 1..=40 {
        hub.publish(&[great(number)], None);
    }
    let page = Page::new();
    page.subscribe(&hub, Some((25, "b1"))).unwrap();
    assert_eq!(page.heard().len(), 15);
    page.subscribe(&hub, Some((20, "b1"))).unwrap();
    assert_eq!(page.heard(), ["gap"]);
}

#[tokio::test]
async fn a_place_in_another_epoch_and_half_a_place_are_gaps() {
    let (hub, _) = hub();
    publish(&hub, MAC, 1..=2);
    let page = Page::new();
    for from in [(2, "e0"), (2, ""), (0, "b1")] {
        assert_eq!(page.subscribe(&hub, Some(from)), Ok((2, "e1".to_owned())));
        assert_eq!(page.heard(), ["gap"]);
    }
}

#[tokio::test]
async fn a_number_that_nobody_saw_is_a_gap_for_all() {
    let (hub, _) = hub();
    let page = Page::new();
    publish(&hub, MAC, 1..=2);
    page.subscribe(&hub, None).unwrap();
    hub.publish(&[push(MAC, 9)], Some(at("e1", 8, 9)));
    assert_eq!(page.heard(), [json!("gap"), json!(9)]);
    hub.publish(&[push(MAC, 1)], Some(at("e2", 0, 1)));
    assert_eq!(page.heard(), [json!("gap"), json!(1)], "a store that lost everything begins anew");
}

#[tokio::test]
async fn numbers_are_left_out_without_a_gap_and_a_store_that_lost_its_last_moments_is_none() {
    let (hub, _) = hub();
    let page = Page::new();
    publish(&hub, MAC, 1..=2);
    page.subscribe(&hub, None).unwrap();
    hub.publish(&[push(MAC, 50)], Some(at("e1", 2, 50)));
    hub.publish(&[push(MAC, 90)], Some(at("e1", 2, 90)));
    assert_eq!(page.heard(), [50, 90]);
}

#[tokio::test]
async fn what_a_page_cannot_take_is_counted_and_it_hears_of_a_gap_when_it_can() {
    let (hub, counters) = hub();
    let page = Page::new();
    publish(&hub, MAC, 1..=1);
    page.subscribe(&hub, None).unwrap();
    page.has_room_for(1);
    publish(&hub, MAC, 2..=4);
    assert_eq!((page.heard(), counters.pushes_dropped.get()), (vec![json!(2)], 2));
    hub.tidy();
    assert_eq!(page.heard(), [0_u64; 0]);
    page.has_room_for(9);
    hub.tidy();
    hub.tidy();
    assert_eq!(page.heard(), ["gap"], "although nothing else comes");
    publish(&hub, MAC, 5..=5);
    assert_eq!(page.heard(), [5]);
}

#[tokio::test]
async fn a_page_that_cannot_take_what_it_missed_is_not_subscribed() {
    let (hub, _) = hub();
    publish(&hub, MAC, 1..=5);
    let page = Page::new();
    page.has_room_for(3);
    assert_eq!(page.subscribe(&hub, Some((0, "e1"))), Err(NotHeard::TooSlow));
    page.has_room_for(9);
    publish(&hub, MAC, 6..=6);
    assert_eq!(page.heard(), [1, 2, 3]);
    page.subscribe(&hub, Some((3, "e1"))).unwrap();
    assert_eq!(page.heard(), [4, 5, 6]);
}

#[tokio::test]
async fn a_page_that_is_gone_is_forgotten() {
    let (hub, counters) = hub();
    let page = Page::new();
    page.subscribe(&hub, None).unwrap();
    assert_eq!(hub.channels_of(page.connection), [terminal(MAC)]);
    hub.forget(page.connection);
    publish(&hub, MAC, 1..=1);
    assert_eq!((hub.channels_of(page.connection), counters.pushes_sent.get()), (vec![], 0));
}

#[tokio::test]
async fn a_connection_hears_two_thousand_channels_at_most() {
    let (hub, _) = hub();
    let page = Page::new();
    let channel = |number: u64| terminal(&format!("{number:012}"));
    let subscribe = |number| hub.subscribe(page.connection, page.clone(), &channel(number), None);
    assert!((0..2000).all(|number| subscribe(number).is_ok()));
    assert_eq!(subscribe(2000), Err(NotHeard::TooMany));
    assert!(subscribe(7).is_ok(), "one that it hears already is no more");
    hub.unsubscribe(page.connection, &channel(7));
    assert!(subscribe(2000).is_ok());
}

/// What happens to a page and its broker.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Pushed(bool, u64),
    Lost,
    Left,
    CameBack,
    Slow(usize),
    Tidied,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (any::<bool>(), 1..4_u64).prop_map(|(ours, pushes)| Happens::Pushed(ours, pushes)),
        1 => Just(Happens::Lost),
        2 => Just(Happens::Left),
        3 => Just(Happens::CameBack),
        1 => (0..5_usize).prop_map(Happens::Slow),
        1 => Just(Happens::Tidied),
    ]
}

proptest! {
    /// As a client would keep its books: whatever happens, what it has is in order and each once, and all of it unless it
    /// was told of a gap.
    #[test]
    fn nothing_is_lost_in_silence(what in proptest::collection::vec(happens(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let (hub, _) = hub();
        let page = Page::new();
        let mut begun = page.subscribe(&hub, None).unwrap();
        let (mut last, mut after, mut books) = (0, 0, Vec::new());
        let mut published: Vec<u64> = Vec::new();
        for happens in what.into_iter().chain([Happens::Slow(1000), Happens::CameBack, Happens::Tidied]) {
            match happens {
                Happens::Pushed(ours, pushes) => {
                    let numbers = last + 1..=last + pushes;
                    let mac = if ours { MAC } else { OTHER };
                    hub.publish(&numbers.clone().map(|number| push(mac, number)).collect::<Vec<_>>(), Some(at("b1", after, last + 1)));
                    last += pushes;
                    after = last;
                    published.extend(numbers.filter(|_| ours));
                }
                Happens::Lost => {
                    last += 1;
                    after = last;
                    published.push(last);
                }
                Happens::Left => hub.forget(page.connection),
                Happens::Slow(room) => page.has_room_for(room),
                Happens::Tidied => hub.tidy(),
                Happens::CameBack => {
                    books.append(&mut page.heard.lock().unwrap());
                    let seq = books.last().map_or(begun.0, |envelope: &Value| envelope["seq"].as_u64().unwrap());
                    begun = page.subscribe(&hub, Some((seq.max(begun.0), "b1"))).unwrap_or(begun);
                }
            }
        }
        hub.publish(&[push(MAC, last + 1)], Some(at("b1", after, last + 1)));
        published.push(last + 1);
        books.append(&mut page.heard.lock().unwrap());
        prop_assert!(books.is_sorted_by_key(|envelope| envelope["seq"].as_u64().unwrap()));
        let mut known = 0;
        for envelope in &books {
            let seq = envelope["seq"].as_u64().unwrap();
            let missed: Vec<&u64> = published.iter().filter(|number| known < **number && **number < seq).collect();
            prop_assert!(envelope["event"] == "gap" || missed.is_empty(), "{missed:?} before {envelope}");
            prop_assert!(seq > known || envelope["event"] == "gap", "{envelope} again");
            known = seq;
        }
        prop_assert_eq!(known, last + 1);
    }
}
