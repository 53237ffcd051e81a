//! The first step of a policy, without delay, in an incident that was told before: its people hear what all hear, once.

use std::time::Duration;

use serde_json::json;

use super::play::Play;

async fn dave_at_once() -> Play {
    Play::of_dave_and_the_boss(Duration::from_mins(10)).await
}

#[tokio::test]
async fn what_comes_after_a_word_is_told_once_and_what_somebody_has_on_is_not_escalated_with_it() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        0s..0s          dave hears Alarm: Cold store / 1 TH-10
        1m              dave acknowledges
        20m             sensor 2 hot
        20m..20m1s      tech hears Alarm: Cold store / 2 TH-10
        20m..20m1s      dave hears Alarm: Cold store / 2 TH-10
        30m..30m1s      boss hears Not acknowledged: Cold store / 2 TH-10
        50m..50m1s      tech hears Still open: Cold store / 2 TH-10
        1h..1h1s        dave hears Still open: Cold store / 2 TH-10
        1h..1h1s        boss hears Still open: Cold store / 2 TH-10
    ";
    dave_at_once().await.runs(lines, "5m").await;
}

#[tokio::test]
async fn what_comes_soon_after_all_is_over_is_told_once() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        0s..0s          dave hears Alarm: Cold store / 1 TH-10
        2m              sensor 1 well
        2m..2m1s        tech hears Recovered: Cold store / 1 TH-10
        2m..2m1s        dave hears Recovered: Cold store / 1 TH-10
        4m              sensor 2 hot
        4m..4m1s        tech hears Alarm: Cold store / 2 TH-10
        4m..4m1s        dave hears Alarm: Cold store / 2 TH-10
    ";
    dave_at_once().await.runs(lines, "5m").await;
}

#[tokio::test]
async fn what_came_to_matter_more_after_a_word_is_told_once() {
    let play = dave_at_once().await;
    play.levels().await;
    let lines = "
        0s              sensor 1 warm
        10s..12s        dave hears Alarm: Cold store / 1 TH-10
        10s..12s        tech hears Alarm: Cold store / 1 TH-10
        1m              dave acknowledges
        20m             sensor 1 warmer
        20m..20m1s      tech hears Alarm changed: Cold store / 1 TH-10
        20m..20m1s      dave hears Alarm changed: Cold store / 1 TH-10
    ";
    play.runs(lines, "5m").await;
}

#[tokio::test]
async fn that_a_word_holds_no_more_is_told_once() {
    let lines = "
        0s                  sensor 1 hot
        0s..0s              tech hears Alarm: Cold store / 1 TH-10
        0s..0s              dave hears Alarm: Cold store / 1 TH-10
        1m                  dave acknowledges
        24h1m..24h1m1s      tech hears Acknowledgement expired: Cold store / 1 TH-10
        24h1m..24h1m1s      dave hears Acknowledgement expired: Cold store / 1 TH-10
        24h11m..24h11m1s    boss hears Not acknowledged: Cold store / 1 TH-10
    ";
    dave_at_once().await.runs(lines, "5m").await;
}

#[tokio::test]
async fn a_rules_recipients_hear_what_comes_after_a_word_once() {
    let play = Play::new().await;
    play.hire(&["cid"]).await;
    play.recipients("hot", json!({ "users": ["cid"], "rotas": [] })).await;
    let lines = "
        30s             sensor 1 hot
        30s..31s        tech hears Alarm: Cold store / 1 TH-10
        30s..31s        cid hears Alarm: Cold store / 1 TH-10
        1m              cid acknowledges
        20m             sensor 2 hot
        20m..20m1s      tech hears Alarm: Cold store / 2 TH-10
        20m..20m1s      cid hears Alarm: Cold store / 2 TH-10
    ";
    play.runs(lines, "5m").await;
}

#[tokio::test]
async fn who_came_on_call_since_hears_what_comes_after_a_word() {
    let play = Play::new().await;
    play.hire(&["dave", "eve"]).await;
    let people = ["dave", "eve"];
    let rota = json!({ "zone": "UTC", "people": people, "turn": "daily", "hand_over": "12:10", "since": "2026-05-31" });
    play.rota("r", rota).await;
    play.policy(json!({ "steps": [{ "after_ms": 0, "rotas": ["r"] }] })).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        0s..0s          dave hears Alarm: Cold store / 1 TH-10
        1m              dave acknowledges
        20m             sensor 2 hot
        20m..20m1s      tech hears Alarm: Cold store / 2 TH-10
        20m..20m1s      dave hears Alarm: Cold store / 2 TH-10
        20m..20m1s      eve hears Alarm: Cold store / 2 TH-10
    ";
    play.runs(lines, "5m").await;
}

#[tokio::test]
async fn who_came_on_call_since_hears_what_begins_while_something_older_stands() {
    let shifts = |later: &str| {
        format!(
            "
            0s              sensor 1 damp
            10s..12s        tech hears Alarm: Cold store / 1 TH-10
            10s..12s        dave hears Alarm: Cold store / 1 TH-10
            20m             sensor 2 hot
            20m..20m1s      tech hears Alarm: Cold store / 2 TH-10
            20m..20m1s      dave hears Alarm: Cold store / 2 TH-10
            20m..20m1s      eve hears Alarm: Cold store / 2 TH-10
            {later}"
        )
    };
    for (steps, later) in [
        (json!([{ "after_ms": 0, "rotas": ["r"] }]), ""),
        (
            json!([{ "after_ms": 0, "rotas": ["r"] }, { "after_ms": 300_000, "users": ["boss"] }]),
            "5m..6m          boss hears Not acknowledged: Cold store / 1 TH-10
            20m..20m1s      boss hears Alarm: Cold store / 2 TH-10",
        ),
    ] {
        let play = Play::new().await;
        play.hire(&["dave", "eve", "boss"]).await;
        let people = ["dave", "eve"];
        let rota =
            json!({ "zone": "UTC", "people": people, "turn": "daily", "hand_over": "12:10", "since": "2026-05-31" });
        play.rota("r", rota).await;
        play.policy(json!({ "steps": steps })).await;
        play.runs(&shifts(later), "5m").await;
    }
}

#[tokio::test]
async fn for_how_long_it_lasted_does_not_count_how_long_it_was_on_the_shelf() {
    let play = Play::new().await;
    let lines = "0s sensor 1 hot\n1m tech shelves for 2h\n10m sensor 1 well";
    play.mails(lines, "2h").await;
    let letters = play.flow.letters();
    let last = letters.iter().rfind(|letter| letter.address.channel() == "email").unwrap();
    assert!(last.text.contains("lasted 10 min") && !last.text.contains("2 h"), "{}", last.text);
}

#[tokio::test]
async fn whom_a_step_without_delay_names_are_spared_what_came_and_went_as_those_are_who_see_it() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let lines = "
        0s          sensor 1 cold
        5s          sensor 2 cold
        15s         sensor 1 well
        30s..31s    tech hears Alarm: Cold store / 2 TH-10
        30s..31s    dave hears Alarm: Cold store / 2 TH-10
    ";
    play.runs(lines, "5m").await;
}
