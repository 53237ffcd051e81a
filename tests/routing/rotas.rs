//! Who is on call hears, also on days on which clocks are set.

use std::time::Duration;

use serde_json::json;

use super::play::Play;

const A_MINUTE: Duration = Duration::from_mins(1);

/// An alarm at `start` while Bob is on call, and Cid after a hand-over at 02:30 that comes `until` then.
async fn hand_over(zone: &str, since: &str, start: &str, lines: &str) {
    let play = Play::at(start, A_MINUTE).await;
    play.hire(&["ann", "bob", "cid"]).await;
    let people = ["ann", "bob", "cid"];
    play.rota("r", json!({ "zone": zone, "people": people, "turn": "daily", "hand_over": "02:30", "since": since }))
        .await;
    play.policy(json!({ "steps": [{ "after_ms": 0, "rotas": ["r"] }] })).await;
    let of_tech = "
        0m              tech unbound
        0m              sensor 1 hot
        0m..0m          bob hears Alarm: Cold store / 1 TH-10
        30m..31m        bob hears Still open: Cold store / 1 TH-10
    ";
    play.runs(&format!("{of_tech}{lines}"), "20m").await;
}

/// The hand-over comes between the first and the second repetition.
const AFTER_THE_FIRST: &str = "
    1h..1h1m        bob hears Still open: Cold store / 1 TH-10
    1h..1h1m        cid hears Still open: Cold store / 1 TH-10
    90m..92m        bob hears Still open: Cold store / 1 TH-10
    90m..92m        cid hears Still open: Cold store / 1 TH-10
    100m            sensor 1 well
    100m..101m      bob hears Recovered: Cold store / 1 TH-10
    100m..101m      cid hears Recovered: Cold store / 1 TH-10
";

#[tokio::test]
async fn in_berlin_in_spring_half_past_two_is_when_the_clocks_have_gone_on() {
    // 02:30 is not there: the hand-over is at 01:30 UTC.
    hand_over("Europe/Berlin", "2026-03-27", "2026-03-29T00:45:00Z", AFTER_THE_FIRST).await;
}

#[tokio::test]
async fn in_berlin_in_autumn_half_past_two_comes_twice_and_counts_once() {
    // 02:30 is at 00:30 and at 01:30 UTC: the hand-over is at the first, and the second changes nothing.
    hand_over("Europe/Berlin", "2026-10-23", "2026-10-24T23:45:00Z", AFTER_THE_FIRST).await;
}

#[tokio::test]
async fn in_new_york_in_spring_half_past_two_is_when_the_clocks_have_gone_on() {
    hand_over("America/New_York", "2026-03-06", "2026-03-08T06:45:00Z", AFTER_THE_FIRST).await;
}

#[tokio::test]
async fn in_new_york_in_autumn_half_past_two_is_an_hour_later_than_the_day_before() {
    hand_over("America/New_York", "2026-10-30", "2026-11-01T06:45:00Z", AFTER_THE_FIRST).await;
}

#[tokio::test]
async fn an_override_hears_in_the_place_of_whose_turn_it_is() {
    let play = Play::at("2026-06-01T12:00:00Z", A_MINUTE).await;
    play.hire(&["ann", "bob", "dora"]).await;
    let over = json!({ "person": "dora", "from": "2026-06-01T11:00:00Z", "until": "2026-06-01T12:10:00Z" });
    let rota = json!({
        "zone": "Asia/Shanghai", "people": ["ann", "bob"], "turn": "weekly", "hand_over": "08:00", "since": "2026-06-01",
        "overrides": [over]
    });
    play.rota("r", rota).await;
    play.recipients("hot", json!({ "rotas": ["r"] })).await;
    let lines = "
        0m              tech unbound
        0m              sensor 1 hot
        0m..0m          dora hears Alarm: Cold store / 1 TH-10
        5m              sensor 1 well
        5m..6m          dora hears Recovered: Cold store / 1 TH-10
        20m             sensor 1 hot
        20m..20m        ann hears Alarm: Cold store / 1 TH-10
        25m             sensor 1 well
        25m..26m        ann hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}
