//! Webhooks of people's own, against real receivers and by a clock that is turned by hand.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use jobs::DeliverNotice;
use notify::{Post, SystemResolver};
use records::{
    Versioned,
    channels::{self, Endpoint, Kind, OVERLAP, Retired},
    inbox, ledger,
    notices::{self, Notice, NoticeStatus},
    users,
};
use serde_json::json;
use telltale_tests::{Verified, Verifier, flow::Flow};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZZ";

/// A technician who has a webhook of their own alone, and its receiver, which is really called.
struct Stage {
    flow: Flow,
    receiver: Verifier,
}

impl Stage {
    async fn set() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Endpoint)) -> Self {
        let mut flow = Flow::new().await;
        let settings = json!({ "webhook": { "allowed_nets": ["127.0.0.0/8"] } });
        let settings = serde_json::from_value(settings).unwrap();
        flow.cx.notifier = Arc::new(Post::new(settings, real_time(), Arc::new(SystemResolver)).unwrap());
        let receiver = Verifier::start(SECRET).await.unwrap();
        let table = flow.cx.table.as_ref();
        let technician = users::get(table, "tech").await.unwrap().unwrap();
        users::put(table, &users::User { mail: None, webhook: None, ..technician }).await.unwrap();
        let mut endpoint = Endpoint {
            id: ID.to_owned(),
            owner: "tech".to_owned(),
            name: "My server".to_owned(),
            kind: Kind::Webhook,
            url: receiver.url(),
            secret: Some(SECRET.to_owned()),
            retired: None,
            chat: None,
            events: Vec::new(),
            made_at: flow.now(),
            disabled: None,
            failing: None,
        };
        change(&mut endpoint);
        let write = channels::put_endpoint(&Versioned { value: endpoint, version: 0 }).unwrap();
        assert!(table.write(write).await.unwrap().applied());
        Self { flow, receiver }
    }

    async fn endpoint(&self) -> Versioned<Endpoint> {
        channels::endpoint(self.flow.cx.table.as_ref(), "tech", ID).await.unwrap().unwrap()
    }

    /// What the receiver got, once it got so much and nothing more.
    async fn received(&self, count: usize) -> Vec<Verified> {
        self.receiver.until_received(count).await.unwrap();
        let received = self.receiver.received();
        assert_eq!(received.len(), count, "{received:#?}");
        received
    }

    async fn notices(&self) -> Vec<Notice> {
        notices::list(self.flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items
    }

    /// Goes on to shortly before or after an instant without asking for what is in between.
    async fn at(&self, at: Timestamp) {
        self.flow.sleeps(at.since(self.flow.now()));
        self.flow.after(Duration::from_secs(1)).await;
    }
}

/// The library checks that a delivery is of now, so what is sent is dated by the real clock.
fn real_time() -> Arc<dyn records::Clock> {
    Arc::new(boot::SystemClock)
}

#[tokio::test]
async fn the_genuine_library_verifies_what_arrives_and_its_type_says_what_it_is() {
    let stage = Stage::set().await;
    stage.flow.sensor_says(40.0).await;
    stage.flow.sensor_says(25.0).await;
    let received = stage.received(2).await;
    assert!(received.iter().all(|got| got.genuine), "{received:#?}");
    assert_eq!(
        (&received[0].body["type"], &received[1].body["type"]),
        (&json!("alarm.raised"), &json!("alarm.cleared"))
    );
    assert_ne!(received[0].id, received[1].id);
}

#[tokio::test]
async fn an_endpoint_gets_the_events_it_wants_and_no_others() {
    let stage = Stage::with(|endpoint| endpoint.events = vec!["alarm.cleared".to_owned()]).await;
    stage.flow.sensor_says(40.0).await;
    stage.flow.sensor_says(25.0).await;
    assert_eq!(stage.received(1).await[0].body["type"], "alarm.cleared");
    assert_eq!(stage.notices().await.len(), 1);
}

#[tokio::test]
async fn while_a_secret_is_changed_receivers_with_either_verify_and_after_that_only_those_with_the_new_one() {
    let mut stage = Stage::set().await;
    let mut endpoint = stage.endpoint().await;
    let until = stage.flow.now().plus(OVERLAP);
    endpoint.value.retired = Some(Retired { secret: OLD_SECRET.to_owned(), until });
    let write = channels::put_endpoint(&endpoint).unwrap();
    assert!(stage.flow.cx.table.write(write).await.unwrap().applied());
    stage.flow.sensor_says(40.0).await;
    assert!(stage.received(1).await[0].genuine, "the new one");
    stage.receiver.checks_with(OLD_SECRET).await.unwrap();
    stage.flow.sensor_says(25.0).await;
    assert!(stage.received(2).await[1].genuine, "the old one");

    stage.at(until).await;
    stage.flow.sensor_says(40.0).await;
    assert!(!stage.received(3).await[2].genuine, "the old one counts no more");
    stage.receiver.checks_with(SECRET).await.unwrap();
    stage.flow.sensor_says(25.0).await;
    assert!(stage.received(4).await[3].genuine, "the new one");
}

#[tokio::test]
async fn a_receiver_that_is_down_for_ten_minutes_gets_exactly_one_message_after() {
    let mut stage = Stage::set().await;
    stage.receiver.answer(503, json!({}), 3).await.unwrap();
    let began = stage.flow.now();
    stage.flow.sensor_says(40.0).await;
    stage.flow.after(Duration::from_mins(10)).await;
    let received = stage.received(3).await;
    assert!(received.iter().all(|got| !got.taken));
    stage.flow.after(Duration::from_mins(40)).await;
    let received = stage.received(4).await;
    assert_eq!(received.iter().filter(|got| got.taken).count(), 1);
    assert!(received.iter().all(|got| got.id == received[0].id && got.genuine), "{received:#?}");
    let notice = stage.notices().await.remove(0);
    assert_eq!((notice.status, notice.attempts.len()), (NoticeStatus::Sent, 4));
    let seconds: Vec<u64> = notice.attempts.iter().map(|attempt| attempt.at.since(began).as_secs()).collect();
    assert!(seconds[1] >= 5 && seconds[2] - seconds[1] >= 300 && seconds[3] - seconds[2] >= 1800, "{seconds:?}");
    assert!(stage.endpoint().await.value.failing.is_none());
}

#[tokio::test]
async fn a_receiver_that_says_when_to_come_back_is_left_alone_until_then() {
    let mut stage = Stage::set().await;
    stage.receiver.answer(429, json!({ "Retry-After": "900" }), 1).await.unwrap();
    stage.flow.sensor_says(40.0).await;
    stage.flow.after(Duration::from_secs(895)).await;
    stage.received(1).await;
    stage.flow.after(Duration::from_secs(10)).await;
    assert!(stage.received(2).await[1].taken);
}

#[tokio::test]
async fn only_a_receiver_that_is_gone_for_good_is_not_tried_again() {
    for (status, expected) in [
        (301, NoticeStatus::Sent),
        (307, NoticeStatus::Sent),
        (401, NoticeStatus::Sent),
        (404, NoticeStatus::Sent),
        (410, NoticeStatus::Failed),
        (500, NoticeStatus::Sent),
        (504, NoticeStatus::Sent),
    ] {
        let mut stage = Stage::set().await;
        stage.receiver.answer(status, json!({ "Location": "http://127.0.0.1:9/" }), 1).await.unwrap();
        stage.flow.sensor_says(40.0).await;
        stage.flow.after(Duration::from_secs(10)).await;
        assert_eq!(stage.notices().await[0].status, expected, "{status}");
    }
}

/// Lets the sensor be hot and cold again each 12 hours, for so long.
async fn alarms_for(stage: &Stage, days: u64) {
    for half_day in 1..=2 * days {
        let celsius = if half_day % 2 == 0 { 25.0 } else { 40.0 };
        stage.flow.sensor_says(celsius).await;
        let end = stage.flow.now().plus(Duration::from_hours(12));
        while stage.flow.now() < end {
            stage.at(stage.flow.now().plus(Duration::from_mins(30))).await;
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_takes_nothing_for_five_days_is_disabled_and_its_owner_told_once() {
    let mut stage = Stage::set().await;
    stage.receiver.answer(500, json!({}), 1000).await.unwrap();
    let table = Arc::clone(&stage.flow.cx.table);
    let technician = users::get(table.as_ref(), "tech").await.unwrap().unwrap();
    alarms_for(&stage, 4).await;
    assert!(stage.endpoint().await.value.disabled.is_none(), "not yet");
    // By then they have another way to be told.
    let mailbox = telltale_tests::Mailbox::start().await.unwrap();
    users::put(table.as_ref(), &users::User { mail: Some("tech@example.org".to_owned()), ..technician }).await.unwrap();
    let settings = json!({ "webhook": { "allowed_nets": ["127.0.0.0/8"] },
        "smtp": { "url": mailbox.url(), "from": "alarms@example.org" } });
    let settings = serde_json::from_value(settings).unwrap();
    stage.flow.cx.notifier = Arc::new(Post::new(settings, real_time(), Arc::new(SystemResolver)).unwrap());
    alarms_for(&stage, 2).await;
    let disabled = stage.endpoint().await.value.disabled.expect("it is disabled");
    assert!(disabled.why.contains("500"), "{disabled:?}");
    assert_eq!(mailbox.mails("Webhook disabled: My server").len(), 1);

    let before = stage.receiver.received().len();
    alarms_for(&stage, 1).await;
    assert_eq!(stage.receiver.received().len(), before, "nothing is sent there any more");
    let newest = stage.notices().await.into_iter().find(|row| row.channel.starts_with("webhook/")).unwrap();
    assert_eq!(newest.status, NoticeStatus::Failed);
    assert!(newest.attempts[0].outcome.starts_with("it is disabled since "), "{newest:#?}");
}

#[tokio::test]
async fn whom_nothing_else_reaches_finds_in_their_inbox_that_their_endpoint_is_disabled() {
    let mut stage = Stage::set().await;
    stage.receiver.answer(500, json!({}), 1000).await.unwrap();
    alarms_for(&stage, 6).await;
    assert!(stage.endpoint().await.value.disabled.is_some());
    let inbox = inbox::list(stage.flow.cx.table.as_ref(), "tech", 100, None).await.unwrap().items;
    let told = inbox.iter().filter(|entry| entry.title == "Webhook disabled: My server").count();
    assert_eq!(told, 1, "{inbox:#?}");
    let shown = |push: &jobs::ports::Push| push.data["notification"]["title"] == "Webhook disabled: My server";
    assert_eq!(stage.flow.pushes().iter().filter(|push| shown(push)).count(), 1);
}

#[tokio::test]
async fn what_is_replayed_is_tried_anew_under_the_same_id() {
    let mut stage = Stage::set().await;
    stage.receiver.answer(410, json!({}), 1).await.unwrap();
    stage.flow.sensor_says(40.0).await;
    let failed = stage.notices().await.remove(0);
    let table = stage.flow.cx.table.as_ref();
    let mut notice = notices::get(table, "tech", &failed.id).await.unwrap().unwrap();
    notice.value.status = NoticeStatus::Waiting;
    notice.value.way.since = Some(stage.flow.now());
    let writes = vec![notices::update(&notice).unwrap(), ledger::reopen(&DeliverNotice::claim(&failed.id))];
    assert!(table.transact(writes).await.unwrap().applied());
    let job = jobs::Job::message(&DeliverNotice { user: "tech".to_owned(), notice: failed.id });
    stage.flow.cx.queue.enqueue(vec![job]).await.unwrap();
    stage.flow.settle().await;
    let received = stage.received(2).await;
    assert_eq!((received[0].id.as_str(), received[0].taken), (received[1].id.as_str(), false));
    assert!(received[1].taken);
    assert_eq!(stage.notices().await[0].status, NoticeStatus::Sent);
}
