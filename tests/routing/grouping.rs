//! What belongs together is one notice, and its end another.

use std::time::Duration;

use records::{
    notices::{self, Notice},
    users::{self, User},
};
use serde_json::{Value, json};

use super::play::Play;

#[tokio::test]
async fn a_critical_alarm_is_told_at_once_and_its_end_once() {
    let play = Play::new().await;
    let lines = "
        0s          sensor 1 hot
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        65s         sensor 1 well
        65s..66s    tech hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
    let letters = play.flow.letters();
    assert!(letters.last().unwrap().text.contains("lasted 1 min 5 s"), "{:?}", letters.last());
}

#[tokio::test]
async fn warnings_of_one_place_are_one_notice_and_what_changes_is_one_follow_up() {
    let lines = "
        0s          sensor 1 damp
        3s          sensor 2 damp
        9s          sensor 3 damp
        10s..12s    tech hears Alarm: Cold store (3)
        30s         sensor 1 well
        50s         sensor 4 damp
        60s         sensor 2 well
        70s..73s    tech hears Alarm: Cold store (3)
        80s         sensor 3 well
        90s         sensor 4 well
        130s..135s  tech hears Recovered: Cold store (2)
    ";
    Play::new().await.runs(lines, "20m").await;
}

#[tokio::test]
async fn a_template_is_filled_with_how_many_they_are_and_what_each_of_them_said() {
    let play = Play::new().await;
    let table = play.flow.cx.table.as_ref();
    let tech = users::get(table, "tech").await.unwrap().unwrap();
    let texted = User { mail: None, webhook: None, phone: Some("+8613800138000".to_owned()), ..tech };
    users::put(table, &texted).await.unwrap();
    let lines = "
        0s          sensor 1 damp
        3s          sensor 2 damp
        10s..12s    tech hears by text: Alarm: Cold store (2)
    ";
    play.runs(lines, "70s").await;
    let letters = play.flow.letters();
    let told = letters.iter().map(|letter| &letter.data["alarm"]).find(|alarm| alarm["count"] == 2);
    let told = told.expect("a letter tells of both");
    assert_eq!((&told["kind"], &told["state"], &told["pid"]), (&json!("argument"), &json!("raised"), &json!(null)));
    assert_eq!(told["mac"], telltale_tests::flow::mac().to_string(), "both are of one DTU");
    let places = told["places"].as_array().unwrap();
    let names: Vec<&Value> = places.iter().map(|place| &place["name"]).collect();
    assert_eq!(names, ["Cold store / 1 TH-10", "Cold store / 2 TH-10"]);
    assert!(places.iter().all(|place| place["details"][0].as_str().is_some_and(|said| said.starts_with("humidity"))));
}

#[tokio::test]
async fn what_is_good_to_know_waits_longer_and_a_critical_alarm_does_not_wait_for_it() {
    let lines = "
        0s          sensor 1 cold
        30s..31s    tech hears Alarm: Cold store / 1 TH-10
        10m         sensor 1 well
        10m..10m2s  tech hears Recovered: Cold store / 1 TH-10
        30m         sensor 1 cold
        30m5s       sensor 2 hot
        30m5s..30m6s tech hears Alarm: Cold store (2)
        30m8s       sensor 2 well
        30m9s       sensor 1 well
        30m10s..30m12s tech hears Recovered: Cold store (2)
    ";
    Play::new().await.runs(lines, "20m").await;
}

#[tokio::test]
async fn a_warning_that_is_over_before_it_was_told_is_told_nobody() {
    let lines = "
        0s          sensor 1 damp
        8s          sensor 1 well
    ";
    Play::new().await.runs(lines, "20m").await;
}

#[tokio::test]
async fn a_sensor_that_flaps_for_an_hour_does_not_shout() {
    let play = Play::new().await;
    let round = |round| format!("{}s sensor 1 hot\n{}s sensor 1 well", round * 40, round * 40 + 20);
    let lines: Vec<String> = (0..90).map(round).collect();
    // How far apart its notices are doubles with each time that it is raised, up to an hour.
    let mails = play.mails(&lines.join("\n"), "3h").await;
    assert!((4..=14).contains(&mails.len()), "{mails:#?}");
    let last = mails.last().unwrap();
    assert!(last.2.starts_with("Recovered") || last.2.starts_with("Alarm and recovery"), "{mails:#?}");
}

#[tokio::test]
async fn terminals_of_a_node_belong_together_and_their_devices_do_not() {
    let lines = "
        0s          sensor 1 hot
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        10s         terminal lost
        70s..72s    tech hears Alarm: Cold store
        2m          terminal back
        2m..2m6s    tech hears Recovered: Cold store
        3m          sensor 1 well
        3m..3m1s    tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "20m").await;
}

#[tokio::test]
async fn what_nobody_acknowledges_is_told_again() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        30m..30m1s      tech hears Still open: Cold store / 1 TH-10
        1h..1h2s        tech hears Still open: Cold store / 1 TH-10
        70m             tech acknowledges
        3h              sensor 1 well
        3h..3h1s        tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "1h").await;
}

#[tokio::test]
async fn who_may_not_see_it_any_more_hears_no_more() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        10m             tech unbound
        1h              sensor 1 well
    ";
    Play::new().await.runs(lines, "1h").await;
}

#[tokio::test]
async fn of_a_device_that_was_removed_nothing_is_told_again() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        10m             sensors removed
        11m             sensor 1 well
    ";
    Play::new().await.runs(lines, "1h").await;
}

/// Of each notice by mail to the technician, oldest first: its kind, and the number of the one that it takes the place of where a
/// channel can edit.
async fn edited(play: &Play) -> Vec<(String, Option<u32>)> {
    let mut notices = notices::list(play.flow.cx.table.as_ref(), "tech", 50, None).await.unwrap().items;
    notices.retain(|notice| notice.channel == "email");
    notices.sort_by_key(|notice| notice.sequence);
    let number_of = |id: &String| notices.iter().find(|notice| notice.id == *id).map(|notice| notice.sequence);
    let kind = |notice: &Notice| notice.subject.split(':').next().unwrap_or_default().to_owned();
    notices.iter().map(|notice| (kind(notice), notice.way.follows.as_ref().and_then(number_of))).collect()
}

#[tokio::test]
async fn what_asks_for_attention_is_a_message_of_its_own_and_the_rest_is_put_into_the_last_of_these() {
    let play = Play::new().await;
    play.levels().await;
    let lines = "
        0s          sensor 1 warm
        60s         sensor 2 damp
        5m          sensor 1 warmer
        40m         sensor 1 warm
        50m         sensor 2 well
        55m         sensor 1 well
    ";
    play.mails(lines, "10m").await;
    let expected = [
        ("Alarm", None),
        ("Alarm", None),
        ("Alarm changed", None),
        ("Still open", None),
        ("Alarm changed", Some(4)),
        ("Partly recovered", Some(4)),
        ("Recovered", Some(4)),
    ];
    assert_eq!(edited(&play).await, expected.map(|(kind, of)| (kind.to_owned(), of)));
}

#[tokio::test]
async fn warnings_of_one_place_are_one_notice_to_whom_a_policy_names_at_once_too() {
    let lines = "
        0s          sensor 1 damp
        3s          sensor 2 damp
        9s          sensor 3 damp
        10s..12s    tech hears Alarm: Cold store (3)
        10s..12s    dave hears Alarm: Cold store (3)
    ";
    Play::of_dave_and_the_boss(Duration::from_hours(1)).await.runs(lines, "70s").await;
}

#[tokio::test]
async fn a_warning_that_is_over_before_it_was_told_is_told_to_nobody_whom_a_policy_names_at_once() {
    let lines = "
        0s          sensor 1 damp
        8s          sensor 1 well
    ";
    Play::of_dave_and_the_boss(Duration::from_hours(1)).await.runs(lines, "20m").await;
}
