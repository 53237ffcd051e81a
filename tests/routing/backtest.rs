//! What a backtest says that people would have been told is what they were told.

use std::collections::BTreeMap;

use domain::Timestamp;
use jobs::backtest::{Backtest, Terms, Told};
use records::{alert_rules, terminals};
use serde_json::json;
use telltale_tests::flow::mac;

use super::play::Play;

/// How many notices each person would have got by mail of what a rule raises, had it been tried after the play.
async fn foretold(play: &Play, rule: &str) -> BTreeMap<String, Told> {
    let (table, settings) = (play.flow.cx.table.as_ref(), &play.flow.cx.settings);
    let rule = alert_rules::get(table, "root", rule).await.unwrap().unwrap();
    let backtest = Backtest {
        rule: rule.rule,
        recipients: rule.recipients,
        terms: Terms::of(&settings.notices, &settings.alarms),
        terminals: vec![terminals::get(table, &mac()).await.unwrap().unwrap()],
        from: Timestamp(0),
        to: play.flow.now(),
        most_readings: usize::MAX,
    };
    let found = backtest.run(table, |_, _| true, |_| {}).await.unwrap();
    let by_mail = found.told.into_iter().filter(|told| told.channel == "email");
    by_mail.map(|told| (told.user.clone(), told)).collect()
}

/// Plays lines in which one rule alone raises anything, and holds each person's mails against what is foretold; gives that.
async fn comes_true(play: &Play, rule: &str, (lines, quiet): (&str, &str)) -> BTreeMap<String, Told> {
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    let mails = play.mails(lines, quiet).await;
    for (_, person, _) in &mails {
        *told.entry(person.clone()).or_default() += 1;
    }
    let foretold = foretold(play, rule).await;
    let counts: BTreeMap<String, usize> = foretold.iter().map(|(user, told)| (user.clone(), told.notices())).collect();
    assert_eq!(counts, told, "{mails:#?}");
    foretold
}

#[tokio::test]
async fn warnings_that_are_gathered_are_counted_as_the_notices_that_tell_them() {
    let lines = "
        0s          sensor 1 damp
        3s          sensor 2 damp
        9s          sensor 3 damp
        30s         sensor 1 well
        50s         sensor 4 damp
        60s         sensor 2 well
        80s         sensor 3 well
        90s         sensor 4 well
    ";
    let told = comes_true(&Play::new().await, "damp", (lines, "20m")).await;
    assert_eq!((told["tech"].alarms, told["tech"].recoveries), (2, 1), "eight changes are three notices");
}

#[tokio::test]
async fn what_was_over_before_it_was_told_is_not_counted() {
    let lines = "
        0s          sensor 1 damp
        8s          sensor 1 well
    ";
    assert!(comes_true(&Play::new().await, "damp", (lines, "20m")).await.is_empty());
}

#[tokio::test]
async fn what_flaps_is_damped() {
    let round = |round| format!("{}s sensor 1 hot\n{}s sensor 1 well", round * 40, round * 40 + 20);
    let lines: Vec<String> = (0..90).map(round).collect();
    let told = comes_true(&Play::new().await, "hot", (&lines.join("\n"), "3h")).await;
    assert!(told["tech"].notices() <= 14, "of 180 changes: {told:?}");
}

#[tokio::test]
async fn what_nobody_acknowledges_is_repeated_until_it_ends() {
    let lines = "
        0s          sensor 1 hot
        100m        sensor 1 well
        2h          sensor 2 hot
        121m        sensor 2 well
    ";
    let told = comes_true(&Play::new().await, "hot", (lines, "20m")).await;
    let Told { alarms, recoveries, repeats, escalations, .. } = told["tech"];
    assert_eq!((alarms, recoveries, repeats, escalations), (2, 2, 3, 0));
}

#[tokio::test]
async fn those_whom_a_policy_names_are_told_step_by_step() {
    let play = Play::new().await;
    play.hire(&["boss", "chief", "early", "late"]).await;
    let people = json!(["early", "late"]);
    let rota = json!({ "zone": "UTC", "people": people, "turn": "daily", "hand_over": "12:05", "since": "2026-06-01" });
    play.rota("r", rota).await;
    let steps = json!([
        { "after_ms": 600_000, "users": ["boss"], "rotas": ["r"] },
        { "after_ms": 1_200_000, "users": ["chief"], "roles": ["user"] },
    ]);
    play.policy(json!({ "least": "critical", "steps": steps })).await;
    let lines = "
        0s          sensor 1 hot
        25m         sensor 1 well
        1h          sensor 2 hot
        65m         sensor 2 well
        90m         sensor 3 hot
        111m        sensor 4 hot
        120m        sensor 3 well
        130m        sensor 4 well
    ";
    let told = comes_true(&play, "hot", (lines, "1h")).await;
    assert_eq!(told["boss"].escalations, 2, "what is over in time is not escalated");
    assert!(told["early"].notices() > 0 && !told.contains_key("late"), "who was on call then: {told:?}");
    assert!(told["tech"].escalations > 0, "a user who is bound to it is of the role: {told:?}");
}

#[tokio::test]
async fn a_rules_recipients_are_counted_beside_those_who_see_the_device() {
    let play = Play::new().await;
    play.hire(&["expert"]).await;
    play.recipients("hot", json!({ "users": ["expert", "tech"] })).await;
    let lines = "
        0s          sensor 1 hot
        2s          sensor 2 hot
        5m          sensor 1 well
        5m          sensor 2 well
    ";
    let told = comes_true(&play, "hot", (lines, "20m")).await;
    assert!(told["expert"].alarms > 0 && told["expert"].escalations == 0, "{told:?}");
}

#[tokio::test]
async fn a_policy_that_groups_otherwise_makes_other_notices() {
    let lines = "
        0s          sensor 1 damp
        1s          sensor 2 damp
        5m          sensor 1 well
        5m          sensor 2 well
    ";
    for (group_by, notices) in [("cause", 3), ("source", 4)] {
        let play = Play::new().await;
        play.policy(json!({ "group_by": group_by })).await;
        let told = comes_true(&play, "damp", (lines, "20m")).await;
        assert_eq!(told["tech"].notices(), notices, "{group_by}");
    }
}
