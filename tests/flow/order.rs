//! What is looked at in another order than it happened in: a run that failed comes again, another worker is faster.

use std::time::Duration;

use jobs::{Job, ProcessResults, report::Event};
use records::{
    alarms::{self, Which},
    ledger::{self, Claim},
    protocols,
    terminals::{self, Presence},
};
use serde_json::{Value, json};
use telltale_tests::flow::{Flow, device, mac};

/// Each alarm that there ever was, oldest first, and whether it is active.
async fn alarms_of(flow: &Flow) -> Vec<(String, bool)> {
    let listed = alarms::list(flow.cx.table.as_ref(), Which::All, 100, None).await.unwrap();
    let alarms = listed.items.into_iter().rev();
    alarms.map(|alarm| (format!("{} {}", alarm.source, alarm.rule), alarm.cleared_at.is_none())).collect()
}

/// These batches are worked off, one after the other.
async fn worked_off(flow: &Flow, batches: impl IntoIterator<Item = ProcessResults>) {
    for batch in batches {
        flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
        flow.settle().await;
    }
}

/// A batch with the sensor's answer to a question of this instant.
fn said(flow: &Flow, celsius: f64) -> ProcessResults {
    flow.sleeps(Duration::from_secs(5));
    flow.batch([flow.answer(celsius)])
}

fn offline() -> String {
    format!("terminal:{} offline", mac())
}

fn too_hot() -> String {
    format!("device:{} threshold:temperature", device(1))
}

fn timeout() -> String {
    format!("device:{} timeout", device(1))
}

#[tokio::test]
async fn a_normal_reading_that_comes_after_a_newer_abnormal_one_leaves_an_alarm() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    let (cool, hot) = (said(&flow, 25.0), said(&flow, 40.0));
    // The newer one changes nothing, since the alarm is active: nothing of it is written down with the alarms.
    let cool = evidence_of(&flow, cool).await;
    worked_off(&flow, [hot]).await;
    flow.cx.queue.enqueue(cool).await.unwrap();
    flow.settle().await;
    assert_eq!(alarms_of(&flow).await, [(too_hot(), false), (too_hot(), true)]);
}

/// A batch is stored, and what it leads to is held back.
async fn evidence_of(flow: &Flow, batch: ProcessResults) -> Vec<jobs::ports::Message> {
    flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
    flow.takes_out(ProcessResults::NAME, jobs::EvaluateAlarms::NAME).await
}

#[tokio::test]
async fn an_abnormal_reading_that_is_looked_at_after_one_that_said_nothing_new_leaves_no_alarm_behind() {
    let flow = Flow::new().await;
    flow.sensor_says(25.0).await;
    let (hot, cool) = (said(&flow, 40.0), said(&flow, 25.0));
    let hot = evidence_of(&flow, hot).await;
    worked_off(&flow, [cool]).await;
    flow.cx.queue.enqueue(hot).await.unwrap();
    flow.settle().await;
    assert_eq!(alarms_of(&flow).await, [(too_hot(), false)]);
    assert_eq!(flow.mails(), ["Alarm and recovery: Cold store / 1 TH-10"]);
}

#[tokio::test]
async fn an_abnormal_reading_that_comes_after_one_that_said_nothing_new_is_late_and_no_alarm() {
    let flow = Flow::new().await;
    flow.sensor_says(25.0).await;
    let (hot, cool) = (said(&flow, 40.0), said(&flow, 25.0));
    worked_off(&flow, [cool, hot]).await;
    assert_eq!(alarms_of(&flow).await, []);
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap().value;
    assert_eq!(standing.rejected.get("late_reading"), Some(&1), "{standing:?}");
}

#[tokio::test]
async fn an_answer_on_its_way_does_not_hide_that_the_node_was_lost() {
    let flow = Flow::new().await;
    flow.sensor_misses(1).await;
    let on_its_way = flow.answer(25.0);
    let lost = flow.batch([Event::NodeLost]);
    // That the device answers is written into the line's standing, and is newer than the loss.
    let answered = flow.batch([on_its_way]);
    worked_off(&flow, [answered, lost]).await;
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap().value;
    assert_eq!(standing.presence, Presence::Unknown);
    flow.after(Duration::from_secs(5)).await;
    flow.reports([Event::NodeRegistered, Event::NodeReady]).await;
    flow.after(Duration::from_secs(65)).await;
    assert_eq!(alarms_of(&flow).await, [(offline(), true)], "the terminal did not come back with its node");
}

#[tokio::test]
async fn an_answer_on_its_way_does_not_bring_a_terminal_back_with_its_node() {
    let flow = Flow::new().await;
    flow.sensor_misses(1).await;
    let on_its_way = flow.answer(25.0);
    flow.reports([Event::NodeLost]).await;
    flow.settle().await;
    flow.reports([Event::NodeRegistered, Event::NodeReady, on_its_way]).await;
    flow.after(Duration::from_secs(65)).await;
    assert_eq!(alarms_of(&flow).await, [(offline(), true)]);
}

#[tokio::test]
async fn a_loss_that_follows_an_answer_stands_though_the_answer_is_looked_at_last() {
    let flow = Flow::new().await;
    worked_off(&flow, [flow.batch([Event::TerminalOff { mac: mac() }])]).await;
    let on = flow.batch([Event::TerminalsOn { macs: vec![mac()] }]);
    flow.sleeps(Duration::from_secs(5));
    let answer = flow.answer(25.0);
    let off = flow.batch([Event::TerminalOff { mac: mac() }]);
    let answered = flow.batch([answer]);
    worked_off(&flow, [answered, off, on]).await;
    flow.after(Duration::from_secs(65)).await;
    assert_eq!(alarms_of(&flow).await, [(offline(), true)]);
}

#[tokio::test]
async fn a_second_loss_of_the_node_stands_though_what_came_before_it_is_looked_at_last() {
    let flow = Flow::new().await;
    worked_off(&flow, [flow.batch([Event::NodeLost])]).await;
    let back = flow.batch([Event::NodeRegistered, Event::NodeReady]);
    let on = flow.batch([Event::TerminalsOn { macs: vec![mac()] }]);
    let lost = flow.batch([Event::NodeLost]);
    worked_off(&flow, [back, lost, on]).await;
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap().value;
    assert_eq!(standing.presence, Presence::Unknown);
}

#[tokio::test]
async fn a_miss_that_comes_late_counts_as_its_gateway_counted_it() {
    let flow = Flow::new().await;
    flow.sensors([1, 2]).await;
    let missed = |pid, count| Event::Missed { mac: mac(), pid, count: Some(count), asked: None };
    let (mine, other) = (flow.batch([missed(1, 11)]), flow.batch([missed(2, 1)]));
    worked_off(&flow, [other, mine]).await;
    assert_eq!(alarms_of(&flow).await, [(timeout(), true)]);
}

#[tokio::test]
async fn an_answer_ends_a_row_of_misses_though_something_newer_was_heard_of_its_terminal() {
    let flow = Flow::new().await;
    flow.sensors([1, 2]).await;
    let missed = |pid, count| Event::Missed { mac: mac(), pid, count: Some(count), asked: None };
    worked_off(&flow, [flow.batch([missed(1, 10)])]).await;
    let (answered, other) = (flow.batch([flow.answer(25.0)]), flow.batch([missed(2, 1)]));
    worked_off(&flow, [other, answered]).await;
    worked_off(&flow, [flow.batch([missed(1, 1)])]).await;
    assert_eq!(alarms_of(&flow).await, [], "one miss in a row, not eleven");
}

#[tokio::test]
async fn what_is_known_and_claimed_by_a_clock_that_is_set_back_stands_in_nobodys_way() {
    let flow = Flow::new().await;
    let (table, lease) = (flow.cx.table.as_ref(), Duration::from_secs(30));
    flow.after(Duration::from_secs(30)).await;
    flow.sensor_says(25.0).await;
    let _ = ledger::claim(table, "deliver_notice/of who died", flow.now(), lease).await.unwrap();
    flow.set_clock_back(Duration::from_hours(1));
    let claim = ledger::claim(table, "deliver_notice/of who died", flow.now(), lease).await.unwrap();
    assert!(matches!(claim, Claim::Ours(_)), "{claim:?}");
    let mut constants: Value = serde_json::from_str(include_str!("../fixtures/th-modbus.constants.json")).unwrap();
    constants["Threshold"][0]["max"] = json!(20);
    protocols::put_constants(table, &serde_json::from_value(constants).unwrap()).await.unwrap();
    for _ in 0..3 {
        flow.after(Duration::from_mins(1)).await;
        flow.sensor_says(25.0).await;
    }
    assert_eq!(alarms_of(&flow).await.len(), 1, "25 is more than 20");
}

#[tokio::test]
async fn what_a_broker_waited_for_in_vain_is_no_miss_where_the_answer_came_to_another() {
    let flow = Flow::new().await;
    let asked = flow.now();
    let answer = flow.answer(25.0);
    flow.sleeps(Duration::from_secs(15));
    let in_vain = |asked| Event::Missed { mac: mac(), pid: 1, count: None, asked };
    worked_off(&flow, [flow.batch([answer]), flow.batch([in_vain(Some(asked))])]).await;
    let misses = async || {
        let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap();
        standing.value.misses.get(&1).copied()
    };
    assert_eq!(misses().await, None);
    flow.sleeps(Duration::from_secs(15));
    worked_off(&flow, [flow.batch([in_vain(Some(flow.now().minus(Duration::from_secs(1))))])]).await;
    assert_eq!(misses().await, Some(1), "what was asked later was not answered");
}
