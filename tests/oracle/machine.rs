//! What the machine makes of a case.

use std::time::Duration;

use domain::{
    DeviceId, Source, Timestamp,
    alarm::{Condition, ConditionState, Evidence, Fact, Observed, Rule, RuleSet, Severity, SourceState, step},
    reading::{Datum, Quality},
};

use super::series::{Case, LOOK, SAMPLE};

/// Whether the alarm is active, look by look.
pub(super) fn active(case: &Case) -> Vec<bool> {
    let condition = Condition::Compare { name: "x".to_owned(), is: case.is, to: case.to, deadband: 0.0 };
    let rule = Rule {
        on_delay: Duration::from_secs(case.held_for),
        off_delay: Duration::from_secs(case.kept_for),
        ..Rule::new("r", condition, Severity::Warning)
    };
    rule.check().unwrap();
    let source = Source::Device(DeviceId { mac: "98D863CC870D".parse().unwrap(), pid: 1 });
    let rules = RuleSet::from_iter([rule]);
    let mut state = SourceState::default();
    let mut active = Vec::new();
    for (number, sample) in case.samples.iter().enumerate() {
        for look in 0..SAMPLE / LOOK {
            let second = i64::try_from(number).unwrap() * SAMPLE + look * LOOK;
            // Not at the epoch: an instant before it is none.
            let at = Timestamp((1_000_000 + second) * 1000);
            let fact = if look == 0 { Fact::Values { values: vec![observed(*sample)] } } else { Fact::Tick };
            let evidence = Evidence::new(second.to_string(), source.clone(), at, fact);
            state = step(&state, &rules, &evidence, at).state;
            active.push(matches!(state.conditions.get("r"), Some(ConditionState::Active(_))));
        }
    }
    active
}

fn observed(number: f64) -> Observed {
    let (name, unit, display) = ("x".to_owned(), String::new(), number.to_string());
    Observed { name, value: Datum::Number(number), display, unit, quality: Quality::Good }
}
