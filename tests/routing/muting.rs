//! While one alarm stands another is not told: to those who hear of the first.

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
