use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    Source, Timestamp,
    alarm::{
        Comparison, Condition, Evidence, Fact, Figure, Level, Observed, Rule, RuleSet, Severity, SourceState, step,
    },
    reading::{Datum, Quality},
};

const START: Timestamp = Timestamp(1_795_424_466_000);
const TEN_MINUTES: Duration = Duration::from_mins(10);

/// Whether somebody else's words are left in it.
fn is_other(sight: &Sight) -> bool {
    let is_said = |why: &Why| matches!(why, Why::Said { .. });
    match sight {
        Sight::Other { .. } => true,
        Sight::Times { of, .. } => of.iter().any(is_other),
        Sight::Value { what, .. } => what.contains(", "),
        Sight::Away { channel: false, why, .. } => why.iter().any(is_said),
        _ => false,
    }
}

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
    let count = || Condition::Count { of: Box::new(compare.clone()), at_least: 1, within: TEN_MINUTES };
    let conditions = [
        outside("t", Some(10.0), Some(30.0)),
        outside("t", None, Some(30.0)),
        Condition::Between { name: named("t"), min: 31.0, max: 50.0 },
        compare.clone(),
        Condition::Levels { name: named("t"), above: vec![level(30.0)], below: vec![] },
        Condition::In { name: named("t"), states: vec!["40".to_owned(), "41".to_owned()] },
        Condition::NotIn { name: named("t"), normal: vec!["20".to_owned()] },
        Condition::Bit { name: named("t"), bit: 3, normal: false },
        count(),
        Condition::Stuck { name: named("t"), after: Duration::from_mins(1) },
        Condition::Any { of: vec![compare.clone(), outside("t", None, Some(35.0))] },
        Condition::All { of: vec![compare.clone(), outside("t", None, Some(35.0))] },
        Condition::Not { of: Box::new(outside("t", None, Some(50.0))) },
        Condition::Rate { name: named("t"), rising: Some(-100.0), falling: None, per: Duration::from_mins(1) },
        Condition::Window {
            name: named("t"),
            figure: Figure::Max,
            within: TEN_MINUTES,
            is: Comparison::Greater,
            to: 3.0,
        },
        Condition::Any { of: vec![outside("u", None, Some(1.0)), outside("t", None, Some(35.0)), count()] },
        Condition::All { of: vec![count(), compare] },
    ];
    for condition in conditions {
        let told = details(condition.clone(), [40.0, 40.0, 20.0].map(|value| seen("t", value, "℃")));
        assert!(!told.is_empty(), "{condition:?} says nothing");
        for detail in told {
            let sights = Sight::read(&detail);
            assert!(!sights.iter().any(is_other), "{detail}: {sights:?}");
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
    assert_eq!(sights, [Sight::Value { what: "室温 35.2 ℃".to_owned(), over: None, against }]);
    assert_eq!(sights[0].limits(), [10.0, 30.0]);
    for (detail, limits) in
        [("t 5, at most 3", vec![3.0]), ("t 5, alarm if > 3.5", vec![3.5]), ("s 2, not 2 or 3", vec![])]
    {
        assert_eq!(Sight::read(detail)[0].limits(), limits, "{detail}");
    }
}

#[test]
fn a_figure_over_some_time_a_speed_and_a_bit_are_read_apart() {
    let against = Against::When { what: "> 3".to_owned() };
    let over = Some(600_000);
    assert_eq!(
        Sight::read("t over 10 min 5 ℃, alarm if > 3"),
        [Sight::Value { what: "t 5 ℃".to_owned(), over, against }]
    );
    let what = "t +5.000 ℃".to_owned();
    assert_eq!(Sight::read("t +5.000 ℃ in 1 min"), [Sight::Rate { what, per: 60_000 }]);
    let bit = Sight::Bit { name: "flags".to_owned(), bit: 3, on: true, normal: false };
    assert_eq!(Sight::read("flags bit 3 on, normal off"), [bit]);
    assert_eq!(Sight::read("t 5, no limits").len(), 1);
}

#[test]
fn each_of_several_sentences_is_read_whatever_the_others_hold() {
    for (detail, count) in [
        ("link lost: its connection to us is gone and t 35, at most 3", 2),
        ("link lost: its node reboots it, since nothing on its line answers and no data for 10 min", 2),
        ("t 35, at most 3, 3 times within 10 min: u 9, alarm if > 8", 2),
        ("mode a, b, not a, b or c, data again", 2),
        ("raised 6 times since 2026-11-23T09:01:06.000Z, now calm: it is over", 1),
        ("the word of ann held until now, it stood when it was last seen", 2),
        ("raised or changed 6 times since 2026-11-23T09:01:06.000Z, now calm: it stands", 1),
    ] {
        let sights = Sight::read(detail);
        let is_whole = |sight: &Sight| !matches!(sight, Sight::Other { .. });
        assert!(sights.len() == count && sights.iter().all(is_whole), "{detail}: {sights:?}");
    }
}

#[test]
fn a_detail_of_however_many_sentences_is_read_in_no_time() {
    let long = |of: &str| vec![of; 99].join(", ");
    assert_eq!(Sight::read(&long("t 5, at most 3")).len(), 99);
    assert_eq!(Sight::read(&long("t 5, perhaps")).len(), 1);
    assert_eq!(Sight::read(&vec!["data again"; 1000].join(" and ")).len(), 1);
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
