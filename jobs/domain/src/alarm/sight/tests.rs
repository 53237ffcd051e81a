use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    Source, Timestamp,
    alarm::{Comparison, Condition, Evidence, Fact, Level, Observed, Rule, RuleSet, Severity, SourceState, step},
    reading::{Datum, Quality},
};

const START: Timestamp = Timestamp(1_795_424_466_000);

fn seen(name: &str, number: f64, unit: &str) -> Fact {
    let value = Datum::Number(number);
    let (name, display, unit) = (name.to_owned(), value.text(), unit.to_owned());
    Fact::Values { values: vec![Observed { name, value, display, unit, quality: Quality::Good }] }
}

/// The details of what these facts, a minute apart, did to this condition.
fn details(condition: Condition, facts: impl IntoIterator<Item = Fact>) -> Vec<String> {
    let rules = RuleSet::from_iter([Rule::new("r", condition, Severity::Warning)]);
    let mut state = SourceState::default();
    let mut told = Vec::new();
    for (minute, fact) in (0u64..).zip(facts) {
        let at = START.plus(Duration::from_mins(minute));
        let source = Source::Node("n".to_owned());
        let stepped = step(&state, &rules, &Evidence::new(minute.to_string(), source, at, fact), at);
        told.extend(stepped.changes.into_iter().map(|change| change.detail));
        state = stepped.state;
    }
    told
}

fn named(name: &str) -> String {
    name.to_owned()
}

fn outside(name: &str, min: Option<f64>, max: Option<f64>) -> Condition {
    Condition::Outside { name: named(name), min, max, deadband: 0.0 }
}

#[test]
fn every_sentence_that_conditions_make_is_read() {
    let level = |limit| Level { limit, severity: Severity::Critical, deadband: 0.0 };
    let compare = Condition::Compare { name: named("t"), is: Comparison::Greater, to: 30.0, deadband: 0.0 };
    let conditions = [
        outside("t", Some(10.0), Some(30.0)),
        outside("t", None, Some(30.0)),
        Condition::Between { name: named("t"), min: 31.0, max: 50.0 },
        compare.clone(),
        Condition::Levels { name: named("t"), above: vec![level(30.0)], below: vec![] },
        Condition::In { name: named("t"), states: vec!["40".to_owned(), "41".to_owned()] },
        Condition::NotIn { name: named("t"), normal: vec!["20".to_owned()] },
        Condition::Bit { name: named("t"), bit: 3, normal: false },
        Condition::Count { of: Box::new(compare.clone()), at_least: 1, within: Duration::from_mins(10) },
        Condition::Stuck { name: named("t"), after: Duration::from_mins(1) },
        Condition::Any { of: vec![compare.clone(), outside("t", None, Some(35.0))] },
        Condition::All { of: vec![compare, outside("t", None, Some(35.0))] },
    ];
    for condition in conditions {
        let told = details(condition.clone(), [40.0, 40.0, 20.0].map(|value| seen("t", value, "℃")));
        assert!(!told.is_empty(), "{condition:?} says nothing");
        for detail in told {
            let sights = Sight::read(&detail);
            assert!(!sights.iter().any(|sight| matches!(sight, Sight::Other { .. })), "{detail}: {sights:?}");
        }
    }
}

#[test]
fn silence_and_its_end_are_read() {
    let told = details(Condition::Missed { more_than: 10 }, [Fact::Missed { count: 11 }, seen("t", 1.0, "")]);
    assert_eq!(Sight::read(&told[0]), [Sight::Missed { count: 11 }]);
    assert_eq!(Sight::read(&told[1]), [Sight::Answers]);
    let lost = Fact::LinkLost { cause: "said, so".to_owned(), grace: Duration::ZERO };
    let told = details(Condition::Lost, [lost, Fact::LinkSeen]);
    assert_eq!(Sight::read(&told[0]), [Sight::Lost { cause: "said, so".to_owned() }]);
    assert_eq!(Sight::read(&told[1]), [Sight::Seen]);
    assert_eq!(Sight::read("no data for 90 s"), [Sight::NoData { after: 90_000 }]);
    assert_eq!(Sight::read("the rule was removed"), [Sight::RuleRemoved]);
}

#[test]
fn a_value_is_read_with_what_it_was_held_against() {
    let told = details(outside("室温", Some(10.0), Some(30.0)), [seen("室温", 35.2, "℃")]);
    let sights = Sight::read(&told[0]);
    let against = Against::Limits { range: "10 ~ 30".to_owned() };
    assert_eq!(sights, [Sight::Value { what: "室温 35.2 ℃".to_owned(), against }]);
    assert_eq!(sights[0].limits(), [10.0, 30.0]);
    for (detail, limits) in
        [("t 5, at most 3", vec![3.0]), ("t 5, alarm if > 3.5", vec![3.5]), ("s 2, not 2 or 3", vec![])]
    {
        assert_eq!(Sight::read(detail)[0].limits(), limits, "{detail}");
    }
}

#[test]
fn what_is_none_of_them_stays_as_it_is() {
    for words in
        ["", ",", " and ", "the queue does not answer", "t 5, perhaps", "a times within b: c", "no data for ever"]
    {
        assert_eq!(Sight::read(words), [Sight::Other { words: words.to_owned() }]);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_as_something(text in "\\PC{0,80}") {
        prop_assert!(!Sight::read(&text).is_empty());
    }
}
