//! While one alarm stands another is not told: to those who hear of the first.

use serde_json::json;

use super::play::Play;

#[tokio::test]
async fn what_somebody_calls_an_alarm_for_themselves_keeps_nothing_from_others() {
    let play = Play::new().await;
    play.hire(&["ann"]).await;
    let lines = "
        0s              ann bound
        0s              ann calls it mild above 10
        0s              mild mutes damp
        1m              sensor 1 damp
        1m..1m1s        ann hears Alarm: Cold store / 1 TH-10
        1m10s..1m12s    tech hears Alarm: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn what_everybody_hears_of_speaks_for_the_other_to_everybody() {
    let play = Play::new().await;
    let lines = "
        0s              hot mutes damp
        1m              sensor 1 hot
        1m..1m1s        tech hears Alarm: Cold store / 1 TH-10
        2m              sensor 2 damp
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn what_somebody_does_not_hear_of_speaks_for_nothing_to_them() {
    // An alarm that they silenced, and one that is on the shelf.
    for aside in ["tech silences hot for 2h", "tech shelves for 2h"] {
        let lines = format!(
            "
            0s              hot mutes damp
            1m              sensor 1 hot
            1m..1m1s        tech hears Alarm: Cold store / 1 TH-10
            2m              {aside}
            5m              sensor 2 damp
            5m..6m10s       tech hears Alarm: Cold store / 2 TH-10
        "
        );
        Play::new().await.runs(&lines, "10m").await;
    }
    // Whom a rule names sees no other.
    let play = Play::new().await;
    play.hire(&["expert"]).await;
    play.recipients("damp", json!({ "users": ["expert"], "rotas": [] })).await;
    let lines = "
        0s              hot mutes damp
        1m              sensor 1 hot
        1m..1m1s        tech hears Alarm: Cold store / 1 TH-10
        2m              sensor 2 damp
        2m..2m12s       expert hears Alarm: Cold store / 2 TH-10
    ";
    play.runs(lines, "10m").await;
}

#[tokio::test]
async fn of_two_that_would_speak_for_each_other_the_older_does() {
    let lines = "
        0s              hot mutes damp
        0s              damp mutes hot
        1m              sensor 1 damp
        1m10s..1m12s    tech hears Alarm: Cold store / 1 TH-10
        2m              sensor 2 hot
        10m             sensor 1 well
        10m..10m2s      tech hears Partly recovered: Cold store / 1 TH-10
        10m..12m        tech hears Held back by another alarm: 1 standing
    ";
    Play::new().await.runs(lines, "10m").await;
}
