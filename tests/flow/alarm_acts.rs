//! What people do about alarms, and who hears of it.

use std::time::Duration;

use domain::{
    Source,
    alarm::{Act, Deed},
};
use jobs::report::Event;
use records::alarms::{self, Alarm, Which};
use serde_json::json;
use telltale_tests::flow::{Flow, device};

async fn latest(flow: &Flow) -> Alarm {
    alarms::list(flow.cx.table.as_ref(), Which::All, 100, None).await.unwrap().items.remove(0)
}

async fn acts(flow: &Flow, deed: Deed) {
    let act = Act { by: "tech".to_owned(), why: Some("on my way".to_owned()), deed };
    alarms::act(flow.cx.table.as_ref(), &Source::Device(device(1)), &act, flow.now()).await.unwrap();
}

#[tokio::test]
async fn an_acknowledgement_expires_though_nothing_arrives_and_people_are_told_once() {
    let flow = Flow::new().await;
    flow.sensor_says(35.2).await;
    let until = Some(flow.now().plus(Duration::from_mins(1)));
    acts(&flow, Deed::Acknowledge { alarm: latest(&flow).await.id, until, void_up_to: None }).await;
    flow.after(Duration::from_secs(55)).await;
    assert_eq!(latest(&flow).await.acknowledged.unwrap().by, "tech");
    assert_eq!(flow.mails().len(), 1);
    flow.after(Duration::from_secs(30)).await;
    assert_eq!(latest(&flow).await.acknowledged, None);
    assert_eq!(flow.mails().len(), 2, "{:?}", flow.mails());
    assert!(flow.letters().last().unwrap().text.contains("nobody has it on any more"));
}

#[tokio::test]
async fn what_is_on_the_shelf_is_recorded_and_told_when_it_is_off_and_stands() {
    let flow = Flow::new().await;
    flow.sensor_says(35.2).await;
    flow.sensor_says(25.0).await;
    assert_eq!(flow.mails().len(), 2);
    let (rule, until) = (latest(&flow).await.rule, Some(flow.now().plus(Duration::from_mins(1))));
    acts(&flow, Deed::Shelve { rule, until, once: false }).await;
    flow.sensor_says(36.0).await;
    flow.after(Duration::from_secs(55)).await;
    assert_eq!((latest(&flow).await.life.occurrence, flow.mails().len()), (2, 2), "recorded, and nobody told");
    flow.after(Duration::from_secs(30)).await;
    assert_eq!(flow.mails().len(), 3);
    flow.sensor_says(25.0).await;
    assert_eq!(flow.mails().len(), 4, "and of its end");
}

#[tokio::test]
async fn what_somebody_takes_off_the_shelf_is_told_by_the_next_sweep() {
    let flow = Flow::new().await;
    flow.sensor_says(35.2).await;
    let rule = latest(&flow).await.rule;
    acts(&flow, Deed::Shelve { rule: rule.clone(), until: None, once: false }).await;
    acts(&flow, Deed::Unshelve { rule }).await;
    flow.after(Duration::from_secs(1)).await;
    assert_eq!(flow.mails().len(), 2);
    let enqueued = flow.enqueued();
    flow.after(Duration::from_secs(5)).await;
    assert_eq!(flow.enqueued(), enqueued + 5, "nothing but the sweeps themselves goes on");
    assert_eq!(flow.mails().len(), 2);
}

#[tokio::test]
async fn a_device_that_flaps_is_told_as_that() {
    let flow = Flow::new().await;
    for _ in 0..20 {
        flow.sensor_says(35.2).await;
        flow.sensor_says(25.0).await;
    }
    assert_eq!(flow.mails().len(), 11, "five alarms and recoveries, and that it flaps: {:?}", flow.mails());
    flow.after(Duration::from_mins(15)).await;
    assert_eq!(flow.mails().len(), 12);
    assert!(flow.letters().last().unwrap().text.contains("now calm: it is over"));
}

#[tokio::test]
async fn a_late_reading_raises_nothing_and_is_on_record_as_late() {
    let flow = Flow::new().await;
    let late = flow.answer(36.0);
    flow.sleeps(Duration::from_secs(5));
    flow.sensor_says(25.0).await;
    flow.reports([late]).await;
    flow.settle().await;
    assert_eq!(alarms::list(flow.cx.table.as_ref(), Which::All, 10, None).await.unwrap().items.len(), 0);
    flow.sensor_says(25.0).await;
    let recorded = latest(&flow).await;
    assert_eq!((recorded.life.late_readings, recorded.cleared_at.is_some()), (Some(1), true));
    assert_eq!(flow.mails().len(), 0);
}

#[tokio::test]
async fn browsers_are_shown_of_what_is_unknown_what_was_lost_and_of_all_else_what_they_always_were() {
    let flow = Flow::new().await;
    flow.sensor_says(35.2).await;
    let until = Some(flow.now().plus(Duration::from_mins(5)));
    acts(&flow, Deed::Acknowledge { alarm: latest(&flow).await.id, until, void_up_to: None }).await;
    flow.reports([Event::NodeLost]).await;
    flow.after(Duration::from_mins(6)).await;
    let pushes = flow.pushes().into_iter().filter(|push| push.event == "alarm");
    let shown: Vec<_> = pushes.map(|push| (push.data["source"].clone(), push.data.get("unknown").cloned())).collect();
    let sensor = json!(Source::Device(device(1)).to_string());
    assert_eq!(shown.first(), Some(&(sensor.clone(), None)));
    assert_eq!(shown.last(), Some(&(sensor, Some(json!("node:n1")))), "the word that expired: {shown:?}");
}
