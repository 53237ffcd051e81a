//! A part of the platform says that what it needs is away, and that it is back.

use std::time::Duration;

use domain::{Need, Source, Timestamp};
use jobs::{
    Job, ProcessResults,
    report::{Absence, Event, Report},
};
use records::{
    alarms::{self, Alarm, Which},
    users::{self, Role, Webhook},
};
use telltale_tests::flow::Flow;

fn need(needs: &str) -> Need {
    Need { part: "broker:8081".to_owned(), needs: needs.to_owned() }
}

fn away(needs: &str) -> Event {
    Event::PartAway { need: need(needs), why: format!("the {needs} is away since noon: 12 batches wait") }
}

fn back(needs: &str) -> Event {
    Event::PartBack { need: need(needs), how: format!("the {needs} is back after 40 s"), absence: None }
}

/// With an administrator, who has a webhook.
async fn flow() -> Flow {
    let flow = Flow::new().await;
    let technician = users::get(flow.cx.table.as_ref(), "tech").await.unwrap().unwrap();
    let webhook = Some(Webhook { url: "https://root.example/hook".to_owned(), secret: "whsec_AAAA".to_owned() });
    let root = users::User { user: "root".to_owned(), role: Role::Admin, mail: None, webhook, ..technician };
    users::put(flow.cx.table.as_ref(), &root).await.unwrap();
    flow
}

async fn all(flow: &Flow) -> Vec<Alarm> {
    alarms::list(flow.cx.table.as_ref(), Which::All, 100, None).await.unwrap().items
}

/// The subjects of what was told, and through which channel.
fn told(flow: &Flow) -> Vec<String> {
    flow.letters().iter().map(|letter| format!("{} {}", letter.address.channel(), letter.subject)).collect()
}

async fn is_reported(flow: &Flow, at: Timestamp, event: Event) {
    let report = Report { node: String::new(), at, event };
    let job = ProcessResults { batch: format!("batch {at:?}"), reports: vec![report] };
    flow.cx.queue.enqueue(vec![job.message()]).await.unwrap();
    flow.settle().await;
}

#[tokio::test]
async fn what_is_away_is_an_alarm_of_the_part_that_administrators_alone_hear_of_once() {
    let flow = flow().await;
    flow.reports([away("queue")]).await;
    flow.settle().await;
    assert_eq!(told(&flow), ["webhook Alarm: broker:8081 / queue"]);
    let alarm = all(&flow).await.remove(0);
    assert_eq!((&alarm.source, alarm.rule.as_str()), (&Source::Platform(need("queue")), "away"));
    assert_eq!(alarm.detail, "the queue is away since noon: 12 batches wait");

    flow.after(Duration::from_secs(5)).await;
    flow.reports([back("queue")]).await;
    flow.settle().await;
    assert_eq!(told(&flow)[1..], ["webhook Recovered: broker:8081 / queue"]);
    let alarms = all(&flow).await;
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].cleared_by.as_deref(), Some("the queue is back after 40 s"));
    assert!(flow.pushes().iter().any(|push| push.event == "alarm"), "their browsers show it");
}

#[tokio::test]
async fn two_things_that_are_away_are_two_alarms_and_each_has_its_own_end() {
    let flow = flow().await;
    flow.reports([away("queue"), away("store"), back("store")]).await;
    flow.settle().await;
    let active: Vec<_> = all(&flow).await.into_iter().filter(|alarm| alarm.cleared_at.is_none()).collect();
    assert_eq!(active.len(), 1);
    assert_eq!(active[0].source, Source::Platform(need("queue")));
}

#[tokio::test]
async fn what_is_said_again_or_overtaken_by_its_end_raises_nothing() {
    let flow = flow().await;
    let (began, ended) = (flow.now(), flow.now().plus(Duration::from_secs(40)));
    flow.sleeps(Duration::from_mins(1));
    is_reported(&flow, ended, back("store")).await;
    is_reported(&flow, began, away("store")).await;
    assert_eq!(all(&flow).await.len(), 0);

    let again = ended.plus(Duration::from_secs(1));
    for _ in 0..3 {
        is_reported(&flow, again, away("store")).await;
    }
    assert_eq!((all(&flow).await.len(), told(&flow).len()), (1, 1));
}

#[tokio::test]
async fn an_end_that_overtakes_its_beginning_brings_it_along_and_both_are_told_once() {
    let flow = flow().await;
    let (began, ended) = (flow.now(), flow.now().plus(Duration::from_secs(40)));
    flow.sleeps(Duration::from_mins(1));
    let Event::PartAway { need, why } = away("queue") else { panic!("it is away") };
    let absence = Some(Absence { since: began, why });
    let end = Event::PartBack { need, how: "the queue is back after 40 s".to_owned(), absence };
    is_reported(&flow, ended, end).await;
    is_reported(&flow, began, away("queue")).await;
    let alarms = all(&flow).await;
    assert_eq!(alarms.len(), 1);
    assert!(alarms[0].raised_at == began && alarms[0].cleared_at == Some(ended), "{alarms:?}");
    let told = told(&flow);
    assert_eq!(told, ["webhook Alarm: broker:8081 / queue", "webhook Recovered: broker:8081 / queue"]);
}

#[tokio::test]
async fn what_is_remembered_of_a_part_that_is_well_goes_by_itself() {
    let flow = flow().await;
    let source = Source::Platform(need("queue"));
    flow.reports([away("queue")]).await;
    flow.settle().await;
    flow.sleeps(alarms::TRANSITION_RETENTION * 2);
    assert!(!alarms::watch(flow.cx.table.as_ref(), &source).await.unwrap().value.state.conditions.is_empty());
    flow.reports([back("queue")]).await;
    flow.settle().await;
    assert_ne!(alarms::watch(flow.cx.table.as_ref(), &source).await.unwrap().version, 0);
    flow.sleeps(alarms::TRANSITION_RETENTION * 2);
    assert_eq!(alarms::watch(flow.cx.table.as_ref(), &source).await.unwrap().version, 0);
}
