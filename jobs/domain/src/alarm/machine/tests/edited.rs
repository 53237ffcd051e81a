//! Rules that are written anew under the same name.

use super::*;
use crate::alarm::{Comparison, Figure, Level};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn of(name: &str, number: f64) -> Fact {
    values([observed(name, Datum::Number(number), &Datum::Number(number).text(), "")])
}

fn rate(name: &str, most: f64) -> Condition {
    Condition::Rate { name: name.into(), rising: Some(most), falling: None, per: MINUTE }
}

fn highest(name: &str, within: Duration, to: f64) -> Condition {
    Condition::Window { name: name.into(), figure: Figure::Max, within, is: Comparison::Greater, to }
}

fn above(name: &str, to: f64) -> Condition {
    Condition::Compare { name: name.into(), is: Comparison::Greater, to, deadband: 0.0 }
}

fn counted(of: Condition, at_least: u16) -> Condition {
    Condition::Count { of: Box::new(of), at_least, within: HOUR }
}

fn stuck(name: &str, after: Duration) -> Condition {
    Condition::Stuck { name: name.into(), after }
}

fn by(condition: Condition) -> Watched {
    Watched::by([rule("r", condition, 0)])
}

impl Watched {
    fn is_edited(&mut self, condition: Condition) {
        self.rules[0].condition = condition;
    }
}

#[test]
fn what_was_measured_of_one_value_says_nothing_of_another() {
    for (before, after) in [
        (rate("temperature", 50.0), rate("energy", 50.0)),
        (highest("temperature", HOUR, 90.0), highest("energy", HOUR, 60_000.0)),
        (stuck("temperature", MINUTE), stuck("energy", MINUTE)),
        (counted(above("temperature", 10.0), 3), counted(above("energy", 10.0), 3)),
    ] {
        let mut source = by(before.clone());
        source.sees(1, of("temperature", 51_234.0));
        source.sees(2, of("temperature", 51_234.0));
        source.is_edited(after.clone());
        source.state.conditions.clear();
        assert_eq!(source.sees(62, of("energy", 51_234.0)), NOTHING, "{after:?}");
    }
}

#[test]
fn a_window_of_another_length_is_another() {
    let mut source = by(highest("x", HOUR, 50.0));
    source.sees(1, of("x", 40.0));
    source.is_edited(highest("x", HOUR * 2, 30.0));
    assert_eq!(source.sees(2, of("x", 20.0)), NOTHING);
}

#[test]
fn another_limit_takes_nothing_from_what_was_measured() {
    for (before, after, raised) in [
        (rate("x", 1000.0), rate("x", 5.0), of("x", 18.0)),
        (highest("x", HOUR, 50.0), highest("x", HOUR, 8.0), of("x", 1.0)),
        (stuck("x", HOUR), stuck("x", MINUTE), of("x", 9.0)),
        (counted(above("x", 5.0), 3), counted(above("x", 5.0), 2), of("x", 9.0)),
    ] {
        let mut source = by(before);
        source.sees(1, of("x", 0.0));
        source.sees(2, of("x", 9.0));
        source.is_edited(after.clone());
        assert_eq!(source.sees(62, raised), ["+r"], "{after:?}");
    }
}

#[test]
fn what_was_known_by_other_limits_is_not_known_by_these() {
    let both = |x: f64| Condition::All { of: vec![above("x", x), above("y", 5.0)] };
    let mut source = by(both(5.0));
    source.sees(1, of("x", 9.0));
    source.is_edited(both(20.0));
    assert_eq!(source.sees(2, of("y", 9.0)), NOTHING);
    assert_eq!(source.sees(3, of("x", 21.0)), ["+r"]);
    // Nor from which side a value comes back.
    let levels = |limit| {
        let above = vec![Level { limit, severity: Severity::Warning, deadband: 5.0 }];
        Condition::Levels { name: "x".into(), above, below: vec![] }
    };
    let mut source = by(levels(30.0));
    source.sees(1, of("x", 31.0));
    source.is_edited(levels(32.0));
    assert_eq!(source.sees(2, of("x", 31.0)), ["-r"]);
}

#[test]
fn a_silence_is_as_long_as_the_rule_says_now() {
    let mut source = by(Condition::NoData { after: MINUTE });
    source.sees(10, of("x", 1.0));
    source.is_edited(Condition::NoData { after: MINUTE * 3 });
    assert_eq!(source.sees(70, Fact::Tick), NOTHING);
    assert_eq!(source.timer, Some(seconds(190)));
    source.is_edited(Condition::NoData { after: MINUTE * 2 });
    assert_eq!(source.sees(80, Fact::Tick), NOTHING);
    assert_eq!(source.timer, Some(seconds(130)));
    assert_eq!(source.changes(130, Fact::Tick).remove(0).detail, "no data for 2 min");
}

#[test]
fn a_rule_that_waits_for_no_silence_any_more_sets_no_timer() {
    let mut source = by(Condition::NoData { after: MINUTE });
    source.sees(10, of("x", 1.0));
    source.is_edited(above("x", 5.0));
    assert_eq!(source.sees(70, Fact::Tick), NOTHING);
    assert_eq!((source.timer, source.state.memories.len(), source.state.judged_by.len()), (None, 0, 0));
}

#[test]
fn what_waited_by_another_condition_is_not_raised() {
    let mut source = Watched::by([rule("r", above("temperature", 30.0), 60)]);
    source.sees(1, of("temperature", 35.0));
    source.is_edited(above("energy", 30.0));
    assert_eq!(source.sees(61, Fact::Tick), NOTHING);
    assert_eq!((source.timer, source.state.conditions.len()), (None, 0));
}

#[test]
fn an_alarm_stands_with_all_that_is_known_of_it_until_it_is_judged_anew() {
    let mut source = by(above("temperature", 30.0));
    source.sees(1, of("temperature", 35.0));
    let alarm = source.alarm("r").alarm;
    source.does(2, Deed::Acknowledge { alarm: alarm.clone(), until: None, void_up_to: None });
    source.is_edited(above("humidity", 60.0));
    for fact in [Fact::Tick, of("temperature", 10.0), of("humidity", 70.0)] {
        assert_eq!(source.sees(10, fact), NOTHING);
        source.state.newest.clear();
    }
    let active = source.alarm("r");
    assert_eq!((active.alarm, active.acknowledged.is_some(), source.state.lives["r"].occurrences), (alarm, true, 1));
    assert_eq!(source.sees(20, of("humidity", 50.0)), ["-r"]);
}

#[test]
fn what_was_seen_to_be_normal_by_another_condition_ends_nothing() {
    let off_delay = MINUTE;
    let mut source = Watched::by([Rule { off_delay, ..rule("r", above("x", 30.0), 0) }]);
    source.sees(1, of("x", 35.0));
    source.sees(10, of("x", 20.0));
    source.is_edited(above("x", 25.0));
    assert_eq!(source.sees(75, of("x", 20.0)), NOTHING, "it is normal since now");
    assert_eq!(source.sees(135, of("x", 20.0)), ["-r"]);
}

#[test]
fn what_is_remembered_from_before_that_was_written_down_is_taken_for_the_rules_own() {
    let mut source = by(rate("x", 50.0));
    source.sees(1, of("x", 0.0));
    let mut stored = serde_json::to_value(&source.state).unwrap();
    stored.as_object_mut().unwrap().remove("judged_by").unwrap();
    stored["memories"]["r"][""].as_object_mut().unwrap().remove("of").unwrap();
    source.state = serde_json::from_value(stored).unwrap();
    assert_eq!(source.sees(61, of("x", 90.0)), ["+r"]);
    assert_eq!(source.state.judged_by.len(), 1);
}

#[test]
fn a_fact_that_takes_several_steps_forgets_once() {
    let rules = |name: &str| {
        let bits = (1..=75).map(|bit| {
            let condition = Condition::NotIn { name: format!("bit {bit}"), normal: vec!["0".into()] };
            rule(&format!("state:{bit}"), condition, 0)
        });
        [rule("r", above(name, 30.0), 10)].into_iter().chain(bits).collect::<Vec<_>>()
    };
    let mut source = Watched::by(rules("x"));
    source.sees(1, of("x", 35.0));
    source.rules = rules("y");
    let mut all = vec![observed("y", Datum::Number(35.0), "35", "")];
    all.extend((1..=75).map(|bit| observed(&format!("bit {bit}"), Datum::Number(1.0), "", "")));
    let evidence = Evidence::new("e", device(), seconds(8), values(all));
    let mut told = 0;
    loop {
        let step = step(&source.state, &source.set(), &evidence, seconds(8));
        (source.state, told) = (step.state, told + step.changes.len());
        if step.is_whole {
            break;
        }
    }
    assert_eq!((told, source.state.timer()), (75, Some(seconds(18))));
}

#[test]
fn an_alarm_matters_as_much_as_its_rule_says_by_now_whatever_is_heard_next() {
    for next in [hot(36.0), Fact::Known { values: vec![] }, Fact::Tick, Fact::Missed { count: 1 }] {
        let mut source = Watched::by([too_hot(0)]);
        source.sees(1, hot(35.0));
        source.rules[0].severity = Severity::Critical;
        let change = source.changes(2, next.clone()).remove(0);
        assert_eq!((change.kind, change.severity), (ChangeKind::SeverityChanged, Severity::Critical), "{next:?}");
        assert!(change.is_told() && change.detail.ends_with("limits 10 ~ 30"), "{change:?}");
        assert_eq!(source.sees(3, hot(35.0)), NOTHING);
        assert_eq!(source.changes(4, hot(20.0))[0].severity, Severity::Critical, "and so does its end");
    }
}

#[test]
fn an_alarm_whose_condition_says_how_much_it_matters_goes_by_that() {
    let level = Level { limit: 30.0, severity: Severity::Critical, deadband: 0.0 };
    let levels = Condition::Levels { name: "temperature".into(), above: vec![level], below: vec![] };
    let mut source = Watched::by([Rule { condition: levels, severity: Severity::Info, ..too_hot(0) }]);
    source.sees(1, hot(35.0));
    assert_eq!(source.sees(2, Fact::Tick), NOTHING);
    assert_eq!(source.sees(3, hot(35.0)), NOTHING);
}

#[test]
fn what_was_only_tried_out_and_stands_is_told_as_raised_once_when_it_is_so_no_longer() {
    let mut source = Watched::by([Rule { shadow: true, ..too_hot(0) }]);
    source.sees(1, hot(35.0));
    let alarm = source.alarm("threshold:temperature").alarm;
    source.rules[0].shadow = false;
    source.rules[0].severity = Severity::Critical;
    let changes = source.changes(2, Fact::Tick);
    let [before, told] = &changes[..] else { panic!("{changes:?}") };
    let recorded = (ChangeKind::SeverityChanged, Severity::Critical, false);
    assert_eq!(
        (before.kind, before.severity, before.is_told()),
        recorded,
        "the record says how much it came to matter"
    );
    assert_eq!((told.kind, told.severity, told.is_told()), (ChangeKind::Raised, Severity::Critical, true));
    assert_eq!((&told.alarm, told.since, told.at, told.count), (&alarm, seconds(1), seconds(2), Some(1)));
    assert_eq!(source.sees(3, hot(35.0)), NOTHING);
    let ended = source.changes(4, hot(20.0)).remove(0);
    assert!(ended.is_told() && ended.alarm == alarm);
}

#[test]
fn what_people_say_of_how_much_it_matters_is_not_what_comes_and_goes() {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(1, hot(35.0));
    for second in 2..20 {
        source.rules[0].severity = [Severity::Critical, Severity::Warning][usize::from(second % 2 == 0)];
        source.sees(second, hot(35.0));
    }
    assert_eq!(source.state.lives["threshold:temperature"].flap, None);
}

#[test]
fn what_was_only_tried_out_and_is_over_by_the_next_evidence_is_told_to_nobody() {
    let mut source = Watched::by([Rule { shadow: true, ..too_hot(0) }]);
    source.sees(1, hot(35.0));
    source.rules[0].shadow = false;
    let ended = source.changes(2, hot(20.0)).remove(0);
    assert!(ended.kind == ChangeKind::Cleared && !ended.is_told());
}

#[test]
fn what_people_know_of_is_told_to_its_end_though_its_rule_is_only_tried_out_by_then() {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(1, hot(35.0));
    source.rules[0].shadow = true;
    assert_eq!(source.sees(2, hot(36.0)), NOTHING);
    assert!(source.changes(3, hot(20.0))[0].is_told());
    assert!(!source.changes(4, hot(35.0))[0].is_told());
}

#[test]
fn what_is_not_known_at_present_matters_otherwise_when_it_is_again() {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(1, hot(35.0));
    source.sees(2, parent_lost());
    source.rules[0].severity = Severity::Critical;
    assert_eq!(source.sees(3, Fact::Tick), NOTHING);
    assert_eq!(source.sees(4, Fact::LinkSeen), ["threshold:temperature critical"]);
}
