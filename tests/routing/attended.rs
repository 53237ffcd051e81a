//! What somebody has on is not said again: acknowledged, on the shelf, out of service, or spoken for by a lost parent's alarm.

use std::time::Duration;

use serde_json::json;

use super::play::Play;

async fn boss_after_ten_minutes() -> Play {
    let play = Play::new().await;
    play.hire(&["boss"]).await;
    play.policy(json!({ "steps": [{ "after_ms": 600_000, "users": ["boss"] }] })).await;
    play
}

#[tokio::test]
async fn what_is_on_the_shelf_is_not_said_again_and_when_it_is_off_it_and_stands_all_goes_on() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        60s             tech shelves for 2h
        2h1m..2h1m5s    tech hears Alarm: Cold store / 1 TH-10
        2h11m..2h11m5s  boss hears Not acknowledged: Cold store / 1 TH-10
        2h31m..2h31m9s  tech hears Still open: Cold store / 1 TH-10
        2h35m           sensor 1 well
        2h35m..2h35m1s  tech hears Recovered: Cold store / 1 TH-10
        2h35m..2h35m1s  boss hears Recovered: Cold store / 1 TH-10
    ";
    boss_after_ten_minutes().await.runs(lines, "1h").await;
}

#[tokio::test]
async fn what_is_out_of_service_is_not_said_again_until_it_is_back() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        60s             tech takes out for 2h
        2h1m..2h1m5s    tech hears Alarm: Cold store / 1 TH-10
        2h11m..2h11m5s  boss hears Not acknowledged: Cold store / 1 TH-10
        2h20m           tech acknowledges
    ";
    boss_after_ten_minutes().await.runs(lines, "2h").await;
}

#[tokio::test]
async fn who_was_told_of_what_ends_on_the_shelf_is_told_of_its_end_once_when_it_is_off_it() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        10m..10m1s      boss hears Not acknowledged: Cold store / 1 TH-10
        11m             tech shelves for 2h
        30m             sensor 1 well
        2h11m..2h11m5s  tech hears Recovered: Cold store / 1 TH-10
        2h11m..2h11m5s  boss hears Recovered: Cold store / 1 TH-10
    ";
    boss_after_ten_minutes().await.runs(lines, "2h").await;
}

#[tokio::test]
async fn a_word_holds_for_what_it_was_given_for_and_what_matters_more_is_escalated_and_said_again() {
    let play = boss_after_ten_minutes().await;
    play.levels().await;
    let lines = "
        0s              sensor 1 warm
        10s..12s        tech hears Alarm: Cold store / 1 TH-10
        60s             tech acknowledges
        2h              sensor 1 warmer
        2h..2h2s        tech hears Alarm changed: Cold store / 1 TH-10
        2h10m..2h10m2s  boss hears Not acknowledged: Cold store / 1 TH-10
        2h30m..2h30m3s  tech hears Still open: Cold store / 1 TH-10
        2h31m           tech acknowledges
    ";
    play.runs(lines, "4h").await;
}

#[tokio::test]
async fn while_a_lost_parents_alarm_speaks_for_it_it_is_not_said_again_and_then_it_goes_on() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        60s             node lost
        2m..2m3s        tech hears Alarm: n1
        12m..12m3s      boss hears Not acknowledged: n1
        32m..32m3s      tech hears Still open: n1
        42m..42m3s      boss hears Still open: n1
        50m             node back
        50m..50m3s      tech hears Recovered: n1
        50m..50m3s      boss hears Recovered: n1
        51m             sensor 1 hot
        51m..61m        boss hears Not acknowledged: Cold store / 1 TH-10
        60m..81m        tech hears Still open: Cold store / 1 TH-10
        81m             sensor 1 well
        81m..81m3s      tech hears Recovered: Cold store / 1 TH-10
        81m..81m3s      boss hears Recovered: Cold store / 1 TH-10
    ";
    boss_after_ten_minutes().await.runs(lines, "1h").await;
}

#[tokio::test]
async fn what_comes_and_goes_too_often_to_be_told_is_escalated_and_said_again_when_it_stands() {
    let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
    let rounds = (0..5).map(|round| round * 330);
    let before: Vec<String> = rounds.map(|at| format!("{at}s sensor 1 hot\n{}s sensor 1 well\n", at + 10)).collect();
    let before = before.concat();
    let told = play.mails(&format!("{before}1650s sensor 1 hot\n80m sensor 1 well"), "1h").await;
    let told = told.iter().filter(|(at, ..)| at.as_secs() >= 1600);
    let told: Vec<(u64, &str, &str)> =
        told.map(|(at, who, what)| (at.as_secs() / 30, &**who, what.split(':').next().unwrap())).collect();
    let expected = [
        (55, "tech", "Comes and goes"),
        (55, "dave", "Comes and goes"),
        (75, "boss", "Not acknowledged"),
        // It was calm for a quarter of an hour, and stands.
        (85, "tech", "Alarm"),
        (85, "boss", "Alarm"),
        (85, "dave", "Alarm"),
        (145, "boss", "Still open"),
        (145, "dave", "Still open"),
        (145, "tech", "Still open"),
        (160, "tech", "Recovered"),
        (160, "boss", "Recovered"),
        (160, "dave", "Recovered"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_was_held_back_and_is_out_of_service_by_then_is_told_when_it_is_back() {
    let lines = "
        0s              tech silences sensor 1 for 30m
        10s             sensor 1 hot
        10m             tech takes out for 1h
        70m..70m3s      tech hears Alarm: Cold store / 1 TH-10
        75m             sensor 1 well
        75m..75m3s      tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "20m").await;
}

#[tokio::test]
async fn nobody_is_called_for_what_somebody_has_on_beside_what_nobody_has() {
    let play = boss_after_ten_minutes().await;
    let lines = "
        1s              sensor 1 hot
        1s..2s          tech hears Alarm: Cold store / 1 TH-10
        60s             tech acknowledges
        61s             sensor 2 hot
        61s..62s        tech hears Alarm: Cold store / 2 TH-10
        11m..11m5s      boss hears Not acknowledged: Cold store / 2 TH-10
        20m             sensor 1 well
        20m..20m5s      tech hears Partly recovered: Cold store / 1 TH-10
        25m             sensor 2 well
        25m..26m        tech hears Recovered: Cold store / 2 TH-10
        25m..26m        boss hears Recovered: Cold store / 2 TH-10
    ";
    play.runs(lines, "1h").await;
}
