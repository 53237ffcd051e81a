use std::time::Duration;

use domain::{
    Timestamp,
    reading::{Datum, Reading},
};
use jobs::{
    Job,
    ports::Audience,
    report::{Answer, Event},
};
use records::{
    alarms::{self, Which},
    readings::{self, Span},
    terminals,
};
use telltale_tests::flow::{Flow, MAC, mac};

async fn history(flow: &Flow) -> Vec<Reading> {
    let span = Span { from: Timestamp(0), to: flow.now(), limit: 100, after: None };
    readings::history(flow.cx.table.as_ref(), &mac(), 1, &span).await.unwrap().items
}

fn temperature(reading: &Reading) -> &Datum {
    &reading.values[0].value
}

#[tokio::test]
async fn a_proven_reply_is_stored_as_latest_and_in_the_history_and_pushed() {
    let flow = Flow::new().await;
    flow.sensor_says(25.3).await;
    let latest = readings::latest(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(temperature(&latest.value.devices[&1]), &Datum::Number(25.3));
    assert_eq!(history(&flow).await.len(), 1);
    let push = flow.pushes().into_iter().find(|push| push.event == format!("{MAC}1")).unwrap();
    assert_eq!(push.audience, Audience::Terminal(mac()));
}

#[tokio::test]
async fn the_same_reply_in_two_batches_is_stored_once() {
    let flow = Flow::new().await;
    let answer = flow.answer(25.3);
    flow.reports([answer.clone()]).await;
    flow.reports([answer.clone(), answer]).await;
    flow.settle().await;
    assert_eq!(history(&flow).await.len(), 1);
}

/// A worker stood still before it stored what another brought again meanwhile.
#[tokio::test]
async fn a_reading_that_two_batches_hold_is_shown_once_and_as_in_time_where_it_was() {
    let flow = Flow::new().await;
    flow.sensor_says(25.3).await;
    let stored = history(&flow).await.remove(0);
    for (batch, late) in [("again", true), ("and again", true)] {
        let again = Reading { late, ..stored.clone() };
        let items = readings::append(&mac(), batch, flow.now(), &[again]).unwrap();
        assert!(flow.cx.table.transact(items).await.unwrap().applied());
    }
    assert_eq!(history(&flow).await, std::slice::from_ref(&stored));
    let replayed = readings::replayed(flow.cx.table.as_ref(), &mac(), (Timestamp(0), flow.now()), None).await;
    assert_eq!(replayed.unwrap().items, [stored]);
}

#[tokio::test]
async fn a_reading_that_two_batches_hold_is_shown_once_also_where_a_page_ends_between_them() {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    flow.sensor_says(25.3).await;
    let stored = history(&flow).await.remove(0);
    // As many as are replayed at once, and one more.
    for number in 0..200 {
        flow.sleeps(Duration::from_secs(1));
        let again = Reading { late: true, ..stored.clone() };
        let items = readings::append(&mac(), &format!("again {number}"), flow.now(), &[again]).unwrap();
        assert!(table.transact(items).await.unwrap().applied());
    }
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let span = Span { from: Timestamp(0), to: flow.now(), limit: 1, after };
        let page = readings::history(table, &mac(), 1, &span).await.unwrap();
        shown.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(shown, std::slice::from_ref(&stored));
    let (mut replayed, mut after) = (Vec::new(), None);
    loop {
        let page = readings::replayed(table, &mac(), (Timestamp(0), flow.now()), after).await.unwrap();
        replayed.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(replayed, [stored]);
}

#[tokio::test]
async fn a_reply_that_was_posted_at_two_brokers_is_stored_once_though_newer_ones_came_between() {
    let flow = Flow::new().await;
    let posted = flow.answer(25.3);
    flow.reports([posted.clone()]).await;
    flow.sleeps(Duration::from_secs(5));
    flow.sensor_says(25.3).await;
    flow.reports([posted.clone(), posted]).await;
    flow.settle().await;
    assert_eq!(history(&flow).await.len(), 2);
}

#[tokio::test]
async fn an_older_reply_that_comes_after_a_newer_one_is_stored_once_however_often_it_comes() {
    let flow = Flow::new().await;
    let (older, first) = (flow.answer(25.3), flow.now());
    flow.sleeps(Duration::from_secs(5));
    flow.sensor_says(25.4).await;
    let batch = flow.reports([older.clone()]).await;
    flow.reports([older]).await;
    flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
    flow.settle().await;
    let stored = history(&flow).await;
    assert_eq!((stored.len(), stored.iter().filter(|reading| reading.asked <= first).count()), (2, 1));
}

#[tokio::test]
async fn a_batch_that_runs_twice_is_stored_once() {
    let flow = Flow::new().await;
    let batch = flow.sensor_says(25.3).await;
    flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
    flow.settle().await;
    assert_eq!(history(&flow).await.len(), 1);
}

#[tokio::test]
async fn a_damaged_reply_is_no_value_and_a_mark_against_the_line() {
    let flow = Flow::new().await;
    let Event::Answered(mut answer) = flow.answer(25.3) else { panic!("an answer is Answered") };
    answer.replies[0].bytes[4] ^= 0x10;
    flow.reports([Event::Answered(answer)]).await;
    flow.settle().await;
    assert_eq!(history(&flow).await, []);
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap().value;
    assert_eq!(standing.rejected.values().sum::<u64>(), 1, "{:?}", standing.rejected);
    assert_eq!(standing.misses.get(&1), Some(&1));
}

#[tokio::test]
async fn a_node_cannot_speak_for_a_terminal_of_another_node() {
    let flow = Flow::new().await;
    let mut terminal = terminals::get(flow.cx.table.as_ref(), &mac()).await.unwrap().unwrap();
    terminal.node = "n2".to_owned();
    terminals::put(flow.cx.table.as_ref(), &terminal).await.unwrap();
    flow.sensor_says(25.3).await;
    assert_eq!(history(&flow).await, []);
}

#[tokio::test]
async fn a_query_that_claims_to_be_from_the_future_does_not_stop_the_latest_value() {
    let flow = Flow::new().await;
    let Event::Answered(answer) = flow.answer(20.0) else { panic!("an answer is an answer") };
    let future = Answer { asked: flow.now().plus(Duration::from_hours(1)), ..answer };
    flow.reports([Event::Answered(future)]).await;
    flow.settle().await;
    flow.sleeps(Duration::from_secs(5));
    flow.sensor_says(21.0).await;
    let latest = readings::latest(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(latest.value.devices[&1].values[0].display, "21");
}

#[tokio::test]
async fn what_cannot_be_stored_of_one_terminal_holds_up_no_other() {
    let flow = Flow::new().await;
    let other: domain::Mac = "98D863CC870E".parse().unwrap();
    let table = flow.cx.table.as_ref();
    let known = terminals::get(table, &mac()).await.unwrap().unwrap();
    terminals::put(table, &terminals::Terminal { mac: other.clone(), ..known }).await.unwrap();
    let damaged = records::Item {
        key: records::Key::new(format!("terminal#{other}"), "standing"),
        version: 1,
        expires: None,
        body: bytes::Bytes::from_static(b"no json"),
    };
    let _ = table.write(records::Write::Put(damaged, records::Condition::Always)).await.unwrap();
    flow.reports([Event::TerminalOff { mac: other }, flow.answer(25.3)]).await;
    flow.settle().await;
    assert_eq!(history(&flow).await.len(), 1);
    assert_eq!(flow.dead_letters().await, 1);
}

#[tokio::test]
async fn what_the_node_says_of_a_terminal_is_kept_and_shown() {
    let flow = Flow::new().await;
    let state = |state: &str| Event::DtuState { mac: mac(), state: state.to_owned(), score: Some(75) };
    let alert = Event::DtuAlert { mac: mac(), kind: "AT_TIMEOUT".to_owned(), message: "no answer".to_owned() };
    flow.reports([state("HANDSHAKING"), alert, state("ONLINE")]).await;
    flow.settle().await;
    let terminal = terminals::get(flow.cx.table.as_ref(), &mac()).await.unwrap().unwrap();
    let said = |field: &str| terminal.info.get(field).map(String::as_str).unwrap_or_default();
    assert_eq!((said("state"), said("score")), ("ONLINE", "75"));
    assert!(said("alert").ends_with("AT_TIMEOUT: no answer"), "{}", said("alert"));
    assert!(flow.pushes().iter().any(|push| push.event == format!("MacUpdate{}", mac())));
}

#[tokio::test]
async fn a_card_that_its_gateway_brings_along_is_taken_in() {
    let flow = Flow::new().await;
    let card: domain::Mac = "0123456789AB".parse().unwrap();
    let table = flow.cx.table.as_ref();
    let says = async |node: &str| {
        let mut batch = flow.batch([Event::TerminalsOn { macs: vec![card.clone()] }]);
        node.clone_into(&mut batch.reports[0].node);
        flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
        flow.settle().await;
        terminals::get(table, &card).await.unwrap()
    };
    assert_eq!(says("n1").await, None);
    let terminal = says("pwsiv").await.unwrap();
    assert_eq!(terminal.node, "pwsiv");
    let device = &terminal.devices[0];
    assert_eq!((device.pid, device.protocol.as_str(), device.model.as_str()), (0, "Pesiv卡", "UPS"));
    let standing = terminals::standing(table, &card).await.unwrap().value;
    assert_eq!(standing.presence, terminals::Presence::Online);
}

#[tokio::test]
async fn a_line_of_meters_with_thousands_of_values_is_stored_and_watched() {
    let flow = Flow::new().await;
    flow.speaks_registers(1..=40).await;
    for number in [50, 150] {
        let answers: Vec<Event> = (1..=40).map(|pid| flow.registers(pid, number)).collect();
        flow.reports(answers).await;
        flow.settle().await;
    }
    assert_eq!(flow.dead_letters().await, 0);
    let latest = readings::latest(flow.cx.table.as_ref(), &mac()).await.unwrap().value;
    assert_eq!(latest.devices.len(), 40);
    assert!(latest.devices.values().all(|reading| reading.values[99].display == "150"));
    assert_eq!(history(&flow).await.len(), 2);
    let active = alarms::list(flow.cx.table.as_ref(), Which::Active, 100, None).await.unwrap();
    assert_eq!(active.items.len(), 40);
}

/// A server that keeps a reading that says nothing new once in a minute.
async fn laconic() -> Flow {
    Flow::with(|settings| settings.readings.silence_ms = 60_000).await
}

#[tokio::test]
async fn what_does_not_move_is_kept_once_and_again_after_the_longest_silence() {
    let flow = laconic().await;
    for (celsius, kept) in [(25.0, 1), (25.0, 1), (25.0, 1), (25.1, 2), (25.1, 2), (25.0, 3)] {
        flow.sensor_says(celsius).await;
        assert_eq!(history(&flow).await.len(), kept);
        flow.sleeps(Duration::from_secs(5));
    }
    flow.sleeps(Duration::from_mins(1));
    flow.sensor_says(25.0).await;
    assert_eq!(history(&flow).await.len(), 4);
}

#[tokio::test]
async fn what_is_not_kept_is_shown_and_watched_all_the_same() {
    let flow = laconic().await;
    flow.sensor_says(40.0).await;
    assert_eq!(alarms::list(flow.cx.table.as_ref(), Which::Active, 10, None).await.unwrap().items.len(), 1);
    let before = flow.pushes().len();
    flow.sleeps(Duration::from_secs(5));
    flow.sensor_says(40.0).await;
    assert!(flow.pushes().len() > before, "browsers see that it still is so");
}

#[tokio::test]
async fn a_batch_that_runs_again_keeps_what_its_first_run_kept() {
    let flow = laconic().await;
    let first = flow.sensor_says(25.0).await;
    flow.sleeps(Duration::from_secs(5));
    let second = flow.sensor_says(25.0).await;
    flow.sleeps(Duration::from_secs(5));
    flow.sensor_says(26.0).await;
    for batch in [first, second] {
        flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
        flow.settle().await;
    }
    let said: Vec<Datum> = history(&flow).await.iter().map(|reading| temperature(reading).clone()).collect();
    assert!(said.starts_with(&[Datum::Number(26.0)]) && said.ends_with(&[Datum::Number(25.0)]), "{said:?}");
    let latest = readings::latest(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(temperature(&latest.value.devices[&1]), &Datum::Number(26.0));
}
