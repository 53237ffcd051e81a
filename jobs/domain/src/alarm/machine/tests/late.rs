//! Readings that came too late to raise anything.

use super::*;
use crate::alarm::{Comparison, Figure};

const RULE: &str = "threshold:temperature";

fn hotter_than(limit: f64) -> Condition {
    Condition::Outside { name: "temperature".to_owned(), min: None, max: Some(limit), deadband: 0.0 }
}

fn late(source: &mut Watched, second: i64, fact: Fact) -> Vec<String> {
    let evidence = Evidence { late: true, ..Evidence::new(format!("late {second}"), device(), seconds(second), fact) };
    let step = step(&source.state, &source.set(), &evidence, seconds(1000));
    (source.state, source.timer) = (step.state, step.timer);
    step.changes.iter().map(shown).collect()
}

/// One that is not known to be late.
fn comes(source: &mut Watched, second: i64, fact: Fact) -> Vec<String> {
    let evidence = Evidence::new(format!("evidence {second}"), device(), seconds(second), fact);
    let step = step(&source.state, &source.set(), &evidence, seconds(1000));
    (source.state, source.timer) = (step.state, step.timer);
    step.changes.iter().map(shown).collect()
}

#[test]
fn late_readings_raise_nothing_and_are_summed_up_when_the_source_is_heard_of() {
    let critical = crate::alarm::Level { limit: 50.0, severity: Severity::Critical, deadband: 0.0 };
    let warning = crate::alarm::Level { limit: 30.0, severity: Severity::Warning, deadband: 0.0 };
    let condition = Condition::Levels { name: "temperature".into(), above: vec![critical, warning], below: Vec::new() };
    let mut source = Watched::by([Rule { condition, ..too_hot(0) }]);
    for (second, celsius) in [(30, 35.0), (10, 31.0), (20, 55.0), (40, 20.0), (35, 32.0)] {
        assert_eq!(late(&mut source, second, hot(celsius)), NOTHING);
    }
    assert_eq!((source.timer, source.state.conditions.len()), (None, 0));
    assert_eq!(source.sees(50, Fact::Missed { count: 1 }), NOTHING);
    let summary = source.changes(60, hot(20.0)).remove(0);
    assert_eq!((summary.kind, summary.at, summary.untold), (ChangeKind::Late, seconds(60), Some(Untold::Record)));
    assert_eq!((summary.count, summary.since, summary.until), (Some(4), seconds(10), Some(seconds(35))));
    assert_eq!((summary.severity, summary.lasted()), (Severity::Critical, Some(Duration::from_secs(25))));
    assert!(summary.detail.starts_with("temperature 55 ℃"), "{}", summary.detail);
    assert!(summary.alarm.parse::<Ulid>().is_ok());
    assert_eq!(source.sees(61, hot(20.0)), NOTHING);
}

#[test]
fn a_late_reading_is_counted_once() {
    let mut source = Watched::by([too_hot(0)]);
    late(&mut source, 10, hot(35.0));
    let before = source.state.clone();
    late(&mut source, 10, hot(35.0));
    assert_eq!(source.state, before);
    source.sees(60, hot(20.0));
    late(&mut source, 10, hot(35.0));
    assert_eq!(source.sees(70, hot(20.0)), NOTHING, "also after it was summed up");
}

#[test]
fn no_more_late_readings_are_remembered_than_is_of_use() {
    let mut source = Watched::by([too_hot(0)]);
    for second in 1..=100 {
        late(&mut source, second, hot(35.0));
    }
    let seen = &source.state.late_seen;
    assert_eq!((seen.len(), seen.first(), seen.last()), (64, Some(&seconds(37)), Some(&seconds(100))));
    assert_eq!(source.changes(200, hot(20.0))[0].count, Some(100));
}

#[test]
fn the_first_of_the_worst_is_told_of() {
    let mut source = Watched::by([too_hot(0)]);
    late(&mut source, 10, hot(35.0));
    late(&mut source, 11, hot(36.0));
    let summary = source.changes(60, hot(20.0)).remove(0);
    assert!(summary.detail.starts_with("temperature 35 ℃"), "{}", summary.detail);
    assert!(!summary.shadow);
}

#[test]
fn late_readings_of_an_alarm_that_is_known_say_nothing_new() {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(10, hot(35.0));
    late(&mut source, 11, hot(36.0));
    assert_eq!(source.state.late.len(), 0, "it stands");
    source.sees(20, hot(20.0));
    for (second, counted) in [(10, 0), (20, 0), (9, 1), (21, 2)] {
        late(&mut source, second, hot(36.0));
        assert_eq!(source.state.late.get(RULE).map_or(0, |late| late.count), counted, "of {second}");
    }
}

#[test]
fn what_comes_after_what_is_newer_raises_nothing_and_is_summed_up() {
    let mut source = Watched::by([too_hot(0)]);
    comes(&mut source, 30, hot(20.0));
    assert_eq!(comes(&mut source, 20, hot(35.0)), NOTHING);
    assert_eq!(comes(&mut source, 10, hot(20.0)), NOTHING);
    assert_eq!(comes(&mut source, 20, hot(35.0)), NOTHING, "once");
    let summary = source.changes(40, hot(20.0)).remove(0);
    assert_eq!((summary.kind, summary.count, summary.since), (ChangeKind::Late, Some(1), seconds(20)));
}

#[test]
fn what_comes_again_after_what_is_newer_and_was_looked_at_is_not_late() {
    let mut source = Watched::by([too_hot(5)]);
    // It was dropped before its delay ran out; an alarm; and it holds.
    for (second, celsius) in [(10, 35.0), (12, 20.0), (20, 35.0), (26, 36.0), (30, 20.0), (40, 35.0), (42, 35.0)] {
        source.sees(second, hot(celsius));
    }
    let before = source.state.clone();
    for second in [10, 20, 26, 40] {
        comes(&mut source, second, hot(35.0));
        assert_eq!(source.state, before, "of {second}");
    }
    for (second, counted) in [(9, 1), (13, 2), (31, 3)] {
        comes(&mut source, second, hot(35.0));
        assert_eq!(source.state.late[RULE].count, counted, "of {second}");
    }
}

#[test]
fn what_moved_many_rules_and_comes_again_is_late_for_none_of_them() {
    let names: Vec<String> = (0..40).map(|number| format!("bit {number}")).collect();
    let condition = |name: &String| Condition::NotIn { name: name.clone(), normal: vec!["0".into()] };
    let mut source = Watched::by(names.iter().map(|name| rule(&format!("state:{name}"), condition(name), 60)));
    source.rules.push(silent(0));
    let all = |number| values(names.iter().map(move |name| observed(name, Datum::Number(number), "", "")));
    for (second, number) in [(10, 1.0), (20, 0.0), (21, 0.0)] {
        comes(&mut source, second, all(number));
        comes(&mut source, second, Fact::Missed { count: 1 });
    }
    let before = source.state.clone();
    comes(&mut source, 10, all(1.0));
    assert_eq!(source.state, before);
}

#[test]
fn what_was_looked_at_and_comes_again_is_not_late_by_what_a_rule_says_since() {
    let made = |limit, second| Rule { condition: hotter_than(limit), changed_at: Some(seconds(second)), ..too_hot(0) };
    let mut source = Watched::by([made(50.0, 0)]);
    comes(&mut source, 10, hot(40.0));
    comes(&mut source, 20, hot(20.0));
    source.rules[0] = made(30.0, 15);
    let before = source.state.clone();
    comes(&mut source, 10, hot(40.0));
    assert_eq!(source.state, before);
    comes(&mut source, 15, hot(40.0));
    assert_eq!(source.state.late[RULE].count, 1, "what was read since is judged by it");
    late(&mut source, 9, hot(40.0));
    assert_eq!(source.state.late[RULE].count, 2, "what is known to be late is judged by what there is");
}

/// Asserts that a reading that was looked at, and comes again, changes nothing after these.
fn comes_again(rule: Rule, readings: &[(i64, f64)], (second, celsius): (i64, f64)) {
    let mut source = Watched::by([rule]);
    for (second, celsius) in readings {
        comes(&mut source, *second, hot(*celsius));
    }
    let before = source.state.clone();
    comes(&mut source, second, hot(celsius));
    assert_eq!(source.state, before);
}

#[test]
fn what_waited_for_a_delay_when_its_rule_was_edited_was_looked_at() {
    let mut source = Watched::by([too_hot(60)]);
    comes(&mut source, 10, hot(35.0));
    source.rules[0].condition = hotter_than(33.0);
    comes(&mut source, 20, hot(20.0));
    let before = source.state.clone();
    comes(&mut source, 10, hot(35.0));
    assert_eq!(source.state, before);
}

#[test]
fn what_came_again_of_a_latched_alarm_and_was_over_before_its_delay_was_looked_at() {
    let latched = Rule { latched: true, ..too_hot(30) };
    comes_again(latched, &[(10, 35.0), (50, 20.0), (60, 35.0), (70, 20.0)], (60, 35.0));
}

#[test]
fn what_a_rule_of_values_and_of_links_looked_at_is_not_late() {
    let either = Condition::Any { of: vec![hotter_than(30.0), Condition::Lost] };
    let rule = Rule { condition: either, ..too_hot(0) };
    comes_again(rule, &[(10, 35.0), (20, 20.0), (30, 35.0), (40, 20.0)], (10, 35.0));
}

#[test]
fn what_moves_very_many_rules_is_remembered_of_the_latest_time_alone() {
    let names: Vec<String> = (0..200).map(|number| format!("bit {number}")).collect();
    let condition = |name: &String| Condition::NotIn { name: name.clone(), normal: vec!["0".into()] };
    let mut source = Watched::by(names.iter().map(|name| rule(&format!("state:{name}"), condition(name), 600)));
    let all = |number| values(names.iter().map(move |name| observed(name, Datum::Number(number), "", "")));
    for round in 0..10 {
        comes(&mut source, round * 20, all(1.0));
        comes(&mut source, round * 20 + 10, all(0.0));
    }
    assert_eq!(source.state.held.len(), 200);
    assert!(source.state.held.iter().all(|held| held.until == seconds(190)));
}

#[test]
fn of_a_latched_alarm_that_is_over_nothing_tells_what_was_abnormal_since() {
    let mut source = Watched::by([Rule { latched: true, ..too_hot(0) }]);
    for (second, celsius) in [(10, 35.0), (20, 20.0), (40, 20.0)] {
        comes(&mut source, second, hot(celsius));
    }
    for (second, counted) in [(15, 0), (30, 1)] {
        late(&mut source, second, hot(36.0));
        assert_eq!(source.state.late.get(RULE).map_or(0, |late| late.count), counted, "of {second}");
    }
}

#[test]
fn of_what_is_concluded_from_several_readings_one_that_is_late_says_nothing() {
    let name = || "temperature".to_owned();
    let above = Condition::Compare { name: name(), is: Comparison::Greater, to: 30.0, deadband: 0.0 };
    let minute = Duration::from_mins(1);
    let mean =
        Condition::Window { name: name(), figure: Figure::Mean, within: minute, is: Comparison::Greater, to: 30.0 };
    let many = Condition::Count { of: Box::new(above.clone()), at_least: 2, within: minute };
    let few = Condition::Not { of: Box::new(many) };
    let rules = [mean, Condition::All { of: vec![above, few] }].map(|condition| Rule { condition, ..too_hot(0) });
    for rule in rules {
        let mut source = Watched::by([rule]);
        for second in [1, 2, 3] {
            comes(&mut source, second, hot(20.0));
        }
        comes(&mut source, 4, hot(35.0));
        comes(&mut source, 5, hot(20.0));
        let before = source.state.clone();
        comes(&mut source, 4, hot(35.0));
        assert_eq!(source.state, before, "it was looked at among others");
        late(&mut source, 2, hot(90.0));
        assert_eq!(source.state, before);
    }
}

#[test]
fn of_a_value_within_a_deadband_one_that_is_late_says_nothing() {
    let cold = |deadband| Condition::Compare { name: "temperature".into(), is: Comparison::Less, to: 5.0, deadband };
    let level = crate::alarm::Level { limit: 5.0, severity: Severity::Warning, deadband: 2.0 };
    let below = Condition::Levels { name: "temperature".into(), above: Vec::new(), below: vec![level] };
    let not = |of| Condition::Not { of: Box::new(of) };
    for (condition, celsius, count) in [
        (not(cold(2.0)), 6.0, None),
        (not(cold(2.0)), 8.0, Some(1)),
        (not(cold(0.0)), 6.0, Some(1)),
        (not(below.clone()), 6.0, None),
        (not(below.clone()), 8.0, Some(1)),
        (not(not(below)), 6.0, None),
        (not(not(cold(2.0))), 4.0, Some(1)),
        (cold(2.0), 6.0, None),
        (cold(2.0), 4.0, Some(1)),
    ] {
        let mut source = Watched::by([Rule { condition: condition.clone(), ..too_hot(0) }]);
        late(&mut source, 10, hot(celsius));
        let counted = source.state.late.get(RULE).map(|late| late.count);
        assert_eq!(counted, count, "{condition:?} at {celsius}");
    }
}

#[test]
fn the_newest_reading_that_comes_again_is_not_late_for_a_rule_that_was_made_meanwhile() {
    let mut source = Watched::by([]);
    comes(&mut source, 20, hot(35.0));
    source.rules.push(too_hot(0));
    comes(&mut source, 20, hot(35.0));
    assert!(source.state.late.is_empty());
}

#[test]
fn no_more_times_are_remembered_in_which_a_condition_held_than_are_of_use() {
    let mut source = Watched::by([too_hot(0)]);
    for time in 0..40 {
        source.sees(time * 10, hot(35.0));
        source.sees(time * 10 + 5, hot(20.0));
    }
    let held = &source.state.held;
    assert_eq!((held.len(), held[0].since, held[15].until), (16, seconds(240), seconds(395)));
}

#[test]
fn late_readings_end_nothing() {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(10, hot(35.0));
    assert_eq!(late(&mut source, 5, hot(20.0)), NOTHING);
    assert_eq!(late(&mut source, 500, hot(20.0)), NOTHING);
    assert_eq!(late(&mut source, 6, Fact::LinkSeen), NOTHING);
    assert_eq!(source.sees(11, hot(20.0)), [format!("-{RULE}")], "nor do they stand in its way");
}

#[test]
fn late_readings_outside_the_schedule_and_those_that_cannot_be_believed_are_nothing() {
    let hour = serde_json::json!({ "zone": "UTC", "hours": [{ "from": "01:00", "until": "02:00" }] });
    let mut source = Watched::by([Rule { schedule: Some(serde_json::from_value(hour).unwrap()), ..too_hot(0) }]);
    let before = source.state.clone();
    late(&mut source, 100, hot(35.0));
    late(&mut source, 3700, hot(f64::NAN));
    assert_eq!(source.state, before);
    late(&mut source, 3700, hot(35.0));
    assert_eq!(source.state.late.len(), 1);
    source.rules.clear();
    assert_eq!(source.sees(4000, hot(20.0)), NOTHING);
    assert_eq!(source.state.late.len(), 0, "the rule is gone");
}

#[test]
fn what_came_late_for_many_rules_is_summed_up_as_room_allows() {
    let names: Vec<String> = (0..75).map(|number| format!("bit {number}")).collect();
    let rules = names.iter().map(|name| {
        rule(&format!("state:{name}"), Condition::NotIn { name: name.clone(), normal: vec!["0".into()] }, 0)
    });
    let mut source = Watched::by(rules);
    let all = |number| values(names.iter().map(move |name| observed(name, Datum::Number(number), "", "")));
    late(&mut source, 1, all(1.0));
    let mut summed = 0;
    for second in 10..15 {
        let changes = source.changes(second, all(0.0));
        assert!(changes.len() <= MOST_CHANGES);
        summed += changes.len();
    }
    assert_eq!(summed, 75);
}

#[test]
fn a_reading_of_before_the_loss_that_comes_after_it_raises_what_it_shows() {
    let mut source = Watched::by([too_hot(0), silent(0)]);
    comes(&mut source, 10, hot(20.0));
    comes(&mut source, 13, parent_lost());
    assert_eq!(comes(&mut source, 12, hot(35.0)), [format!("+{RULE}")]);
}
