//! What a channel does not take, and what is made of a channel that takes nothing.

use std::time::Duration;

use domain::{
    Need, Source,
    routing::{Category, Preferences, Way},
};
use jobs::{DeliverNotice, Job, ports::Delivery};
use records::{
    alarms::{self, Which},
    channels::{self, Order},
    notices::{self, Notice, NoticeStatus},
    preferences,
    routing::{self, Policy, Written},
    users::{self, Role},
};
use telltale_tests::flow::Flow;

fn busy() -> Delivery {
    Delivery::TryLater { after: Some(Duration::from_secs(30)), why: "451 try later".to_owned() }
}

fn refused() -> Delivery {
    Delivery::Refused { why: "550 no such user".to_owned() }
}

/// The technician is told by mail, and by webhook when that fails.
async fn one_by_one() -> Flow {
    let flow = Flow::new().await;
    let order = Order { channels: vec!["email".to_owned(), "webhook".to_owned()], one_by_one: true };
    channels::put_order(flow.cx.table.as_ref(), "tech", &order).await.unwrap();
    flow
}

fn told_by(flow: &Flow) -> Vec<&'static str> {
    flow.letters().iter().map(|letter| letter.address.channel()).collect()
}

async fn ledger(flow: &Flow, user: &str) -> Vec<Notice> {
    notices::list(flow.cx.table.as_ref(), user, 10, None).await.unwrap().items
}

#[tokio::test]
async fn one_by_one_a_person_is_told_on_the_first_channel_alone() {
    let flow = one_by_one().await;
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(told_by(&flow), ["email"]);
}

#[tokio::test]
async fn what_a_channel_does_not_take_within_two_minutes_goes_on_to_the_next_and_says_so() {
    let flow = one_by_one().await;
    flow.notifier().fail_next(5, &busy());
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_secs(118)).await;
    assert_eq!(told_by(&flow), [""; 0]);
    flow.after(Duration::from_secs(4)).await;
    assert_eq!(told_by(&flow), ["webhook"]);
    let letter = flow.letters().remove(0);
    assert!(letter.text.starts_with("Not taken by email within 2 minutes, so it comes here. There: 451 try later\n"));
    flow.after(Duration::from_mins(5)).await;
    assert_eq!(told_by(&flow), ["webhook"], "they know: the mail is not tried any more");
    let rows = ledger(&flow, "tech").await;
    let mail = rows.iter().find(|row| row.channel == "email").unwrap();
    let webhook = rows.iter().find(|row| row.channel == "webhook").unwrap();
    assert_eq!((mail.attempts.len(), mail.status), (6, NoticeStatus::Failed));
    assert_eq!(mail.attempts[5].outcome, "not tried any more: told by webhook instead");
    assert_eq!(webhook.way.instead_of.as_ref(), Some(&mail.id));
}

#[tokio::test]
async fn while_no_other_channel_took_it_either_it_is_tried_still() {
    let flow = one_by_one().await;
    flow.notifier().refuse_channel("webhook", Some(busy()));
    flow.notifier().fail_next(5, &busy());
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(6)).await;
    assert_eq!(told_by(&flow), ["email"]);
}

#[tokio::test]
async fn what_a_channel_refuses_goes_on_at_once() {
    let flow = one_by_one().await;
    flow.notifier().fail_next(1, &refused());
    flow.sensor_says(40.0).await;
    assert_eq!(told_by(&flow), ["webhook"]);
    assert!(flow.letters()[0].text.starts_with("Not taken by email, so it comes here. There: 550 no such user\n"));
}

/// What the technician chose.
async fn chooses(flow: &Flow, channel: &str, way: Way) {
    let mut chosen = Preferences::default();
    chosen.ways.insert(Category::Alarms, [(channel.to_owned(), way)].into());
    preferences::put(flow.cx.table.as_ref(), "tech", &chosen).await.unwrap();
}

#[tokio::test]
async fn one_by_one_a_channel_that_is_off_is_left_out_and_the_next_is_told_first() {
    let flow = one_by_one().await;
    chooses(&flow, "email", Way::Off).await;
    flow.sensor_says(40.0).await;
    assert_eq!(told_by(&flow), ["webhook"]);
}

#[tokio::test]
async fn what_a_channel_refuses_does_not_go_on_to_one_that_is_off() {
    let flow = one_by_one().await;
    chooses(&flow, "webhook", Way::Off).await;
    flow.notifier().fail_next(1, &refused());
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(told_by(&flow), [""; 0]);
}

#[tokio::test]
async fn what_a_channel_refuses_does_not_go_beyond_what_a_number_is_told_a_day() {
    let flow = Flow::with(|settings| settings.notices.sms_a_day = 2).await;
    let table = flow.cx.table.as_ref();
    let tech = users::get(table, "tech").await.unwrap().unwrap();
    users::put(table, &users::User { phone: Some("+8613800138000".to_owned()), ..tech }).await.unwrap();
    let order = Order { channels: ["email", "sms", "webhook"].map(str::to_owned).to_vec(), one_by_one: true };
    channels::put_order(table, "tech", &order).await.unwrap();
    flow.notifier().refuse_channel("email", Some(refused()));
    for celsius in [40.0, 20.0, 40.0, 20.0, 41.0] {
        flow.sensor_says(celsius).await;
    }
    assert_eq!(told_by(&flow), ["sms", "sms", "webhook", "webhook", "webhook"]);
}

#[tokio::test]
async fn who_is_told_on_all_channels_at_once_is_not_told_twice_when_one_fails() {
    let flow = Flow::new().await;
    flow.notifier().fail_next(1, &refused());
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(5)).await;
    assert_eq!(flow.letters().len(), 1);
    assert_eq!(ledger(&flow, "tech").await.len(), 2);
}

/// Dave, who has mail alone, is told at once; the boss, who has a webhook alone, when nobody acknowledges within an hour.
async fn dave_and_then_the_boss() -> Flow {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    flow.hire("dave", Role::User).await;
    let tech = users::get(table, "tech").await.unwrap().unwrap();
    users::put(table, &users::User { user: "boss".to_owned(), mail: None, ..tech }).await.unwrap();
    let steps = serde_json::json!([{ "after_ms": 0, "users": ["dave"] }, { "after_ms": 3_600_000, "users": ["boss"] }]);
    let value = serde_json::json!({
        "name": "p", "scope": { "kind": "everywhere" }, "enabled": true, "least": "info", "steps": steps,
    });
    let value: Policy = serde_json::from_value(value).unwrap();
    let (id, changed_at, changed_by) = ("p".to_owned(), flow.now(), "root".to_owned());
    assert!(routing::put(table, &Written { id, version: 1, changed_at, changed_by, value }).await.unwrap());
    flow
}

#[tokio::test]
async fn when_no_channel_of_a_person_takes_it_the_person_of_the_next_step_is_told_once_and_hears_why() {
    let flow = dave_and_then_the_boss().await;
    flow.notifier().refuse_channel("email", Some(busy()));
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_secs(115)).await;
    assert_eq!(ledger(&flow, "boss").await, []);
    flow.after(Duration::from_mins(5)).await;
    let told: Vec<Notice> = ledger(&flow, "boss").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].status, NoticeStatus::Sent);
    assert!(told[0].text.starts_with("dave could not be told within 2 minutes, so you are."), "{}", told[0].text);
}

#[tokio::test]
async fn of_an_end_that_a_person_is_not_told_nobody_else_hears() {
    let flow = dave_and_then_the_boss().await;
    flow.sensor_says(40.0).await;
    flow.notifier().refuse_channel("email", Some(refused()));
    flow.sensor_says(20.0).await;
    flow.after(Duration::from_mins(5)).await;
    assert_eq!(ledger(&flow, "dave").await[0].status, NoticeStatus::Failed);
    assert_eq!(ledger(&flow, "boss").await, []);
}

#[tokio::test]
async fn passing_on_again_tells_nobody_twice() {
    let flow = one_by_one().await;
    flow.notifier().fail_next(1, &refused());
    flow.queue_is_away_once_for(DeliverNotice::NAME);
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(2)).await;
    assert_eq!(told_by(&flow), ["webhook"]);
    assert_eq!(ledger(&flow, "tech").await.len(), 2);
}

/// With an administrator who has a webhook alone, so that they hear of mail that does not go.
async fn with_root() -> Flow {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    let technician = users::get(table, "tech").await.unwrap().unwrap();
    let root = users::User { user: "root".to_owned(), role: Role::Admin, mail: None, ..technician.clone() };
    users::put(table, &root).await.unwrap();
    users::put(table, &users::User { webhook: None, ..technician }).await.unwrap();
    flow
}

#[tokio::test]
async fn a_channel_that_takes_nothing_for_five_minutes_is_an_alarm_until_it_takes_something() {
    let flow = with_root().await;
    users::unbind(flow.cx.table.as_ref(), "root", &telltale_tests::flow::mac()).await.unwrap();
    flow.notifier().refuse_channel("email", Some(busy()));
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(4)).await;
    let of_mail = || flow.letters().into_iter().filter(|letter| letter.subject.contains("channel:email"));
    assert_eq!(of_mail().count(), 0);
    flow.after(Duration::from_mins(3)).await;
    let told: Vec<String> = of_mail().map(|letter| letter.subject).collect();
    assert_eq!(told, ["Alarm: channel:email / server"]);
    let active = alarms::list(flow.cx.table.as_ref(), Which::Active, 10, None).await.unwrap().items;
    let need = Need { part: "channel:email".to_owned(), needs: "server".to_owned() };
    let alarm = active.into_iter().find(|alarm| alarm.source == Source::Platform(need.clone())).unwrap();
    assert!(alarm.detail.starts_with("email takes no letters since "), "{}", alarm.detail);
    assert!(alarm.detail.ends_with("451 try later"), "{}", alarm.detail);

    flow.notifier().refuse_channel("email", None);
    flow.after(Duration::from_mins(2)).await;
    let told: Vec<String> = of_mail().map(|letter| letter.subject).collect();
    assert_eq!(told, ["Alarm: channel:email / server", "Recovered: channel:email / server"]);
}

#[tokio::test]
async fn what_is_refused_to_one_person_says_nothing_of_the_channel_and_what_is_refused_to_all_does() {
    for (is_alone, expected) in [(true, [].as_slice()), (false, &["Alarm: channel:email / server"])] {
        let flow = with_root().await;
        if !is_alone {
            flow.hire("dave", Role::User).await;
            users::bind(flow.cx.table.as_ref(), "dave", &telltale_tests::flow::mac()).await.unwrap();
        }
        flow.notifier().refuse_channel("email", Some(refused()));
        for celsius in [40.0, 25.0, 40.0, 25.0, 40.0] {
            flow.sensor_says(celsius).await;
            flow.after(Duration::from_mins(2)).await;
        }
        let told = flow.letters().into_iter().filter(|letter| letter.subject.contains("channel:email"));
        assert_eq!(told.map(|letter| letter.subject).collect::<Vec<_>>(), expected);
    }
}
