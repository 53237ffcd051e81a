//! How often, how long, how many at once.

use super::*;
use crate::alarm::Aspect;

const RULE: &str = "threshold:temperature";

/// An hour longer than a rule may take.
const LONG: Duration = Duration::from_hours(24 * 31 + 1);

/// As long as it may.
const LONGEST: Duration = Duration::from_hours(24 * 31);

/// A source on which 75 states are wrong at once.
fn many(change: impl Fn(Rule) -> Rule) -> (Watched, Vec<String>) {
    let names: Vec<String> = (1..=75).map(|bit| format!("bit {bit}")).collect();
    let rules = names
        .iter()
        .map(|name| change(rule(name, Condition::NotIn { name: name.clone(), normal: vec!["0".into()] }, 0)));
    let mut source = Watched::by(rules);
    for (second, name) in (1..).zip(&names) {
        source.sees(second, values([observed(name, Datum::Number(1.0), "", "")]));
    }
    (source, names)
}

/// All that a fact brings, in as many steps as it takes.
fn in_steps(source: &mut Watched, second: i64, fact: Fact) -> Vec<Change> {
    let evidence = Evidence::new(format!("steps {second}"), device(), seconds(second), fact);
    let mut changes = Vec::new();
    for _ in 0..20 {
        let step = step(&source.state, &source.set(), &evidence, seconds(second));
        assert!(step.changes.len() <= MOST_CHANGES);
        (source.state, source.timer) = (step.state, step.timer);
        changes.extend(step.changes);
        if step.is_whole {
            return changes;
        }
    }
    panic!("it takes ever more steps");
}

#[test]
fn a_life_says_how_often_and_when_a_rule_was_raised() {
    let mut source = Watched::by([too_hot(0)]);
    for (second, count) in [(10, 1), (30, 2), (50, 3)] {
        assert_eq!(source.changes(second, hot(35.0))[0].count, Some(count));
        source.sees(second + 10, hot(20.0));
    }
    let life = &source.state.lives[RULE];
    assert_eq!((life.occurrences, life.first, life.last), (3, seconds(10), seconds(50)));
    assert_eq!((life.stands, life.lasted_ms, life.told), (false, Some(10_000), None));
    source.rules.clear();
    source.sees(90, hot(20.0));
    assert!(source.state.lives.is_empty(), "of a rule that is gone nothing is kept");
}

#[test]
fn a_life_is_kept_as_long_as_its_alarm_stands() {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(1, hot(35.0));
    source.rules.clear();
    source.sees(2, Fact::Tick);
    assert_eq!(source.state.lives.len(), 1);
}

#[test]
fn many_words_that_end_at_once_end_in_several_steps() {
    let (mut source, names) = many(|rule| Rule { acknowledged_for: Duration::from_mins(1), ..rule });
    for name in &names {
        let alarm = source.alarm(name).alarm;
        source.does(100, Deed::Acknowledge { alarm, until: Some(seconds(500)), void_up_to: None });
        source.state.newest.remove(&Aspect::Acts);
    }
    let expired = in_steps(&mut source, 600, values([]));
    assert_eq!(expired.len(), 75);
    assert!(
        expired.iter().all(|change| change.kind == ChangeKind::AcknowledgementExpired && change.at == seconds(500))
    );
    assert_eq!(source.timer, None);
}

#[test]
fn many_rules_that_are_back_in_service_at_once_are_so_in_several_steps() {
    let (mut source, names) = many(|rule| rule);
    for name in &names {
        source.does(100, Deed::TakeOut { rule: Some(name.clone()), until: Some(seconds(500)) });
        source.state.newest.remove(&Aspect::Acts);
    }
    let back = in_steps(&mut source, 600, Fact::Tick);
    assert_eq!(back.iter().filter(|change| change.is_told()).count(), 75);
    assert_eq!(back.len(), 150);
    assert!(source.state.out_of_service.is_empty());
}

#[test]
fn many_alarms_whose_rules_are_gone_end_in_several_steps() {
    let (mut source, _) = many(|rule| rule);
    source.rules.clear();
    let ended = in_steps(&mut source, 100, values([]));
    assert_eq!(ended.len(), 75);
    assert!(source.state.conditions.is_empty() && source.state.lives.is_empty());
}

#[test]
fn an_alarm_whose_source_is_gone_ends_for_the_record() {
    let mut source = Watched::by([Rule { latched: true, ..too_hot(0) }]);
    source.sees(1, hot(35.0));
    let ended = source.alarm(RULE).removed(RULE, seconds(9), "removed");
    assert_eq!((ended.kind, ended.untold, ended.lasted_ms), (ChangeKind::Cleared, Some(Untold::Record), Some(8000)));
    assert_eq!((ended.detail.as_str(), ended.rule.as_str(), ended.at), ("removed", RULE, seconds(9)));
    source.sees(5, hot(20.0));
    assert_eq!(source.alarm(RULE).removed(RULE, seconds(9), "removed").lasted_ms, Some(4000));
}

#[test]
fn an_alarm_is_found_by_its_id() {
    let mut source = Watched::by([too_hot(0), running()]);
    source.sees(1, hot(35.0));
    source.sees(2, run(0.0, ""));
    let (temperature, state) = (source.alarm(RULE), source.alarm("state:run"));
    assert_eq!(source.state.alarm(&state.alarm), Some((&"state:run".to_owned(), &state)));
    assert_eq!(source.state.alarm(&temperature.alarm), Some((&RULE.to_owned(), &temperature)));
    assert_eq!(source.state.alarm("none"), None);
}

#[test]
fn a_raise_at_the_end_of_the_time_counts_no_more() {
    let (within, calm) = (Duration::from_mins(1), Duration::from_mins(1));
    let flaps = |last: i64| {
        let mut source = Watched::by([Rule { flapping: Some(Flapping { more_than: 2, within, calm }), ..too_hot(0) }]);
        for second in [100, 120, last] {
            source.sees(second, hot(35.0));
            source.sees(second + 1, hot(20.0));
        }
        source.state.lives[RULE].flap.is_some()
    };
    assert!(flaps(159));
    assert!(!flaps(160));
}

#[test]
fn a_rule_of_times_that_are_too_long_is_refused_with_the_place() {
    let wrong = |change: fn(&mut Rule)| {
        let mut rule = too_hot(0);
        change(&mut rule);
        rule.check().map_err(|bad| bad.place).err()
    };
    let place = |place: &str| Some(place.to_owned());
    assert_eq!(wrong(|rule| rule.acknowledged_for = LONG), place("acknowledged_for_ms"));
    assert_eq!(wrong(|rule| rule.most_shelved = LONG), place("most_shelved_ms"));
    assert_eq!(wrong(|rule| rule.most_shelved = LONGEST), None);
    assert_eq!(wrong(|rule| rule.flapping = Some(Flapping::default())), None);
    assert_eq!(
        wrong(|rule| rule.flapping = Some(Flapping { more_than: 101, ..Flapping::default() })),
        place("flapping.more_than")
    );
    assert_eq!(wrong(|rule| rule.flapping = Some(Flapping { more_than: 100, ..Flapping::default() })), None);
    assert_eq!(
        wrong(|rule| rule.flapping = Some(Flapping { within: Duration::ZERO, ..Flapping::default() })),
        place("flapping.within_ms")
    );
    assert_eq!(
        wrong(|rule| rule.flapping = Some(Flapping { calm: LONG, ..Flapping::default() })),
        place("flapping.calm_ms")
    );
    assert_eq!(wrong(|rule| rule.flapping = Some(Flapping { calm: LONGEST, ..Flapping::default() })), None);
    let never = Flapping { more_than: 0, within: Duration::ZERO, ..Flapping::default() };
    assert_eq!(Rule { flapping: Some(never), ..too_hot(0) }.check(), Ok(()), "it is never damped");
}

#[test]
fn a_rule_is_read_as_it_is_written() {
    let flapping = Flapping { more_than: 3, within: Duration::from_mins(2), calm: Duration::from_mins(1) };
    let rule = Rule {
        latched: true,
        acknowledged_for: Duration::from_secs(30),
        most_shelved: Duration::from_mins(1),
        flapping: Some(flapping),
        ..too_hot(0)
    };
    let written = serde_json::to_value(&rule).unwrap();
    assert_eq!(written["flapping"], serde_json::json!({ "more_than": 3, "within_ms": 120_000, "calm_ms": 60_000 }));
    assert_eq!((&written["acknowledged_for_ms"], &written["most_shelved_ms"]), (&30_000.into(), &60_000.into()));
    assert_eq!(serde_json::from_value::<Rule>(written).unwrap(), rule);
    let plain = serde_json::to_value(too_hot(0)).unwrap();
    assert!(
        ["latched", "flapping", "acknowledged_for_ms", "most_shelved_ms"].iter().all(|key| plain.get(*key).is_none())
    );
}
