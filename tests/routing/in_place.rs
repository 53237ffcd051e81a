//! Who is told in the place of somebody whom nothing reaches: once, as one of the policy's people, and nobody further.

use std::time::Duration;

use jobs::{DeliverNotice, Job, ports::Delivery, told_by_name};
use records::{
    alarms::{self, Which},
    notices::{self, NoticeStatus},
    users::{self, User},
};
use serde_json::{Value, json};

use super::play::Play;

/// A policy of these steps and people; the technician, who sees it, hears by mail alone.
async fn by_text(steps: Value, people: &[&str]) -> Play {
    let play = Play::new().await;
    play.hire(people).await;
    by_mail_alone(&play, None).await;
    play.policy(json!({ "least": "warning", "steps": steps })).await;
    play
}

async fn by_mail_alone(play: &Play, phone: Option<&str>) {
    let table = play.flow.cx.table.as_ref();
    let tech = users::get(table, "tech").await.unwrap().unwrap();
    let phone = phone.map(str::to_owned).or_else(|| tech.phone.clone());
    users::put(table, &User { webhook: None, phone, ..tech }).await.unwrap();
}

/// The technician's mail is taken by nobody, and the boss hears by text.
const MAIL_IS_BUSY: &str = "
        0s          boss tries sms
        0s          mail busy
    ";

/// The technician's mail is refused, and the boss is told in their place.
const THE_BOSS_IS_TOLD: &str = "
        0s          boss tries sms
        0s          mail refused
        1s          sensor 1 hot
        1s..3m      boss hears by text: Alarm: Cold store / 1 TH-10
    ";

/// The same, to its end.
fn the_boss_is_told_to_the_end() -> String {
    format!(
        "{THE_BOSS_IS_TOLD}
        10m         sensor 1 well
        10m..11m    boss hears by text: Recovered: Cold store / 1 TH-10
    "
    )
}

/// The boss after two hours, the chief after four.
fn boss_and_chief() -> Value {
    json!([{ "after_ms": 7_200_000, "users": ["boss"] }, { "after_ms": 14_400_000, "users": ["chief"] }])
}

#[tokio::test]
async fn who_is_told_in_the_place_of_somebody_hears_of_the_end() {
    let play = Play::of_dave_and_the_boss(Duration::from_hours(1)).await;
    let lines = "
        0s          boss tries sms
        0s          mail refused
        1s          sensor 1 hot
        1s..2m      boss hears by text: Alarm: Cold store / 1 TH-10
        10m         mail well
        10m         sensor 1 well
        10m..11m    boss hears by text: Recovered: Cold store / 1 TH-10
        10m..11m    dave hears Recovered: Cold store / 1 TH-10
        10m..11m    tech hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "5m").await;
}

#[tokio::test]
async fn who_is_next_is_asked_again_where_a_mail_is_refused_before_the_policy_heard() {
    let play = Play::of_policies_behind(3).await;
    play.hire(&["boss"]).await;
    by_mail_alone(&play, None).await;
    play.policy(json!({ "steps": [{ "after_ms": 7_200_000, "users": ["boss"] }] })).await;
    let lines = "
        0s          boss tries sms
        0s          mail refused
        1s          sensor 1 hot
        2s..1m      boss hears by text: Alarm: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
    let tried = notices::list(play.flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items;
    assert!(
        tried.iter().all(|notice| notice.status == NoticeStatus::Failed && notice.attempts.len() == 1),
        "{tried:?}"
    );
}

#[tokio::test]
async fn where_nothing_reaches_somebody_who_sees_it_the_next_person_of_its_policy_is_told() {
    let steps = json!([
        { "after_ms": 0, "users": ["tech"] },
        { "after_ms": 7_200_000, "users": ["boss"] },
        { "after_ms": 8_000_000, "users": ["chief"] },
    ]);
    let lines = format!("{}\n20m sensor 2 cold", the_boss_is_told_to_the_end());
    by_text(steps, &["boss", "chief"]).await.runs(&lines, "30m").await;
}

#[tokio::test]
async fn who_is_told_in_the_place_of_somebody_before_the_first_step_hears_of_the_end() {
    let play = by_text(boss_and_chief(), &["boss", "chief"]).await;
    play.runs(&the_boss_is_told_to_the_end(), "30m").await;
}

#[tokio::test]
async fn who_is_told_in_the_place_of_who_is_told_in_the_place_of_somebody_hears_of_the_end() {
    let lines = "
        0s          chief tries sms
        0s          mail refused
        1s          sensor 1 hot
        1s..3m      chief hears by text: Alarm: Cold store / 1 TH-10
        5m          mail well
        10m         sensor 1 well
        10m..11m    tech hears Recovered: Cold store / 1 TH-10
        10m..11m    boss hears Recovered: Cold store / 1 TH-10
        10m..11m    chief hears by text: Recovered: Cold store / 1 TH-10
    ";
    by_text(boss_and_chief(), &["boss", "chief"]).await.runs(lines, "30m").await;
}

#[tokio::test]
async fn who_is_told_at_last_may_take_it_on() {
    let play = by_text(boss_and_chief(), &["boss", "chief"]).await;
    let lines = "
        0s          chief tries sms
        0s          mail refused
        1s          sensor 1 hot
        1s..3m      chief hears by text: Alarm: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
    let table = play.flow.cx.table.as_ref();
    let active = alarms::list(table, Which::Active, 10, None).await.unwrap().items;
    let theirs = told_by_name::among(table, "chief", &active.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(theirs.len(), 1);
}

#[tokio::test]
async fn two_whom_nothing_reaches_have_one_next_person() {
    let play = by_text(boss_and_chief(), &["tess", "boss", "chief"]).await;
    let lines = "
        0s          boss tries sms
        0s          chief tries sms
        0s          tess sees
        0s          mail busy
        1s          sensor 1 hot
        1s..3m      boss hears by text: Alarm: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn reminders_that_are_not_taken_remind_who_is_told_instead_and_call_nobody_before_their_step() {
    let lines = format!(
        "
        0s          chief tries sms
        {THE_BOSS_IS_TOLD}
        30m..31m    boss hears by text: Still open: Cold store / 1 TH-10
        60m..61m    boss hears by text: Still open: Cold store / 1 TH-10
        90m..91m    boss hears by text: Still open: Cold store / 1 TH-10
    "
    );
    by_text(boss_and_chief(), &["boss", "chief"]).await.runs(&lines, "1m").await;
}

#[tokio::test]
async fn where_two_channels_refuse_at_once_the_next_person_is_told() {
    let play = Play::of_yields().await;
    play.hire(&["boss"]).await;
    by_mail_alone(&play, Some("+8613800138000")).await;
    play.policy(json!({ "steps": [{ "after_ms": 7_200_000, "users": ["boss"] }] })).await;
    let told = play.mails("0s boss tries webhook\n0s mail busy\n0s texts busy\n1s sensor 1 hot", "1s").await;
    assert!(told.is_empty(), "both wait: {told:?}");
    for channel in ["email", "sms"] {
        play.flow.notifier().refuse_channel(channel, Some(Delivery::Refused { why: "550 no".to_owned() }));
    }
    play.flow.sleeps(Duration::from_secs(20));
    let waiting = notices::list(play.flow.cx.table.as_ref(), "tech", 10, None).await.unwrap().items;
    let jobs: Vec<DeliverNotice> =
        waiting.into_iter().map(|notice| DeliverNotice { user: notice.user, notice: notice.id }).collect();
    let [one, other] = jobs.as_slice() else { panic!("one on each channel: {jobs:?}") };
    let (one, other) = tokio::join!(one.run(&play.flow.cx), other.run(&play.flow.cx));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let boss = notices::list(play.flow.cx.table.as_ref(), "boss", 10, None).await.unwrap().items;
    assert_eq!(boss.len(), 1, "once");
}

/// Where the queue is away at the moment at which the next person is told, or their worker dies then.
#[tokio::test]
async fn who_is_next_is_told_though_the_queue_is_away_at_that_moment() {
    let play = by_text(boss_and_chief(), &["boss", "chief"]).await;
    let told = play.mails("0s boss tries sms\n0s mail busy\n1s sensor 1 hot", "60s").await;
    assert!(told.is_empty(), "nobody is next yet: {told:?}");
    play.flow.queue_is_away_once_for("deliver_notice");
    play.flow.after(Duration::from_mins(20)).await;
    let told: Vec<String> = play.flow.letters().into_iter().map(|letter| letter.subject).collect();
    assert_eq!(told, ["Alarm: Cold store / 1 TH-10"], "once");
}

#[tokio::test]
async fn who_is_told_in_the_place_of_somebody_hears_that_it_came_to_matter_more_meanwhile() {
    let play = by_text(boss_and_chief(), &["boss", "chief"]).await;
    play.levels().await;
    let lines = "
        1s          sensor 1 warm
        60s         sensor 1 warmer
        2m..3m      boss hears by text: Alarm: Cold store / 1 TH-10
    ";
    play.runs(&[MAIL_IS_BUSY, lines].concat(), "10m").await;
    let letter = play.flow.letters().into_iter().rfind(|letter| letter.address.channel() == "sms").unwrap();
    assert!(letter.text.contains("now critical"), "{letter:?}");
}

#[tokio::test]
async fn nobody_is_called_for_what_is_over_and_hears_of_what_is_not() {
    let lines = "
        1s          sensor 1 hot
        60s         sensor 1 well
        80s         sensor 2 hot
        2m..4m      boss hears by text: Alarm: Cold store / 2 TH-10
        10m         sensor 2 well
        10m..11m    boss hears by text: Recovered: Cold store / 2 TH-10
    ";
    by_text(boss_and_chief(), &["boss", "chief"]).await.runs(&[MAIL_IS_BUSY, lines].concat(), "20m").await;
}

#[tokio::test]
async fn nobody_is_called_for_what_was_taken_on_or_put_aside_meanwhile() {
    for act in ["tech acknowledges", "tech shelves for 4h"] {
        let lines = format!("{MAIL_IS_BUSY}\n1s sensor 1 hot\n60s {act}\n");
        by_text(boss_and_chief(), &["boss", "chief"]).await.runs(&lines, "30m").await;
    }
}

#[tokio::test]
async fn who_is_told_in_the_place_of_somebody_hears_what_else_was_told_before_and_reached_nobody() {
    let steps = json!([{ "after_ms": 0, "users": ["dave"] }, { "after_ms": 7_200_000, "users": ["boss"] }]);
    let lines = "
        1s          sensor 1 damp
        60s         sensor 2 hot
        2m..3m      boss hears by text: Alarm: Cold store (2)
    ";
    by_text(steps, &["dave", "boss"]).await.runs(&[MAIL_IS_BUSY, lines].concat(), "3m").await;
}

#[tokio::test]
async fn the_next_person_is_told_where_there_is_no_way_to_anybody_of_a_step() {
    for chosen in ["has no address", "prefers {\"ways\": {\"alarms\": {\"email\": \"off\"}}}"] {
        let lines = format!(
            "
            0s          dave {chosen}
            0s          tech unbound
            1s          sensor 1 hot
            1s..2m5s    boss hears Alarm: Cold store / 1 TH-10
            30m         boss acknowledges
            2h          sensor 1 well
            2h..2h5s    boss hears Recovered: Cold store / 1 TH-10
        "
        );
        Play::of_dave_and_the_boss(Duration::from_hours(1)).await.runs(&lines, "10m").await;
    }
    // Where the step names somebody else as well, they have it.
    let play = Play::new().await;
    play.hire(&["dave", "eve", "boss"]).await;
    let steps = json!([{ "after_ms": 0, "users": ["dave", "eve"] }, { "after_ms": 3_600_000, "users": ["boss"] }]);
    play.policy(json!({ "steps": steps })).await;
    let lines = "
        0s          dave has no address
        0s          tech unbound
        1s          sensor 1 hot
        1s..2s      eve hears Alarm: Cold store / 1 TH-10
        10m         sensor 1 well
        10m..11m    eve hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
}
