//! When people are left alone, and what they hear of it afterwards.

use std::time::Duration;

use super::play::Play;

/// At noon, when a play begins.
const FROM_ELEVEN_TO_THREE: &str =
    r#"{"quiet": {"calendar": {"zone": "UTC", "hours": [{"from": "11:00", "until": "15:00"}]}}}"#;

#[tokio::test]
async fn what_is_escalated_to_somebody_in_their_quiet_hours_is_told_at_their_end() {
    let lines = format!(
        "
        0s          boss prefers {FROM_ELEVEN_TO_THREE}
        1s          sensor 1 cold
        30s..32s    tech hears Alarm: Cold store / 1 TH-10
        30s..32s    dave hears Alarm: Cold store / 1 TH-10
        3h..3h1m    boss hears Held back by quiet hours: 1 standing
        4h          sensor 1 well
        4h..4h1m    tech hears Recovered: Cold store / 1 TH-10
        4h..4h1m    dave hears Recovered: Cold store / 1 TH-10
        4h..4h1m    boss hears Recovered: Cold store / 1 TH-10
    "
    );
    Play::of_dave_and_the_boss(Duration::from_mins(10)).await.runs(&lines, "10m").await;
}

#[tokio::test]
async fn what_is_escalated_to_somebody_who_reads_a_digest_is_in_it() {
    let lines = "
        0s          boss prefers {\"digest_at\": \"16:00\", \"ways\": {\"alarms\": {\"email\": \"digest\"}}}
        1s          sensor 1 cold
        30s..32s    tech hears Alarm: Cold store / 1 TH-10
        30s..32s    dave hears Alarm: Cold store / 1 TH-10
        4h..4h1m    boss hears Digest: 1 standing
    ";
    Play::of_dave_and_the_boss(Duration::from_mins(10)).await.runs(lines, "10m").await;
}

#[tokio::test]
async fn a_reminder_does_not_name_what_its_reader_silenced() {
    let lines = "
        0s          tech silences sensor 1 for 12h
        1s          sensor 1 hot
        10s         sensor 2 hot
        10s..12s    tech hears Alarm: Cold store / 2 TH-10
        30m..31m    tech hears Still open: Cold store / 2 TH-10
    ";
    Play::new().await.runs(lines, "10m").await;
}

#[tokio::test]
async fn a_weekly_window_ends_by_the_clocks_of_its_place_in_the_night_that_they_are_put_forward() {
    // At 02:00 in Berlin it is 03:00: the window that ends at 04:00 is an hour shorter, and ends at 02:00 UTC.
    let lines = "
        0s          everybody silences weekly {\"zone\": \"Europe/Berlin\", \"hours\": [{\"from\": \"01:00\", \"until\": \"04:00\"}]}
        10m         sensor 1 hot
        2h..2h1m    tech hears Held back by a silence: 1 standing
    ";
    let play = Play::at("2026-03-29T00:00:00Z", Duration::from_secs(10)).await;
    play.runs(lines, "5m").await;
}

#[tokio::test]
async fn quiet_hours_last_an_hour_longer_in_the_night_that_clocks_are_put_back() {
    let quiet = r#"{"quiet": {"calendar": {"zone": "Europe/Berlin", "hours": [{"from": "01:00", "until": "04:00"}]}, "passes": null}}"#;
    // From 23:00 UTC (summer time) to 03:00 UTC (winter time).
    let lines = format!(
        "
        0s          tech prefers {quiet}
        10m         sensor 1 damp
        4h..4h1m    tech hears Held back by quiet hours: 1 standing
    "
    );
    let play = Play::at("2026-10-24T23:00:00Z", Duration::from_secs(10)).await;
    play.runs(&lines, "5m").await;
}

#[tokio::test]
async fn what_an_alarm_that_stands_explains_is_not_told_and_what_stands_after_it_is() {
    let lines = "
        0s          hot mutes damp
        1s          sensor 1 hot
        1s..2s      tech hears Alarm: Cold store / 1 TH-10
        5s          sensor 2 damp
        5m          sensor 1 well
        5m..5m2s    tech hears Partly recovered: Cold store / 1 TH-10
        5m..7m      tech hears Held back by another alarm: 1 standing
    ";
    Play::new().await.runs(lines, "10m").await;
}

#[tokio::test]
async fn what_somebody_puts_off_comes_again_at_the_end_if_it_stands() {
    let lines = "
        0s          sensor 1 damp
        10s..12s    tech hears Alarm: Cold store / 1 TH-10
        60s         tech snoozes for 1h
        61m..62m    tech hears Held back by a snooze: 1 standing
    ";
    Play::new().await.runs(lines, "10m").await;
}

#[tokio::test]
async fn what_comes_to_matter_more_than_what_somebody_put_off_is_told_and_so_is_its_end() {
    let play = Play::new().await;
    play.levels().await;
    let lines = "
        0s          sensor 1 warm
        10s..12s    tech hears Alarm: Cold store / 1 TH-10
        5m          tech snoozes for 1h
        10m         sensor 1 warmer
        10m..10m2s  tech hears Alarm changed: Cold store / 1 TH-10
        40m..40m2s  tech hears Still open: Cold store / 1 TH-10
        45m         sensor 1 well
        45m..46m    tech hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "1h").await;
}

#[tokio::test]
async fn what_is_over_before_somebody_wants_to_hear_of_it_again_is_told_as_over() {
    let lines = "
        0s          sensor 1 damp
        10s..12s    tech hears Alarm: Cold store / 1 TH-10
        60s         tech snoozes for 1h
        10m         sensor 1 well
        61m..62m    tech hears Held back by a snooze and a silence: 1 recovered
    ";
    Play::new().await.runs(lines, "10m").await;
}

#[tokio::test]
async fn who_is_told_what_was_held_back_is_not_reminded_of_it_a_moment_later() {
    let quiet = r#"{"quiet": {"calendar": {"zone": "UTC", "hours": [{"from": "11:00", "until": "20:00"}]}}}"#;
    let lines = format!(
        "
        0s          tech prefers {quiet}
        1s          sensor 1 damp
        8h..8h1m    tech hears Held back by quiet hours: 1 standing
        12h..12h1m  tech hears Still open: Cold store / 1 TH-10
    "
    );
    Play::at("2026-06-01T12:00:00Z", Duration::from_secs(5)).await.runs(&lines, "10m").await;
}

#[tokio::test]
async fn a_value_that_swings_around_a_limit_for_hours_is_told_a_few_times() {
    let play = Play::at("2026-06-01T12:00:00Z", Duration::from_secs(20)).await;
    play.levels().await;
    let swing = |minute| format!("{minute}m sensor 1 warm\n{minute}m20s sensor 1 warmer\n");
    let lines: String = (0..180).map(swing).collect();
    let mails = play.mails(&lines, "10m").await;
    let told: Vec<&str> = mails.iter().map(|(_, _, subject)| subject.as_str()).collect();
    let again = |subject: &&&str| subject.starts_with("Still open");
    assert!(told.len() - told.iter().filter(again).count() <= 8, "{mails:#?}");
}

#[tokio::test]
async fn at_the_end_of_a_snooze_nobody_is_told_that_what_is_not_seen_stands() {
    let lines = "
        0s          sensor 1 hot
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        60s         tech snoozes for 1h
        30m         terminal lost
        30m..33m    tech hears Alarm: Cold store
        61m..62m    tech hears Held back by a snooze: 1 not seen at present
        70m         terminal back
        70m..71m    tech hears Recovered: Cold store
        70m         sensor 1 well
        70m..71m    tech hears Recovered: Cold store / 1 TH-10
    ";
    Play::new().await.runs(lines, "90m").await;
}

#[tokio::test]
async fn at_the_end_of_a_snooze_nobody_hears_of_what_is_not_theirs_to_see_any_more() {
    let lines = "
        0s          sensor 1 damp
        10s..11s    tech hears Alarm: Cold store / 1 TH-10
        60s         tech snoozes for 1h
        10m         tech unbound
    ";
    Play::new().await.runs(lines, "2h").await;
}

#[tokio::test]
async fn who_was_named_hears_at_the_end_of_a_snooze_whatever_they_see() {
    let play = Play::of_dave_and_the_boss(Duration::from_hours(9)).await;
    let lines = "
        0s          tech unbound
        0s          sensor 1 damp
        0s..11s     dave hears Alarm: Cold store / 1 TH-10
        60s         dave snoozes for 1h
        61m..62m    dave hears Held back by a snooze: 1 standing
    ";
    play.runs(lines, "2h").await;
}

#[tokio::test]
async fn what_stands_at_the_end_of_a_silence_of_most_of_a_year_is_told() {
    let play = Play::at("2026-06-01T12:00:00Z", Duration::from_hours(24)).await;
    let told = play.mails("0s tech silences sensor 1 for 300d\n0s sensor 1 hot", "302d").await;
    let (_, person, subject) = told.first().expect("somebody is told");
    assert_eq!((person.as_str(), subject.as_str()), ("tech", "Held back by a silence: 1 standing"), "{told:?}");
}

#[tokio::test]
async fn what_ends_as_something_graver_begins_is_not_told_as_over_before_it_is_told() {
    let play = Play::at("2026-06-01T12:00:00Z", Duration::from_secs(5)).await;
    let lines = r#"
        0s      tech prefers {"quiet": {"passes": "critical", "calendar": {"zone": "UTC", "hours": [{"from": "12:26", "until": "13:20"}]}}}
        20m     tech silences sensor 2 for 30m
        1510s   sensor 2 cold
        1555s   sensor 2 hot
    "#;
    play.mails(lines, "2h").await;
    let told: Vec<String> = play.flow.letters().into_iter().map(|letter| letter.text).collect();
    let of_cold = told.iter().filter(|text| text.contains("[cold]"));
    let is_whole = |text: &String| text.contains("raised 2026-06-01 12:25:10") && text.contains("after 45 s");
    assert!(of_cold.clone().all(is_whole) && of_cold.count() == 2, "once on each channel: {told:#?}");
}
