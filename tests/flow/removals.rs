use std::time::Duration;

use domain::Source;
use jobs::report::Event;
use records::{
    alarms::{self, Which},
    readings::{self, Span},
    terminals,
};
use telltale_tests::flow::{Flow, device, mac};

async fn remove_terminal(flow: &Flow) {
    let table = flow.cx.table.as_ref();
    let terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    terminals::delete(table, &terminal).await.unwrap();
}

async fn active(flow: &Flow) -> usize {
    alarms::list(flow.cx.table.as_ref(), Which::Active, 100, None).await.unwrap().items.len()
}

#[tokio::test]
async fn alarms_of_a_terminal_that_is_gone_end_as_removed_and_nobody_is_told_of_a_recovery() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    let (mails, source) = (flow.mails(), Source::Device(device(1)));
    remove_terminal(&flow).await;
    alarms::end(flow.cx.table.as_ref(), &source, flow.now()).await.unwrap();
    flow.after(Duration::from_secs(5)).await;
    let all = alarms::list(flow.cx.table.as_ref(), Which::All, 10, None).await.unwrap().items;
    assert_eq!(all[0].cleared_by.as_deref(), Some("removed"));
    assert_eq!((active(&flow).await, flow.mails()), (0, mails));
}

#[tokio::test]
async fn what_still_comes_from_a_terminal_that_is_gone_is_passed_over() {
    let flow = Flow::new().await;
    flow.sensor_says(25.0).await;
    let planned = flow.answer(40.0);
    remove_terminal(&flow).await;
    flow.reports([planned, Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_mins(2)).await;
    assert_eq!((active(&flow).await, flow.dead_letters().await), (0, 0));
    let span = Span { from: domain::Timestamp(0), to: flow.now(), limit: 10, after: None };
    let kept = readings::history(flow.cx.table.as_ref(), &mac(), 1, &span).await.unwrap().items;
    assert_eq!(kept.len(), 1, "what was stored before is kept, and nothing comes after");
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(standing.version, 0);
}

#[tokio::test]
async fn a_timer_of_a_terminal_that_is_gone_is_looked_at_once() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.settle().await;
    remove_terminal(&flow).await;
    flow.after(Duration::from_secs(70)).await;
    assert_eq!(active(&flow).await, 0);
    assert_eq!(alarms::due(flow.cx.table.as_ref(), flow.now(), 10).await.unwrap(), []);
}
