use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    protocol::ThresholdDocument,
    routing::{Matcher, Silence, Window},
};
use jobs::{DeliverNotice, FanOut, Job, links::Links, ports::Delivery};
use records::{
    Versioned,
    alarms::{self, Which},
    notices::{self, NoticeStatus},
    protocols, silences, terminals,
};
use telltale_tests::flow::{Flow, device, mac};

#[tokio::test]
async fn a_person_is_told_once_on_each_channel_and_the_ledger_shows_it() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    let channels: BTreeSet<&str> = flow.letters().iter().map(|letter| letter.address.channel()).collect();
    assert_eq!(channels, BTreeSet::from(["email", "webhook"]));
    let rows = notices::list(flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.status == NoticeStatus::Sent && row.attempts.len() == 1), "{rows:?}");
}

#[tokio::test]
async fn a_channel_that_fails_is_tried_again_and_told_once() {
    let flow = Flow::new().await;
    let busy = Delivery::TryLater { after: Some(Duration::from_secs(5)), why: "451 try later".to_owned() };
    flow.notifier().fail_next(2, &busy);
    flow.sensor_says(40.0).await;
    assert_eq!(flow.letters().len(), 0);
    flow.after(Duration::from_secs(10)).await;
    assert_eq!(flow.letters().len(), 2);
    let rows = notices::list(flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items;
    assert!(rows.iter().all(|row| row.attempts.len() == 2 && row.attempts[0].outcome == "451 try later"), "{rows:?}");
}

#[tokio::test]
async fn a_refused_letter_is_failed_and_not_tried_again() {
    let flow = Flow::new().await;
    flow.notifier().fail_next(2, &Delivery::Refused { why: "550 no such user".to_owned() });
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(1)).await;
    assert_eq!(flow.letters().len(), 0);
    let rows = notices::list(flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items;
    assert!(rows.iter().all(|row| row.status == NoticeStatus::Failed), "{rows:?}");
    assert_eq!(flow.dead_letters().await, 0);
}

#[tokio::test]
async fn a_transition_whose_fan_out_could_not_be_enqueued_stays_in_the_outbox_and_is_told_once() {
    let flow = Flow::new().await;
    flow.queue_is_away_once_for(FanOut::NAME);
    flow.sensor_says(40.0).await;
    assert_eq!(outbox(&flow).await.len(), 1, "it waits to be handed on");
    assert_eq!(flow.letters().len(), 0);
    flow.after(Duration::from_secs(5)).await;
    assert_eq!(flow.letters().len(), 2);
    assert_eq!(outbox(&flow).await, Vec::<String>::new(), "what was handed on does not stay in the outbox");
}

#[tokio::test]
async fn a_fan_out_that_died_half_way_writes_the_same_notices_again() {
    let flow = Flow::new().await;
    flow.queue_is_away_once_for(DeliverNotice::NAME);
    flow.sensor_says(40.0).await;
    assert_eq!((ledger_rows(&flow).await, flow.letters().len()), (2, 0), "written, and not yet on their way");
    flow.after(Duration::from_mins(1)).await;
    assert_eq!((ledger_rows(&flow).await, flow.letters().len()), (2, 2));
}

#[tokio::test]
async fn every_job_of_a_transition_may_run_again_and_tells_nobody_twice() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    let told = flow.letters();
    let rows = notices::list(flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items;
    for row in rows {
        let fan_out = FanOut::Transition { source: row.source.clone(), transition: row.transition.clone() };
        let deliver = DeliverNotice { user: row.user.clone(), notice: row.id.clone() };
        flow.cx.queue.enqueue(vec![fan_out.message(), deliver.message()]).await.unwrap();
    }
    flow.settle().await;
    flow.after(Duration::from_mins(1)).await;
    assert_eq!(flow.letters(), told);
}

async fn outbox(flow: &Flow) -> Vec<String> {
    let source = domain::Source::Device(device(1));
    alarms::watch(flow.cx.table.as_ref(), &source).await.unwrap().value.outbox
}

async fn ledger_rows(flow: &Flow) -> usize {
    notices::list(flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items.len()
}

/// From now on, this value of the sensor may be no greater than `max`.
async fn watch(flow: &Flow, name: &str, max: f64) {
    let table = flow.cx.table.as_ref();
    let terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    let mut constants = protocols::constants(table, &terminal.devices[0].protocol).await.unwrap().unwrap();
    constants.threshold.push(ThresholdDocument { name: name.to_owned(), min: None, max: Some(max), deadband: None });
    protocols::put_constants(table, &constants).await.unwrap();
    flow.after(Duration::from_secs(11)).await;
}

#[tokio::test]
async fn several_values_of_a_device_that_go_wrong_at_once_are_one_notice() {
    let flow = Flow::new().await;
    watch(&flow, "humidity", 50.0).await;
    flow.sensor_says(40.0).await;
    let active = alarms::list(flow.cx.table.as_ref(), Which::Active, 100, None).await.unwrap();
    assert_eq!(active.items.len(), 2);
    assert_eq!(flow.mails().len(), 1, "{:?}", flow.mails());
    let letters = flow.letters();
    assert!(letters.iter().all(|letter| letter.text.contains("temperature") && letter.text.contains("humidity")));
}

#[tokio::test]
async fn a_catch_up_offers_links_to_what_stands_and_to_nothing_else() {
    for ends in [false, true] {
        let mut flow = Flow::new().await;
        flow.cx.stationery.links = Some(Arc::new(Links::new("https://site.test", &[7; 32]).unwrap()));
        let table = Arc::clone(&flow.cx.table);
        let window = Window::Once { from: flow.now(), until: flow.now().plus(Duration::from_mins(5)) };
        let silence = Silence { matcher: Matcher::default(), window };
        let (id, by) = (format!("{:026}", 1), "root".to_owned());
        let kept = silences::Kept { id, owner: None, silence, why: String::new(), by, at: flow.now() };
        assert!(silences::put(table.as_ref(), &Versioned { value: kept, version: 0 }).await.unwrap());
        flow.sensor_says(40.0).await;
        if ends {
            flow.after(Duration::from_secs(10)).await;
            flow.sensor_says(20.0).await;
        }
        flow.after(Duration::from_mins(6)).await;
        let told = flow.letters();
        let catch_up = told.iter().find(|letter| letter.address.channel() == "email").unwrap();
        assert_eq!(catch_up.data["links"]["acknowledge"].is_string(), !ends, "{}", catch_up.text);
    }
}
