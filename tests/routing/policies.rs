//! What policies make of groups.

use std::time::Duration;

use jobs::whole_incident;
use records::notices;
use serde_json::json;

use super::play::Play;

const TWO: &str = "
    0s          sensor 1 hot
    0s          sensor 2 hot
";

async fn grouped_by(group_by: &str, told: &str) {
    let play = Play::new().await;
    play.policy(json!({ "group_by": group_by })).await;
    play.runs(&format!("{TWO}{told}"), "20m").await;
}

#[tokio::test]
async fn by_source_each_device_is_told_by_itself() {
    let told = "
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        0s..0s      tech hears Alarm: Cold store / 2 TH-10
    ";
    grouped_by("source", told).await;
    grouped_by("nothing", told).await;
}

#[tokio::test]
async fn by_cause_node_or_rule_the_second_follows_in_the_same_incident() {
    let told = "
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        5s..6s      tech hears Alarm: Cold store / 2 TH-10
    ";
    for group_by in ["cause", "node", "rule"] {
        grouped_by(group_by, told).await;
    }
}

#[tokio::test]
async fn by_site_terminals_of_one_site_are_told_together_under_its_name_and_by_cause_they_are_not() {
    let events = "
        0s          sensor 1 damp
        3s          far sensor 1 damp
        5m          sensor 1 well
        5m          far sensor 1 well
    ";
    let by_site = "
        10s..12s    tech hears Alarm: North yard (2)
        5m..5m1s    tech hears Partly recovered: Cold store / 1 TH-10
        6m..6m2s    tech hears Recovered: Far store / 1 TH-10
    ";
    let by_cause = "
        10s..12s    tech hears Alarm: Cold store / 1 TH-10
        13s..15s    tech hears Alarm: Far store / 1 TH-10
        5m..5m1s    tech hears Recovered: Cold store / 1 TH-10
        5m..5m1s    tech hears Recovered: Far store / 1 TH-10
    ";
    for (group_by, told) in [("site", by_site), ("cause", by_cause)] {
        let play = Play::new().await;
        play.site_of_two("North yard").await;
        play.policy(json!({ "group_by": group_by })).await;
        play.runs(&format!("{events}{told}"), "20m").await;
    }
}

#[tokio::test]
async fn by_site_a_terminal_without_one_is_told_as_by_cause() {
    let told = "
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        5s..6s      tech hears Alarm: Cold store / 2 TH-10
    ";
    grouped_by("site", told).await;
}

#[tokio::test]
async fn by_rule_two_rules_of_one_device_are_told_apart() {
    let play = Play::new().await;
    play.policy(json!({ "group_by": "rule" })).await;
    let lines = "
        0s          sensor 1 damp
        5s          sensor 2 hot
        5s..5s      tech hears Alarm: Cold store / 2 TH-10
        10s..12s    tech hears Alarm: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn a_follow_up_names_the_incident_that_it_is_of_and_its_place_in_it() {
    let play = Play::new().await;
    let lines = "
        0s          sensor 1 hot
        0s..0s      tech hears Alarm: Cold store / 1 TH-10
        20s         sensor 2 hot
        20s..21s    tech hears Alarm: Cold store / 2 TH-10
        50s         sensor 1 well
        50s         sensor 2 well
        50s..60s    tech hears Partly recovered: Cold store / 1 TH-10
        50s..70s    tech hears Recovered: Cold store / 2 TH-10
    ";
    play.runs(lines, "20m").await;
    let letters = play.flow.letters();
    let mails: Vec<_> = letters.iter().filter(|letter| letter.address.channel() == "email").collect();
    let sequences: Vec<_> = mails.iter().map(|letter| letter.data["sequence"].clone()).collect();
    assert_eq!(sequences, [1, 2, 3, 4]);
    assert!(mails.iter().all(|letter| letter.data["incident"] == mails[0].data["incident"]));
}

/// How many alarms of its whole incident stand that had begun when a person's notice was told, of each notice by mail, oldest first.
async fn whole(play: &Play, person: &str) -> Vec<usize> {
    let table = play.flow.cx.table.as_ref();
    let mut notices = notices::list(table, person, 50, None).await.unwrap().items;
    notices.retain(|notice| notice.channel == "email");
    notices.reverse();
    let mut counts = Vec::new();
    for notice in &notices {
        counts.push(whole_incident::alarms_of(table, notice).await.unwrap().len());
    }
    counts
}

#[tokio::test]
async fn a_notice_stands_for_all_alarms_of_its_incident_that_had_begun_and_so_does_an_escalated_one() {
    let play = Play::new().await;
    play.hire(&["boss", "expert"]).await;
    play.policy(json!({ "group_by": "node", "steps": [{ "after_ms": 600_000, "users": ["boss"] }] })).await;
    play.recipients("hot", json!({ "users": ["expert"] })).await;
    let lines = "
        0s          sensor 1 hot
        20s         sensor 2 hot
        60s         sensor 3 damp
    ";
    play.mails(lines, "11m").await;
    assert_eq!(whole(&play, "tech").await, [1, 2, 3]);
    assert_eq!(whole(&play, "boss").await, [3]);
    assert_eq!(whole(&play, "expert").await, [1, 2], "of that rule alone");
}

#[tokio::test]
async fn who_was_told_of_what_is_open_is_told_of_its_end_whatever_became_of_the_policy() {
    for change in ["deleted", "off", "narrowed"] {
        let play = Play::new().await;
        play.hire(&["boss", "chief"]).await;
        let steps = json!([{ "after_ms": 600_000, "users": ["boss"] }, { "after_ms": 1_200_000, "users": ["chief"] }]);
        play.policy(json!({ "group_by": "node", "steps": steps })).await;
        let lines = format!(
            "
            0s              sensor 1 hot
            0s..0s          tech hears Alarm: Cold store / 1 TH-10
            10m..10m1s      boss hears Not acknowledged: Cold store / 1 TH-10
            11m             policy {change}
            12m             tech acknowledges
            13m             sensor 2 hot
            13m..13m6s      tech hears Alarm: Cold store / 2 TH-10
            15m             sensor 1 well
            15m..15m6s      tech hears Recovered: Cold store / 1 TH-10
            15m..15m6s      boss hears Recovered: Cold store / 1 TH-10
            16m             sensor 2 well
            16m..16m6s      tech hears Recovered: Cold store / 2 TH-10
        "
        );
        play.runs(&lines, "1h").await;
    }
}

#[tokio::test]
async fn a_reading_that_ends_one_alarm_and_raises_another_is_told_whole_to_whom_a_policy_names() {
    for (first, then) in [("damp", "hot"), ("hot", "damp")] {
        let play = Play::of_dave_and_the_boss(Duration::from_mins(10)).await;
        let mails = play.mails(&format!("8m sensor 1 {first}\n31m sensor 1 {then}\n70m sensor 1 well"), "30m").await;
        let heard = |person: &str| {
            let theirs = mails.iter().filter(|(_, to, _)| to == person);
            theirs.map(|(at, _, subject)| (at.as_secs() / 60, subject.as_str())).collect::<Vec<_>>()
        };
        for person in ["dave", "boss"] {
            let last = heard(person).last().copied();
            assert!(matches!(last, Some((70, "Recovered: Cold store / 1 TH-10"))), "{person}: {mails:#?}");
        }
        assert!(heard("dave").contains(&(31, "Alarm: Cold store / 1 TH-10")), "{mails:#?}");
    }
}
