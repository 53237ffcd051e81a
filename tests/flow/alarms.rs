use std::time::Duration;

use jobs::{Job, report::Event};
use records::{
    alarms::{self, Which},
    terminals::{self, Presence},
};
use telltale_tests::flow::{Flow, device, mac};

async fn active(flow: &Flow) -> Vec<String> {
    let listed = alarms::list(flow.cx.table.as_ref(), Which::Active, 100, None).await.unwrap();
    listed.items.into_iter().map(|alarm| format!("{} {}", alarm.source, alarm.rule)).collect()
}

async fn ever(flow: &Flow) -> usize {
    alarms::list(flow.cx.table.as_ref(), Which::All, 100, None).await.unwrap().items.len()
}

#[tokio::test]
async fn a_value_past_its_limit_raises_one_alarm_and_one_back_inside_clears_it() {
    let flow = Flow::new().await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.sensor_says(35.2).await;
    flow.sensor_says(36.0).await;
    assert_eq!(active(&flow).await.len(), 1);
    flow.sensor_says(29.5).await;
    assert_eq!(active(&flow).await.len(), 1, "inside the limit, but not by the deadband");
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await.len(), 0);
    assert_eq!(ever(&flow).await, 1);
    assert_eq!(flow.mails().len(), 2, "one alarm, one recovery: {:?}", flow.mails());
}

#[tokio::test]
async fn a_device_times_out_at_its_eleventh_miss_and_recovers_when_it_answers() {
    let flow = Flow::new().await;
    for count in 1..=10 {
        flow.sensor_misses(count).await;
    }
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.sensor_misses(11).await;
    flow.sensor_misses(12).await;
    assert_eq!(active(&flow).await, [format!("device:{} timeout", device(1))]);
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    assert_eq!(ever(&flow).await, 1);
}

#[tokio::test]
async fn a_terminal_that_stays_away_is_offline_after_the_debounce_though_nothing_arrives() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(58)).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    flow.after(Duration::from_secs(4)).await;
    assert_eq!(active(&flow).await, [format!("terminal:{} offline", mac())]);
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.settle().await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_terminal_that_comes_back_in_time_was_never_offline() {
    let flow = Flow::new().await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(30)).await;
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.after(Duration::from_mins(2)).await;
    assert_eq!(ever(&flow).await, 0);
}

#[tokio::test]
async fn a_terminal_whose_return_is_processed_before_its_leaving_was_never_offline() {
    let flow = Flow::new().await;
    let left = flow.batch([Event::TerminalOff { mac: mac() }]);
    let back = flow.batch([Event::TerminalsOn { macs: vec![mac()] }]);
    for batch in [back, left] {
        flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
        flow.settle().await;
    }
    let standing = terminals::standing(flow.cx.table.as_ref(), &mac()).await.unwrap();
    assert_eq!(standing.value.presence, Presence::Online);
    flow.after(Duration::from_mins(2)).await;
    assert_eq!(ever(&flow).await, 0);
}

#[tokio::test]
async fn a_lost_terminal_clears_nothing_that_hangs_on_it() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    flow.reports([Event::TerminalOff { mac: mac() }]).await;
    flow.after(Duration::from_secs(70)).await;
    let hot = format!("device:{}", device(1));
    assert!(active(&flow).await.iter().any(|alarm| alarm.starts_with(&hot)));
    flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
    flow.settle().await;
    assert!(active(&flow).await.iter().any(|alarm| alarm.starts_with(&hot)), "being seen is not being well");
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_node_is_one_alarm_of_its_own() {
    let flow = Flow::new().await;
    flow.reports([Event::NodeLost]).await;
    flow.after(Duration::from_secs(70)).await;
    assert_eq!(active(&flow).await, ["node:n1 offline"]);
    flow.reports([Event::NodeRegistered]).await;
    flow.settle().await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_same_batch_twice_raises_nothing_new() {
    let flow = Flow::new().await;
    let batch = flow.sensor_says(40.0).await;
    flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
    flow.settle().await;
    assert_eq!(ever(&flow).await, 1);
    assert_eq!(flow.letters().len(), 2, "one mail and one webhook");
}
