//! What somebody was told of is told to its end, once, and as what it is.

use serde_json::json;

use super::play::Play;

/// Warnings do not come from eleven to three; who does is told of what is critical.
const QUIET: &str = r#"{"quiet": {"calendar": {"zone": "UTC", "hours": [{"from": "11:00", "until": "15:00"}]}}}"#;

#[tokio::test]
async fn the_end_of_what_was_told_and_came_off_the_shelf_a_moment_before_is_told() {
    let lines = "
        0s      sensor 1 damp
        10s..11s tech hears Alarm: Cold store / 1 TH-10
        20s     tech shelves for 1h
        40s     tech unshelves
        55s     sensor 1 well
        55s..3m tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "3h").await;
}

#[tokio::test]
async fn what_was_told_came_off_the_shelf_and_ended_in_a_silence_has_recovered() {
    let lines = "
        0s       sensor 1 hot
        0s..1s   tech hears Alarm: Cold store / 1 TH-10
        5m       tech shelves for 30m
        10m      tech silences sensor 1 for 1h
        50m      sensor 1 well
        70m..71m tech hears Held back by a silence: 1 recovered
    ";
    Play::new().await.runs(lines, "3h").await;
}

#[tokio::test]
async fn the_end_of_what_was_told_and_came_back_into_service_a_moment_before_is_told() {
    let lines = "
        0s      sensor 1 damp
        10s..11s tech hears Alarm: Cold store / 1 TH-10
        20s     tech takes out for 20s
        55s     sensor 1 well
        55s..3m tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "3h").await;
}

#[tokio::test]
async fn what_mattered_less_and_was_well_before_that_was_told_has_recovered() {
    let play = Play::new().await;
    play.levels().await;
    let lines = "
        0s      sensor 1 warmer
        0s..1s  tech hears Alarm: Cold store / 1 TH-10
        20s     sensor 1 warm
        40s     sensor 1 well
        40s..5m tech hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "2h").await;
}

#[tokio::test]
async fn what_is_on_the_shelf_while_its_rule_is_disabled_is_told_as_watched_no_longer_when_its_time_is_up() {
    let lines = "
        0s       sensor 1 damp
        10s..11s tech hears Alarm: Cold store / 1 TH-10
        60s      tech shelves for 30m
        5m       rule damp disabled
        6m       sensor 1 well
        31m..33m tech hears No longer watched: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "3h").await;
}

#[tokio::test]
async fn what_is_out_of_service_while_its_rule_is_disabled_is_told_as_watched_no_longer_when_it_is_back() {
    let lines = "
        0s       sensor 1 damp
        10s..11s tech hears Alarm: Cold store / 1 TH-10
        60s      tech takes out for 30m
        5m       rule damp disabled
        6m       sensor 1 well
        31m..33m tech hears No longer watched: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "3h").await;
}

#[tokio::test]
async fn what_was_over_on_the_shelf_before_its_rule_was_disabled_has_recovered() {
    let lines = "
        0s       sensor 1 damp
        10s..11s tech hears Alarm: Cold store / 1 TH-10
        60s      tech shelves for 30m
        2m       sensor 1 well
        5m       rule damp disabled
        6m       sensor 1 well
        31m..33m tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "3h").await;
}

#[tokio::test]
async fn what_quiet_hours_held_and_came_to_matter_more_is_told_then_and_not_in_the_morning() {
    let play = Play::new().await;
    play.levels().await;
    let lines = format!(
        "
        0s       tech prefers {QUIET}
        10s      sensor 1 warm
        10m      sensor 1 warmer
        10m..11m tech hears Held back by quiet hours: 1 standing
        20m      sensor 1 well
        20m..21m tech hears Recovered: Cold store / 1 TH-10
    "
    );
    play.runs(&lines, "4h").await;
}

#[tokio::test]
async fn what_quiet_hours_held_and_somebody_took_on_when_it_mattered_more_is_not_told_in_the_morning() {
    let play = Play::new().await;
    play.levels().await;
    let lines = format!(
        "
        0s       tech prefers {QUIET}
        10s      sensor 1 warm
        10m      sensor 1 warmer
        10m..11m tech hears Held back by quiet hours: 1 standing
        12m      tech acknowledges
    "
    );
    play.runs(&lines, "4h").await;
}

#[tokio::test]
async fn who_sees_it_and_was_escalated_to_hears_of_its_end_once_whatever_becomes_of_its_group() {
    for change in ["policy deleted", "policy off", "policy groups by cause", "terminal moves to site north"] {
        let play = Play::new().await;
        play.hire(&["dave"]).await;
        let steps = json!([{ "after_ms": 0, "users": ["dave"] }, { "after_ms": 600_000, "users": ["tech"] }]);
        let by = if change.starts_with("terminal") { "site" } else { "nothing" };
        play.policy(json!({ "group_by": by, "steps": steps })).await;
        let told = play.mails(&format!("0s sensor 1 hot\n15m {change}\n20m sensor 1 well"), "2h").await;
        let of_tech = told.iter().filter(|(_, person, _)| person == "tech");
        let subjects: Vec<&str> = of_tech.map(|(_, _, subject)| subject.as_str()).collect();
        let expected = ["Alarm", "Not acknowledged", "Recovered"].map(|how| format!("{how}: Cold store / 1 TH-10"));
        assert_eq!(subjects, expected, "{change}");
    }
}

#[tokio::test]
async fn what_is_over_is_not_said_to_be_open_whatever_becomes_of_its_group() {
    let play = Play::new().await;
    play.policy(json!({ "group_by": "nothing" })).await;
    let lines = "
        0s       sensor 1 hot
        0s..1s   tech hears Alarm: Cold store / 1 TH-10
        15m      policy groups by cause
        25m      sensor 1 well
        25m..26m tech hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "2h").await;
}

#[tokio::test]
async fn what_is_removed_is_not_said_to_be_open() {
    let lines = "
        0s       sensor 1 hot
        0s..1s   tech hears Alarm: Cold store / 1 TH-10
        25m      sensors removed
    ";
    Play::new().await.runs(lines, "2h").await;
}
