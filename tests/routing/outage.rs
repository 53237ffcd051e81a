//! What was to be told while a channel took nothing is told as one once it does, in its order.

use serde_json::json;

use super::play::Play;

const SENSOR: &str = "Cold store / 1 TH-10";

/// What a mail server that is busy for so many minutes tells the technician, who has mail alone, in the end.
async fn told_after(minutes: u32, lines: &str) -> Vec<String> {
    let lines = format!("0s mail busy\n{lines}\n{minutes}m mail well");
    let mails = Play::new().await.mails(&lines, "20m").await;
    mails.into_iter().map(|(_, _, subject)| subject).collect()
}

#[tokio::test]
async fn an_alarm_that_is_over_by_then_is_told_once_as_over() {
    for (minutes, over) in [(10, "9m"), (10, "11m"), (70, "60m")] {
        let told = told_after(minutes, &format!("1s sensor 1 hot\n{over} sensor 1 well")).await;
        assert_eq!(told, [format!("Alarm and recovery: {SENSOR}")], "{minutes} {over}");
    }
}

#[tokio::test]
async fn one_that_stands_is_told_once_whatever_was_to_be_said_again() {
    let told = told_after(70, "1s sensor 1 hot").await;
    assert_eq!(told, [format!("Still open: {SENSOR}")]);
}

#[tokio::test]
async fn one_that_came_to_matter_more_is_told_as_it_matters_by_then() {
    let play = Play::new().await;
    play.levels().await;
    let lines = "
        0s          mail busy
        1s          sensor 1 warm
        60s         sensor 1 warmer
        10m         mail well
        10m..15m    tech hears Alarm: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
    let letter = play.flow.letters().pop().unwrap();
    assert!(letter.text.contains("(warning)") && letter.text.contains("now critical"), "{letter:?}");
}

#[tokio::test]
async fn what_was_told_before_the_outage_is_not_told_again_beside_its_end() {
    let lines = "
        0s          sensor 1 hot
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        10m         mail busy
        40m         sensor 1 well
        45m         mail well
        45m..50m    tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "20m").await;
}

#[tokio::test]
async fn who_is_told_in_the_place_of_somebody_waits_no_longer_since_more_was_to_be_told() {
    let play = Play::of_dave_and_the_boss(std::time::Duration::from_hours(1)).await;
    play.levels().await;
    let lines = "
        0s          boss tries sms
        0s          mail busy
        1s          sensor 1 warm
        90s         sensor 1 warmer
        2m..2m15s   boss hears by text: Alarm: Cold store / 1 TH-10
        5m..9m      boss hears by text: Alarm: channel:email / server
        10m         sensor 1 well
        10m..11m    boss hears by text: Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn a_channel_that_took_it_instead_is_not_told_of_once_more_by_the_first() {
    let lines = "
        0s          tech tries email sms
        0s          mail busy
        1s          sensor 1 hot
        2m..2m10s   tech hears by text: Alarm: Cold store / 1 TH-10
        10m         mail well
        40m         sensor 1 well
        30m..31m    tech hears Still open: Cold store / 1 TH-10
        40m..41m    tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "20m").await;
}

#[tokio::test]
async fn who_is_on_a_later_step_hears_of_what_was_to_be_told_them_in_their_order() {
    let play = Play::new().await;
    play.hire(&["boss"]).await;
    play.policy(json!({ "steps": [{ "after_ms": 600_000, "users": ["boss"] }] })).await;
    let lines = "
        1s          sensor 1 hot
        1s..2s      tech hears Alarm: Cold store / 1 TH-10
        5m          mail busy
        12m         sensor 1 well
        15m         mail well
        15m..20m    tech hears Recovered: Cold store / 1 TH-10
        15m..20m    boss hears Alarm and recovery: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn who_may_not_see_it_any_more_is_not_told_of_it_when_the_way_is_free() {
    let lines = "
        0s          mail busy
        1s          sensor 1 hot
        60s         tech unbound
        5m          mail well
    ";
    Play::new().await.runs(lines, "30m").await;
}

#[tokio::test]
async fn nobody_is_called_for_what_was_told_in_a_later_notice() {
    let play = Play::of_dave_and_the_boss(std::time::Duration::from_hours(1)).await;
    let lines = "
        0s          tech unbound
        0s          dave tries email sms
        0s          mail busy
        0s          texts busy
        1s          sensor 1 hot
        2m10s       mail well
        2m10s       sensor 2 hot
        2m10s..3m   dave hears Alarm: Cold store (2)
        5m..15m     dave hears Alarm: channel:sms / server
        20m         dave acknowledges
    ";
    play.runs(lines, "30m").await;
}

#[tokio::test]
async fn what_waits_of_an_incident_that_is_over_is_told_with_the_next_of_the_same_sensor() {
    let told = told_after(17, "1s sensor 1 hot\n3m sensor 1 well\n16m sensor 1 hot").await;
    assert_eq!(told, [format!("Alarm: {SENSOR}")], "it stands");
}

#[tokio::test]
async fn what_began_unheard_is_no_reminder_where_a_part_of_it_is_over() {
    let told = told_after(70, "1s sensor 1 hot\n2s sensor 2 hot\n5m sensor 1 well").await;
    assert_eq!(told, ["Alarm: Cold store (2)"]);
}

#[tokio::test]
async fn who_is_told_in_the_place_of_another_hears_in_their_order_what_was_to_be_told_themselves() {
    let play = Play::of_dave_and_the_boss(std::time::Duration::from_mins(8)).await;
    let lines = "
        0s          tech unbound
        0s          mail busy
        1s          sensor 1 hot
        9m          sensor 1 well
        12m         mail well
    ";
    let mails = play.mails(lines, "15m").await.into_iter();
    let told: Vec<_> = mails.filter(|(_, to, subject)| to == "boss" && subject.contains("Cold store")).collect();
    assert!(matches!(&told[..], [(_, _, subject)] if *subject == format!("Alarm and recovery: {SENSOR}")), "{told:?}");
}

#[tokio::test]
async fn what_is_told_by_one_text_counts_as_one_of_those_of_the_day() {
    let few = r#"{"sms_a_day": 2, "ways": {"alarms": {"email": "off"}, "recoveries": {"email": "off"}}}"#;
    let lines = format!(
        "
        0s          tech tries sms
        0s          tech prefers {few}
        0s          texts busy
        1s          sensor 1 hot
        2m          sensor 2 hot
        4m          sensor 3 hot
        6m          sensor 4 hot
        20m         texts well
        20m..30m    tech hears by text: Alarm: Cold store (4)
        31m         tech acknowledges
        40m         sensor 1 well
        40m..41m    tech hears by text: Partly recovered: Cold store / 1 TH-10
    "
    );
    Play::new().await.runs(&lines, "10m").await;
}
