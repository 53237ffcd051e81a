//! Others hear while nobody acknowledges.

use jobs::ports::{Address, Letter};
use serde_json::json;

use super::play::Play;

async fn two_steps() -> Play {
    let play = Play::new().await;
    play.hire(&["boss", "chief"]).await;
    let steps = json!([
        { "after_ms": 600_000, "users": ["boss"] },
        { "after_ms": 1_200_000, "users": ["chief"], "roles": ["user"] },
    ]);
    play.policy(json!({ "least": "critical", "steps": steps })).await;
    play
}

#[tokio::test]
async fn step_by_step_until_it_is_over_and_who_heard_of_it_hears_of_its_end() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        10m..10m1s      boss hears Not acknowledged: Cold store / 1 TH-10
        20m..20m1s      chief hears Not acknowledged: Cold store / 1 TH-10
        20m..20m1s      tech hears Not acknowledged: Cold store / 1 TH-10
        25m             sensor 1 well
        25m..25m1s      tech hears Recovered: Cold store / 1 TH-10
        25m..25m1s      boss hears Recovered: Cold store / 1 TH-10
        25m..25m1s      chief hears Recovered: Cold store / 1 TH-10
    ";
    two_steps().await.runs(lines, "1h").await;
}

#[tokio::test]
async fn an_acknowledgement_stops_it_and_when_it_ends_all_begins_again() {
    let play = two_steps().await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        10m..10m1s      boss hears Not acknowledged: Cold store / 1 TH-10
        15m             tech acknowledges
        24h15m..24h15m1s tech hears Acknowledgement expired: Cold store / 1 TH-10
        24h15m..24h15m1s boss hears Acknowledgement expired: Cold store / 1 TH-10
        24h25m..24h25m1s boss hears Not acknowledged: Cold store / 1 TH-10
        24h30m          boss acknowledges
    ";
    play.runs(lines, "2h").await;
}

#[tokio::test]
async fn what_is_over_in_time_or_matters_less_is_not_escalated() {
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        9m              sensor 1 well
        9m..9m1s        tech hears Recovered: Cold store / 1 TH-10
        20m             sensor 1 damp
        20m10s..20m12s  tech hears Alarm: Cold store / 1 TH-10
        1h              sensor 1 well
        1h..1h1s        tech hears Recovered: Cold store / 1 TH-10
    ";
    two_steps().await.runs(lines, "1h").await;
}

#[tokio::test]
async fn a_rules_recipients_hear_at_once_beside_those_who_see_the_device_and_nobody_hears_twice() {
    let play = Play::new().await;
    play.hire(&["expert"]).await;
    play.recipients("hot", json!({ "users": ["expert", "tech"] })).await;
    let lines = "
        0s              sensor 1 hot
        0s..0s          tech hears Alarm: Cold store / 1 TH-10
        0s..0s          expert hears Alarm: Cold store / 1 TH-10
        1m              sensor 2 damp
        1m10s..1m12s    tech hears Alarm: Cold store / 2 TH-10
        5m              sensor 1 well
        5m..5m1s        tech hears Partly recovered: Cold store / 1 TH-10
        5m..5m1s        expert hears Recovered: Cold store / 1 TH-10
    ";
    play.runs(lines, "20m").await;
}

#[tokio::test]
async fn an_escalated_notice_says_who_was_told_before_and_since_when_nobody_has_it_on() {
    let play = Play::new().await;
    play.hire(&["boss", "chief", "expert"]).await;
    let steps = json!([
        { "after_ms": 0, "users": ["tech"] },
        { "after_ms": 600_000, "users": ["boss"] },
        { "after_ms": 1_200_000, "users": ["chief"] },
    ]);
    play.policy(json!({ "steps": steps })).await;
    play.recipients("hot", json!({ "users": ["expert"] })).await;
    play.mails("0s sensor 1 hot", "21m").await;
    let letters = play.flow.letters();
    let said = |who: &str| {
        let is_to = |letter: &&Letter| matches!(&letter.address, Address::Email { to } if to.starts_with(who));
        letters.iter().filter(is_to).map(|letter| letter.text.clone()).collect::<Vec<_>>().join("\n")
    };
    let (boss, chief) = (said("boss"), said("chief"));
    assert!(boss.contains("Nobody has taken it on since 2026-06-01 12:00:00"), "{boss}");
    assert!(boss.contains("Told before: expert, tech."), "{boss}");
    assert!(boss.contains("raised 2026-06-01 12:00:00"), "{boss}");
    assert!(chief.contains("Told before: boss, expert, tech."), "{chief}");
}

#[tokio::test]
async fn an_escalation_begins_again_when_somebody_had_it_on_until_now_though_no_step_came_due_meanwhile() {
    let steps = json!({ "steps": [{ "after_ms": 1_200_000, "users": ["boss"] }] });
    for (act, again) in [("tech shelves for 10m", true), ("tech takes out for 10m", true)] {
        let play = Play::new().await;
        play.hire(&["boss"]).await;
        play.policy(steps.clone()).await;
        let told = if again { "11m..11m5s      tech hears Alarm: Cold store / 1 TH-10" } else { "" };
        let lines = format!(
            "
            1s              sensor 1 hot
            1s..2s          tech hears Alarm: Cold store / 1 TH-10
            1m              {act}
            {told}
            31m..31m5s      boss hears Not acknowledged: Cold store / 1 TH-10
            32m             tech acknowledges
        "
        );
        play.runs(&lines, "10m").await;
    }
}

/// With a policy that tells the boss when nobody has acknowledged for so long.
async fn with_a_boss(after_minutes: u64) -> Play {
    let play = Play::new().await;
    play.hire(&["boss"]).await;
    play.policy(json!({ "group_by": "site", "steps": [{ "after_ms": after_minutes * 60_000, "users": ["boss"] }] }))
        .await;
    play
}

/// What the boss hears, and when.
async fn told_the_boss(play: &Play, lines: &str, quiet: &str) -> Vec<(u64, String)> {
    let mails = play.mails(lines, quiet).await.into_iter().filter(|(_, to, _)| to == "boss");
    mails.map(|(at, _, subject)| (at.as_secs() / 60, subject)).collect()
}

#[tokio::test]
async fn what_came_and_went_and_stands_is_called_for_with_what_else_does() {
    let play = with_a_boss(40).await;
    let swings = (1..12).map(|minute| format!("{minute}m sensor 1 {}\n", if minute % 2 == 0 { "hot" } else { "well" }));
    let lines = format!("0s sensor 2 damp\n1s sensor 1 hot\n{}12m sensor 1 hot", swings.collect::<String>());
    let told = told_the_boss(&play, &lines, "30m").await;
    assert_eq!(told, [(40, "Not acknowledged: Cold store (2)".to_owned())]);
}

#[tokio::test]
async fn what_a_lost_parent_speaks_for_when_others_are_called_is_told_them_when_it_is_seen_again() {
    let play = with_a_boss(10).await;
    play.site_of_two("north").await;
    let lines = "1s sensor 1 hot\n2s far sensor 1 damp\n5m terminal lost\n15m terminal back\n16m sensor 1 hot";
    let told = told_the_boss(&play, lines, "5m").await;
    let calls: Vec<_> = told.iter().filter(|(_, subject)| !subject.contains("recovered")).collect();
    assert!(matches!(calls[..], [(10, _), (15 | 16, _)]), "{told:?}");
    assert!(play.flow.letters().iter().any(|letter| {
        matches!(&letter.address, Address::Email { to } if to.starts_with("boss"))
            && letter.text.contains("temperature 40")
    }));
}
