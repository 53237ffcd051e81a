use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    DeviceId, Need, Timestamp,
    alarm::{
        Change, ChangeKind, Comparison, Evidence, Fact, Level, Observed, Rule, RuleSet, Severity, SourceState, step,
    },
    reading::{Datum, Quality},
};

#[test]
fn what_can_never_be_said_of_a_target_is_refused_with_its_place() {
    let silence = Condition::NoData { after: Duration::from_secs(1) };
    let inside = |part: &Condition| Condition::Any {
        of: vec![Condition::NotIn { name: "state".to_owned(), normal: vec!["ONLINE".to_owned()] }, part.clone()],
    };
    for (part, known) in [
        (Condition::Lost, vec![Target::Terminal, Target::Node]),
        (Condition::Away, vec![Target::Platform]),
        (Condition::Missed { more_than: 1 }, vec![Target::Device]),
        (silence, vec![Target::Device, Target::Node, Target::Platform]),
    ] {
        for target in Target::ALL {
            assert_eq!(target.check(&part).is_ok(), known.contains(&target), "{target:?}: {part:?}");
            let checked = target.check(&Condition::Not { of: Box::new(inside(&part)) });
            let place = checked.err().map(|bad| bad.place);
            assert_eq!(place.is_none(), known.contains(&target));
            assert!(place.is_none_or(|place| place == "condition.of.of[1]"));
        }
    }
}

fn source(target: Target) -> Source {
    let mac = "AABBCCDDEE01".parse().unwrap();
    match target {
        Target::Device => Source::Device(DeviceId { mac, pid: 0 }),
        Target::Terminal => Source::Terminal(mac),
        Target::Node => Source::Node("n".to_owned()),
        Target::Platform => Source::Platform(Need { part: "p".to_owned(), needs: "queue".to_owned() }),
    }
}

/// A target, and one of its metrics.
fn metrics() -> impl Strategy<Value = (Target, &'static str)> {
    let all: Vec<_> = Target::ALL.iter().flat_map(|of| of.metrics().iter().map(|metric| (*of, metric.name))).collect();
    prop::sample::select(all)
}

fn leaf(name: &str, which: u8, to: f64) -> Condition {
    let name = name.to_owned();
    let signs = [
        Comparison::Greater,
        Comparison::AtLeast,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Equal,
        Comparison::Other,
    ];
    match which {
        0..6 => Condition::Compare { name, is: signs[usize::from(which)], to, deadband: 0.0 },
        6 => Condition::Outside { name, min: Some(to), max: None, deadband: 0.0 },
        7 => Condition::Between { name, min: to - 1.0, max: to + 1.0 },
        _ => {
            let below = vec![Level { limit: to, severity: Severity::Critical, deadband: 0.0 }];
            Condition::Levels { name, above: Vec::new(), below }
        }
    }
}

/// A condition of one value, or of that and of its opposite: one of them would hold if anything were known.
fn conditions(name: &'static str) -> impl Strategy<Value = Condition> {
    (0_u8..9, -100.0..100.0_f64, 0_u8..4).prop_map(move |(which, to, form)| {
        let leaf = leaf(name, which, to);
        let not = Condition::Not { of: Box::new(leaf.clone()) };
        match form {
            0 => leaf,
            1 => not,
            2 => Condition::Any { of: vec![leaf, not] },
            _ => Condition::All { of: vec![leaf] },
        }
    })
}

/// Something that is told under a name, of which nothing follows.
fn meaningless(name: &'static str) -> impl Strategy<Value = Observed> {
    let observed = move |name: &str, value: Datum, quality: Quality| Observed {
        name: name.to_owned(),
        display: value.text(),
        value,
        unit: String::new(),
        quality,
    };
    prop_oneof![
        prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(move |number| observed(
            name,
            Datum::Number(number),
            Quality::Good
        )),
        Just(observed(name, Datum::None, Quality::Good)),
        (-200.0..200.0_f64).prop_map(move |number| observed(name, Datum::Number(number), Quality::Bad)),
        (-200.0..200.0_f64).prop_map(move |number| observed("unheard of", Datum::Number(number), Quality::Good)),
    ]
}

fn told(target: Target, at: i64, values: Vec<Observed>) -> Evidence {
    let fact = if target == Target::Terminal { Fact::Known { values } } else { Fact::Values { values } };
    Evidence::new(at.to_string(), source(target), Timestamp(at), fact)
}

/// Steps with all of it, one after the other.
fn stepped(rules: &RuleSet, state: SourceState, evidence: &[Evidence]) -> (SourceState, Vec<Change>) {
    let mut changes = Vec::new();
    let state = evidence.iter().fold(state, |state, evidence| {
        let step = step(&state, rules, evidence, evidence.at);
        changes.extend(step.changes);
        step.state
    });
    (state, changes)
}

proptest! {
    #[test]
    fn what_means_nothing_never_raises_an_alarm_of_any_target_and_never_ends_one(
        (target, condition, nothing, number) in metrics().prop_flat_map(|(target, name)| {
            let nothing = prop::collection::vec(meaningless(name), 1..8);
            (Just(target), conditions(name), nothing, (-200.0..200.0_f64).prop_map(move |number| (name, number)))
        })
    ) {
        let rules = RuleSet::from_iter([Rule::new("r", condition, Severity::Warning)]);
        let at = |place: usize| 1000 + i64::try_from(place).unwrap();
        let facts: Vec<_> = nothing.into_iter().enumerate().map(|(place, one)| told(target, at(place), vec![one])).collect();
        prop_assert_eq!(stepped(&rules, SourceState::default(), &facts).1, vec![]);

        let (name, number) = number;
        let metric = target.metrics().iter().find(|metric| metric.name == name).unwrap();
        let (state, raised) = stepped(&rules, SourceState::default(), &[told(target, 1, vec![metric.number(number)])]);
        prop_assert!(raised.iter().all(|change| change.kind == ChangeKind::Raised));
        prop_assert_eq!(stepped(&rules, state, &facts).1, vec![], "nothing ends it");
    }

    #[test]
    fn what_is_known_of_a_source_from_elsewhere_is_no_sign_of_it(lost_at in 1_i64..100, number in -200.0..200.0_f64) {
        let rules = RuleSet::from_iter([Rule::new("offline", Condition::Lost, Severity::Critical)]);
        let lost = Fact::LinkLost { cause: "it left".to_owned(), grace: Duration::ZERO };
        let lost = Evidence { fact: lost, ..told(Target::Terminal, lost_at, Vec::new()) };
        let known = told(Target::Terminal, lost_at + 1, vec![crate::alarm::metric::SIGNAL.number(number)]);
        let (state, changes) = stepped(&rules, SourceState::default(), &[lost, known]);
        prop_assert_eq!(changes.len(), 1);
        prop_assert_eq!(state.conditions.len(), 1);
    }
}
