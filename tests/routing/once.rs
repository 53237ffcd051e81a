//! Somebody who is told for several reasons is told once.

use records::users;
use serde_json::json;

use super::play::Play;

#[tokio::test]
async fn who_sees_a_terminal_of_a_lost_node_and_is_on_the_first_step_hears_of_it_once() {
    let play = Play::new().await;
    play.policy(json!({ "steps": [{ "after_ms": 0, "users": ["tech"] }] })).await;
    let lines = "
        0s              node lost
        60s..63s        tech hears Alarm: n1
        31m..31m3s      tech hears Still open: n1
        40m             node back
        40m..40m3s      tech hears Recovered: n1
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn a_step_for_users_names_those_who_see_a_terminal_of_a_lost_node() {
    let play = Play::new().await;
    play.policy(json!({ "steps": [{ "after_ms": 300_000, "roles": ["user"] }] })).await;
    let lines = "
        0s              node lost
        60s..63s        tech hears Alarm: n1
        6m..6m3s        tech hears Not acknowledged: n1
        8m              node back
        8m..8m3s        tech hears Recovered: n1
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn who_is_a_rules_recipient_and_on_its_policy_hears_of_each_happening_once() {
    let play = Play::new().await;
    play.hire(&["expert"]).await;
    play.policy(json!({ "steps": [{ "after_ms": 0, "users": ["expert"] }] })).await;
    play.recipients("hot", json!({ "users": ["expert"] })).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        0s..0s          expert hears Alarm: Cold store / 1 TH-10
        30m..30m1s      tech hears Still open: Cold store / 1 TH-10
        30m..30m1s      expert hears Still open: Cold store / 1 TH-10
        40m             sensor 1 well
        40m..40m1s      tech hears Recovered: Cold store / 1 TH-10
        40m..40m1s      expert hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn a_recipient_whom_a_later_step_names_is_escalated_to_and_hears_the_rest_once() {
    let play = Play::new().await;
    play.hire(&["expert"]).await;
    play.policy(json!({ "steps": [{ "after_ms": 600_000, "users": ["expert"] }] })).await;
    play.recipients("hot", json!({ "users": ["expert"] })).await;
    let lines = "
        0s              tech unbound
        0s              sensor 1 hot
        0s..0s          expert hears Alarm: Cold store / 1 TH-10
        10m..10m1s      expert hears Not acknowledged: Cold store / 1 TH-10
        40m..40m2s      expert hears Still open: Cold store / 1 TH-10
        50m             sensor 1 well
        50m..50m1s      expert hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn whom_a_later_step_names_though_they_see_it_is_reminded_once_and_told_its_end_once() {
    let play = Play::new().await;
    play.policy(json!({ "steps": [{ "after_ms": 600_000, "roles": ["user"] }] })).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        10m..10m1s      tech hears Not acknowledged: Cold store / 1 TH-10
        30m..30m1s      tech hears Still open: Cold store / 1 TH-10
        1h..1h2s        tech hears Still open: Cold store / 1 TH-10
        75m             sensor 1 well
        75m..75m1s      tech hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "1h").await;
}

#[tokio::test]
async fn a_step_at_the_time_of_a_reminder_does_not_say_the_same_beside_it() {
    let play = Play::new().await;
    play.hire(&["boss"]).await;
    play.policy(json!({ "steps": [{ "after_ms": 1_800_000, "roles": ["user"], "users": ["boss"] }] })).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        30m..30m1s      tech hears Still open: Cold store / 1 TH-10
        30m..30m1s      boss hears Not acknowledged: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn who_sees_a_part_of_what_belongs_together_hears_of_the_rest_by_the_policy() {
    let play = Play::new().await;
    play.site_of_two("North yard").await;
    let table = play.flow.cx.table.as_ref();
    users::unbind(table, "tech", &"98D863CC870E".parse().unwrap()).await.unwrap();
    play.policy(json!({ "group_by": "site", "steps": [{ "after_ms": 0, "users": ["tech"] }] })).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        20s             far sensor 1 hot
        20s..21s        tech hears Alarm: Far store / 1 TH-10
        30m..30m2s      tech hears Still open: Cold store / 1 TH-10
        30m20s..30m22s  tech hears Still open: Far store / 1 TH-10
        40m             sensor 1 well
        40m..40m1s      tech hears Recovered: Cold store / 1 TH-10
        50m             far sensor 1 well
        50m..50m1s      tech hears Recovered: Far store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn who_comes_to_see_a_terminal_hears_once_what_stands_there_and_then_its_end() {
    let play = Play::new().await;
    play.hire(&["new"]).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        1m              tech acknowledges
        2m              sensor 2 damp
        2m10s..2m12s    tech hears Alarm: Cold store / 2 TH-10
        3m              sensor 2 well
        3m..4m          tech hears Partly recovered: Cold store / 2 TH-10
        5m              new bound
        5m10s..5m20s    new hears New to you: 1 standing
        6m              new bound
        40m             sensor 1 well
        40m..40m1s      tech hears Recovered: Cold store / 1 TH-10
        40m..40m1s      new hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn whatever_wakes_who_is_about_to_see_a_terminal_keeps_them_from_nothing() {
    let play = Play::new().await;
    play.hire(&["new"]).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        1m              tech acknowledges
        5m              new half bound
        5m1s            new woken
        5m5s            new sees
        5m5s..7m        new hears New to you: 1 standing
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn who_may_not_see_it_any_more_and_is_on_the_policy_goes_on_hearing_by_it() {
    let play = Play::new().await;
    play.policy(json!({ "steps": [{ "after_ms": 0, "users": ["tech"] }] })).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        10m             tech unbound
        30m..30m1s      tech hears Still open: Cold store / 1 TH-10
        40m             sensor 1 well
        40m..40m1s      tech hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn a_queue_that_is_away_in_the_middle_doubles_nothing() {
    let play = Play::new().await;
    play.hire(&["expert"]).await;
    play.policy(json!({ "steps": [{ "after_ms": 0, "users": ["tech", "expert"] }] })).await;
    play.recipients("hot", json!({ "users": ["expert", "tech"] })).await;
    play.flow.queue_is_away_once_for("deliver_notice");
    let lines = "
        0s              sensor 1 hot
        0s..20s         tech hears Alarm: Cold store / 1 TH-10
        0s..20s         expert hears Alarm: Cold store / 1 TH-10
        5m              sensor 1 well
        5m..5m1s        tech hears Recovered: Cold store / 1 TH-10
        5m..5m1s        expert hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "10m").await;
}
