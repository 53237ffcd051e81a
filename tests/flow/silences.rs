use std::time::Duration;

use domain::{
    Timestamp,
    alarm::Severity,
    routing::{Category, INBOX, Inhibition, Matcher, Preferences, Quiet, Same, Silence, Way, Window},
};
use jobs::{
    FanOut, Job,
    ports::{Address, Letter},
};
use records::{
    held, inbox, inhibitions, preferences,
    silences::{self, Kept},
    users,
};
use serde_json::json;
use telltale_tests::flow::{Flow, mac};

const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZ1";
const TEN_MINUTES: Duration = Duration::from_mins(10);

fn silence(flow: &Flow, owner: Option<&str>, matcher: Matcher) -> Kept {
    let window = Window::Once { from: flow.now(), until: flow.now().plus(TEN_MINUTES) };
    Kept {
        id: ID.to_owned(),
        owner: owner.map(str::to_owned),
        silence: Silence { matcher, window },
        why: "the cold store is cleaned".to_owned(),
        by: "root".to_owned(),
        at: flow.now(),
    }
}

async fn silences(flow: &Flow, kept: Kept) {
    let kept = records::Versioned { value: kept, version: 0 };
    assert!(silences::put(flow.cx.table.as_ref(), &kept).await.unwrap());
}

fn everything() -> Matcher {
    Matcher::default()
}

async fn chooses(flow: &Flow, user: &str, choose: impl FnOnce(&mut Preferences)) {
    let mut chosen = Preferences::default();
    choose(&mut chosen);
    preferences::put(flow.cx.table.as_ref(), user, &chosen).await.unwrap();
}

/// The titles in a user's inbox, oldest first.
async fn inbox(flow: &Flow, user: &str) -> Vec<String> {
    let page = inbox::list(flow.cx.table.as_ref(), user, 100, None).await.unwrap();
    page.items.into_iter().rev().map(|entry| entry.title).collect()
}

async fn nothing_is_held(flow: &Flow) {
    let timers = held::due(flow.cx.table.as_ref(), Timestamp(i64::MAX), 100).await.unwrap();
    assert_eq!(timers, []);
}

fn texts(flow: &Flow) -> Vec<Letter> {
    let is_text = |letter: &Letter| matches!(letter.address, Address::Sms { .. });
    flow.letters().into_iter().filter(is_text).collect()
}

async fn gets_texts(flow: &Flow, user: &str) {
    let mut texted = users::get(flow.cx.table.as_ref(), user).await.unwrap().unwrap();
    (texted.mail, texted.webhook, texted.phone) = (None, None, Some("+8613800138000".to_owned()));
    users::put(flow.cx.table.as_ref(), &texted).await.unwrap();
}

#[tokio::test]
async fn what_stands_at_the_end_of_a_silence_is_told_then_and_once_on_each_channel() {
    let flow = Flow::new().await;
    silences(&flow, silence(&flow, None, everything())).await;
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(9)).await;
    assert_eq!((flow.letters().len(), inbox(&flow, "tech").await.len()), (0, 0));
    flow.after(Duration::from_mins(2)).await;
    let told = "Held back by a silence: 1 standing";
    assert_eq!(flow.letters().iter().map(|letter| letter.subject.as_str()).collect::<Vec<_>>(), [told, told]);
    assert_eq!(inbox(&flow, "tech").await, [told]);
    assert!(
        flow.letters()[0]
            .text
            .contains("standing: Cold store / 1 TH-10\nraised 2026-05-28 20:26:40 (warning): temperature 40"),
        "{:?}",
        flow.letters()
    );
    nothing_is_held(&flow).await;
    flow.sensor_says(20.0).await;
    assert_eq!(flow.mails(), [told, "Recovered: Cold store / 1 TH-10"]);
    flow.after(TEN_MINUTES).await;
    assert_eq!((flow.letters().len(), flow.dead_letters().await), (4, 0));
}

#[tokio::test]
async fn what_came_and_went_in_a_silence_is_told_as_one() {
    let flow = Flow::new().await;
    silences(&flow, silence(&flow, None, everything())).await;
    for celsius in [40.0, 20.0, 41.0, 20.0, 42.0] {
        flow.sensor_says(celsius).await;
    }
    flow.after(Duration::from_mins(11)).await;
    assert_eq!(flow.mails(), ["Held back by a silence: 1 standing, 2 came and went"]);
    assert!(
        flow.letters()[0].text.contains("5 notices were held back since 2026-05-28 20:26:40, 3 warning"),
        "{}",
        flow.letters()[0].text
    );
}

#[tokio::test]
async fn a_text_of_what_came_and_went_says_that_it_is_over_and_of_what_stands_that_it_is_not() {
    for (last, state) in [(20.0, "cleared"), (41.0, "raised")] {
        let flow = Flow::new().await;
        gets_texts(&flow, "tech").await;
        silences(&flow, silence(&flow, None, everything())).await;
        for celsius in [40.0, 20.0, 40.0, last] {
            flow.sensor_says(celsius).await;
        }
        flow.after(Duration::from_mins(11)).await;
        let told = texts(&flow).remove(0);
        assert_eq!(told.data["alarm"]["state"], state, "{told:?}");
        assert_eq!(told.data["alarm"]["places"][1]["over"], last < 30.0 || state == "raised", "{told:?}");
    }
}

#[tokio::test]
async fn the_end_of_what_was_told_before_is_told_after_the_silence() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    silences(&flow, silence(&flow, None, everything())).await;
    flow.sensor_says(20.0).await;
    assert_eq!(flow.mails().len(), 1);
    flow.after(Duration::from_mins(11)).await;
    assert_eq!(flow.mails()[1..], ["Held back by a silence: 1 recovered"]);
}

#[tokio::test]
async fn a_silence_that_is_ended_early_is_caught_up_at_once() {
    let flow = Flow::new().await;
    silences(&flow, silence(&flow, None, everything())).await;
    flow.sensor_says(40.0).await;
    let table = flow.cx.table.as_ref();
    let kept = silences::get(table, "tech", ID).await.unwrap().unwrap();
    assert!(silences::delete(table, &kept).await.unwrap());
    held::wake_all(table, None, flow.now()).await.unwrap();
    flow.after(Duration::from_secs(2)).await;
    assert_eq!(flow.mails(), ["Held back by a silence: 1 standing"]);
    flow.after(TEN_MINUTES).await;
    assert_eq!(flow.mails().len(), 1);
    nothing_is_held(&flow).await;
}

#[tokio::test]
async fn an_alarm_that_ends_before_it_was_caught_up_is_not_told_to_recover_before_it_was_told() {
    let flow = Flow::new().await;
    silences(&flow, silence(&flow, None, everything())).await;
    flow.sensor_says(40.0).await;
    flow.sleeps(TEN_MINUTES);
    flow.sensor_says(20.0).await;
    assert_eq!(flow.mails(), Vec::<String>::new());
    flow.after(Duration::from_secs(3)).await;
    assert_eq!(flow.mails(), ["Held back by a silence: 1 came and went"]);
}

#[tokio::test]
async fn a_person_silences_for_themselves_alone_and_only_what_they_name() {
    let flow = Flow::new().await;
    flow.hire("root", users::Role::Admin).await;
    let rule = Matcher { rule: Some("threshold".to_owned()), terminal: Some(mac()), ..everything() };
    silences(&flow, silence(&flow, Some("tech"), rule)).await;
    flow.sensor_says(40.0).await;
    let to = |user: &str| Address::Email { to: format!("{user}@example.org") };
    assert!(flow.letters().iter().all(|letter| letter.address == to("root")), "{:?}", flow.letters());
    for count in 1..=11 {
        flow.sensor_misses(count).await;
    }
    assert!(flow.letters().iter().any(|letter| letter.address == to("tech")), "a silence is for what fits it");
}

#[tokio::test]
async fn a_catch_up_that_died_at_any_point_tells_once() {
    for dies_at in ["deliver_notice", "fan_out"] {
        let flow = Flow::new().await;
        silences(&flow, silence(&flow, None, everything())).await;
        flow.sensor_says(40.0).await;
        flow.queue_is_away_once_for(if dies_at == "fan_out" { FanOut::NAME } else { jobs::DeliverNotice::NAME });
        flow.after(Duration::from_mins(11)).await;
        let due = held::Due { user: "tech".to_owned(), channel: "email".to_owned(), at: flow.now() };
        flow.cx.queue.enqueue(vec![FanOut::Held { held: due }.message()]).await.unwrap();
        flow.after(Duration::from_secs(5)).await;
        assert_eq!((flow.mails().len(), flow.letters().len(), flow.dead_letters().await), (1, 2, 0), "{dies_at}");
    }
}

#[tokio::test]
async fn who_may_not_see_a_terminal_any_more_is_not_told_of_it_later() {
    let flow = Flow::new().await;
    silences(&flow, silence(&flow, None, everything())).await;
    flow.sensor_says(40.0).await;
    users::unbind(flow.cx.table.as_ref(), "tech", &mac()).await.unwrap();
    flow.after(Duration::from_mins(11)).await;
    assert_eq!((flow.letters().len(), inbox(&flow, "tech").await.len()), (0, 0));
    nothing_is_held(&flow).await;
}

#[tokio::test]
async fn an_alarm_that_stands_speaks_for_others_until_it_is_over() {
    let flow = Flow::new().await;
    let rule = |rule: &str| Matcher { rule: Some(rule.to_owned()), ..everything() };
    let inhibition = Inhibition { standing: rule("timeout"), mutes: rule("threshold"), same: Same::Terminal };
    let (why, by) = (String::new(), "root".to_owned());
    let kept = inhibitions::Kept { id: ID.to_owned(), inhibition, why, by, at: flow.now() };
    assert!(inhibitions::put_new(flow.cx.table.as_ref(), &kept).await.unwrap());
    flow.sensors([1, 2]).await;
    for count in 1..=11 {
        flow.reports([jobs::report::Event::Missed { mac: mac(), pid: 2, count: Some(count), asked: None }]).await;
    }
    flow.settle().await;
    assert_eq!(flow.mails().len(), 1);
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_mins(3)).await;
    assert_eq!(flow.mails().len(), 1, "it is muted: {:?}", flow.mails());
    flow.reports([flow.climate(2, 20.0, 50.0)]).await;
    flow.settle().await;
    flow.after(Duration::from_mins(2)).await;
    assert_eq!(flow.mails()[1..], ["Partly recovered: Cold store / 2 TH-10", "Held back by another alarm: 1 standing"]);
    nothing_is_held(&flow).await;
}

#[tokio::test]
async fn quiet_hours_hold_all_but_what_is_critical_and_the_inbox_is_never_quiet() {
    let flow = Flow::new().await;
    let at = |time: Timestamp| time.rfc3339()[11..16].to_owned();
    let hours = json!([{ "from": at(flow.now()), "until": at(flow.now().plus(Duration::from_mins(5))) }]);
    let calendar = serde_json::from_value(json!({ "zone": "UTC", "hours": hours })).unwrap();
    let quiet = Quiet { calendar, passes: Some(Severity::Critical) };
    chooses(&flow, "tech", |chosen| chosen.quiet = Some(quiet)).await;
    flow.sensor_says(40.0).await;
    assert_eq!((flow.letters().len(), inbox(&flow, "tech").await.len()), (0, 1));
    flow.after(Duration::from_mins(6)).await;
    assert_eq!(flow.mails(), ["Held back by quiet hours: 1 standing"]);
    assert_eq!(inbox(&flow, "tech").await.len(), 1);
}

#[tokio::test]
async fn a_channel_may_be_told_once_a_day_or_not_at_all() {
    let flow = Flow::new().await;
    let ways = [("email".to_owned(), Way::Digest), ("webhook".to_owned(), Way::Off)];
    chooses(&flow, "tech", |chosen| {
        let soon = flow.now().plus(Duration::from_mins(5)).rfc3339()[11..16].to_owned();
        chosen.digest_at = Some(soon.try_into().unwrap());
        chosen.ways.insert(Category::Alarms, ways.into());
    })
    .await;
    flow.sensor_says(40.0).await;
    flow.sensor_says(20.0).await;
    assert_eq!((flow.letters().len(), inbox(&flow, "tech").await.len()), (0, 2));
    flow.after(Duration::from_mins(6)).await;
    assert_eq!(flow.mails(), ["Digest: 1 came and went"]);
    assert_eq!(flow.letters().len(), 1);
}

#[tokio::test]
async fn a_number_is_told_so_much_a_day_and_the_next_day_what_was_held_back() {
    let flow = Flow::with(|settings| settings.notices.sms_a_day = 2).await;
    gets_texts(&flow, "tech").await;
    for celsius in [40.0, 20.0, 40.0, 20.0, 41.0] {
        flow.sensor_says(celsius).await;
    }
    assert_eq!((texts(&flow).len(), inbox(&flow, "tech").await.len()), (2, 5));
    let day_ends = domain::routing::Zone::default().day_ends(flow.now());
    flow.sleeps(day_ends.since(flow.now()));
    flow.after(Duration::from_secs(5)).await;
    assert_eq!(
        texts(&flow)[2..].iter().map(|text| text.subject.as_str()).collect::<Vec<_>>(),
        ["Held back by the daily limit: 1 standing, 1 came and went"]
    );
    assert!(texts(&flow)[2].text.contains("3 notices were held back"), "{}", texts(&flow)[2].text);
}

#[tokio::test]
async fn a_notice_that_is_told_again_is_counted_and_put_into_the_inbox_once() {
    let flow = Flow::with(|settings| settings.notices.sms_a_day = 2).await;
    gets_texts(&flow, "tech").await;
    flow.queue_is_away_once_for(jobs::DeliverNotice::NAME);
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_secs(40)).await;
    flow.sensor_says(20.0).await;
    assert_eq!((texts(&flow).len(), inbox(&flow, "tech").await.len()), (2, 2));
    let notifications = flow.pushes().into_iter().filter(|push| push.event == "notification").count();
    assert!(notifications <= 2, "{notifications}");
    assert!(held::list(flow.cx.table.as_ref(), INBOX, "tech").await.unwrap().is_empty());
}
