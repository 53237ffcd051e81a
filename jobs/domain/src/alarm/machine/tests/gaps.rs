//! The table of docs/ALARMS.md: what each fact makes of each state. Prometheus would end most of these alarms by a gap.

use std::collections::BTreeSet;

use super::*;

const DOCUMENT: &str = include_str!("../../../../../../docs/ALARMS.md");

/// A rule whose alarm waits ten seconds to be raised, and is latched where that is asked for.
fn in_state(name: &str) -> Watched {
    let latched = name.starts_with("latched");
    let off_delay = Duration::from_secs(if name == "ending" { 30 } else { 0 });
    let hot_for_long = Rule { off_delay, latched, ..too_hot(10) };
    let mut source = Watched::by([hot_for_long, Rule { id: "silence".into(), ..silent(10) }]);
    if name == "normal" {
        source.sees(1, hot(20.0));
        return source;
    }
    source.sees(1, hot(35.0));
    if name == "pending" {
        return source;
    }
    source.sees(11, Fact::Tick);
    let alarm = source.alarm("threshold:temperature").alarm;
    match name {
        "acknowledged" => {
            drop(source.does(12, Deed::Acknowledge { alarm, until: Some(seconds(60)), void_up_to: None }));
        }
        "shelved" => {
            let rule = "threshold:temperature".into();
            source.does(12, Deed::Shelve { rule, until: Some(seconds(60)), once: false });
        }
        "ending" | "latched, over" => drop(source.sees(12, hot(20.0))),
        "unknown" => drop(source.sees(12, parent_lost())),
        _ => assert_eq!(name, "active"),
    }
    source
}

fn fact(name: &str) -> Fact {
    match name {
        "abnormal" => hot(36.0),
        "normal" => hot(20.0),
        "in the deadband" => hot(29.5),
        "not believed" => values([Observed { quality: Quality::Bad, ..degrees(20.0) }]),
        "without the value" => values([]),
        "miss" => Fact::Missed { count: 1 },
        "parent lost" => parent_lost(),
        "link seen" => Fact::LinkSeen,
        _ => {
            assert_eq!(name, "a minute");
            Fact::Tick
        }
    }
}

/// What a state is after a fact, and what is told of it, as the document says it.
fn becomes(state: &str, fact_name: &str) -> String {
    let mut source = in_state(state);
    let second = if fact_name == "a minute" { 72 } else { 20 };
    let at = if state == "pending" && fact_name != "a minute" { 5 } else { second };
    let told = source.changes(at, fact(fact_name));
    let told: Vec<String> = told
        .iter()
        .map(|change| {
            let kind = serde_json::to_value(change.kind).unwrap().as_str().unwrap().replace('_', " ");
            if change.is_told() { kind } else { format!("({kind})") }
        })
        .collect();
    let after = match source.state.conditions.get("threshold:temperature") {
        None => "normal",
        Some(ConditionState::Pending(_)) => "pending",
        Some(ConditionState::Active(active)) if !active.holds() => "over",
        Some(ConditionState::Active(_)) => "active",
    };
    if told.is_empty() { after.to_owned() } else { format!("{after}: {}", told.join(", ")) }
}

#[test]
fn the_machine_does_what_the_document_says_of_gaps() {
    let rows: Vec<Vec<&str>> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let begin = rows.iter().position(|row| row[0] == "what is heard").unwrap();
    let states = &rows[begin][1..];
    let mut seen = BTreeSet::new();
    for row in rows[begin + 2..].iter().take_while(|row| row.len() == states.len() + 1) {
        for (state, said) in states.iter().zip(&row[1..]) {
            assert_eq!(becomes(state, row[0]), *said, "{state}, {}", row[0]);
            seen.insert((*state, row[0]));
        }
    }
    assert_eq!(seen.len(), 8 * 9);
}
