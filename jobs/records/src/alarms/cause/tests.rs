use std::time::Duration;

use domain::{
    DeviceId, Source,
    alarm::{ChangeKind, Comparison, Condition, Frame, Observed, Severity, SourceState, Step, step},
    reading::{Datum, Quality},
};
use serde_json::json;

use super::{began::MOST_REMEMBERED, *};
use crate::alarms::{Transition, Watch};

fn device() -> Source {
    Source::Device(DeviceId { mac: "AABBCCDDEE01".parse().unwrap(), pid: 1 })
}

fn value(name: &str, number: f64, unit: &str) -> Observed {
    let value = Datum::Number(number);
    Observed {
        name: name.to_owned(),
        value,
        display: number.to_string(),
        unit: unit.to_owned(),
        quality: Quality::Good,
    }
}

fn above(name: &str, to: f64) -> Rule {
    let condition = Condition::Compare { name: name.to_owned(), is: Comparison::Greater, to, deadband: 0.0 };
    Rule::new(format!("threshold:{name}"), condition, Severity::Warning)
}

fn said(second: i64, values: Vec<Observed>) -> Evidence {
    let evidence = Evidence::new(format!("said {second}"), device(), Timestamp(second * 1000), Fact::Values { values });
    evidence.read_from(Frames::of([Frame::new("010300000002c40b", &[1, 3, 4, 0, 0], None)]))
}

fn tick(second: i64) -> Evidence {
    Evidence::new(format!("tick {second}"), device(), Timestamp(second * 1000), Fact::Tick)
}

/// A source whose evidence is stepped as a worker does it, without the table.
#[derive(Default)]
struct Stepped {
    state: SourceState,
    began: Vec<CausingFact>,
}

impl Stepped {
    /// Why something changed; none where nothing did.
    fn hears(&mut self, rules: &RuleSet, evidence: &Evidence) -> Option<Cause> {
        let Step { state, changes, .. } = step(&self.state, rules, evidence, evidence.at);
        let grounds = Grounds { rules, evidence, newer: &[] };
        let cause = (!changes.is_empty()).then(|| Cause::of(grounds, &changes, &self.began));
        self.began = remembered(std::mem::take(&mut self.began), grounds, &state);
        self.state = state;
        cause
    }
}

fn bytes(what: &impl Serialize) -> usize {
    serde_json::to_vec(what).unwrap().len()
}

#[test]
fn a_cause_holds_what_its_rules_watch_and_nothing_else() {
    let rules = RuleSet::from_iter([above("temperature", 30.0), above("humidity", 80.0)]);
    let hot = said(1, vec![value("temperature", 35.0, "℃"), value("humidity", 60.0, "%"), value("run", 1.0, "")]);
    let cause = Stepped::default().hears(&rules, &hot).unwrap();
    let names: Vec<&str> = cause.facts[0].fact.values().iter().map(|value| value.name.as_str()).collect();
    assert_eq!((names, cause.facts[0].frames.kept.len()), (vec!["temperature"], 1));
    let ids: Vec<&str> = cause.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["threshold:temperature"]);
}

#[test]
fn what_somebody_made_has_its_version_and_what_is_common_a_fingerprint() {
    let made = Rule { id: "rule:1".to_owned(), version: Some(7), ..above("temperature", 30.0) };
    let rules = RuleSet::from_iter([above("temperature", 30.0), made]);
    let cause = Stepped::default().hears(&rules, &said(1, vec![value("temperature", 35.0, "℃")])).unwrap();
    let [made, common] = [&cause.rules[0], &cause.rules[1]];
    assert_eq!((made.version, made.fingerprint.as_deref()), (Some(7), None));
    assert_eq!((common.version, common.fingerprint.as_ref().map(String::len)), (None, Some(FINGERPRINT)));
    assert_eq!(common.definition.as_ref().unwrap()["condition"]["to"], 30.0);
    let other = CausingRule::of(&above("temperature", 31.0)).fingerprint;
    assert_ne!(common.fingerprint, other, "another limit is another writing");
}

#[test]
fn what_is_too_much_is_left_out_frames_first() {
    let long = "x".repeat(250);
    let name = |number: usize| format!("{long}{number}");
    let many = |count: usize| {
        let rules = (0..count).map(|number| above(&name(number), 1.0)).collect();
        let values = (0..count).map(|number| value(&name(number), 2.0, "")).collect();
        let frames = Frames::of((0..20).map(|_| Frame::new("QGS", &[0; 60], None)));
        Stepped::default().hears(&rules, &said(1, values).read_from(frames)).unwrap()
    };
    let (few, some, most) = (many(2), many(16), many(26));
    assert_eq!((few.facts[0].frames.kept.len(), few.facts[0].frames.left_out), (16, 4));
    assert!(few.rules.iter().all(|rule| rule.definition.is_some()));
    assert_eq!((some.facts[0].frames.kept.len(), some.facts[0].frames.left_out), (0, 20));
    assert_eq!((some.facts[0].fact.values().len(), some.facts[0].values_left_out), (16, 0));
    let defined = most.rules.iter().filter(|rule| rule.definition.is_some()).count();
    assert!(most.rules.len() == 26 && defined < 26, "{defined}");
    for cause in [few, some, most] {
        assert!(bytes(&cause) <= MOST_BYTES, "{}", bytes(&cause));
    }
}

#[test]
fn what_began_a_delay_is_remembered_until_it_is_over() {
    let rules = RuleSet::from_iter([above("temperature", 30.0).held_for(Duration::from_secs(10))]);
    let mut source = Stepped::default();
    assert_eq!(source.hears(&rules, &said(1, vec![value("temperature", 35.0, "℃")])), None);
    assert_eq!(source.hears(&rules, &said(5, vec![value("temperature", 36.0, "℃")])), None);
    assert_eq!(source.began.iter().map(|fact| fact.at).collect::<Vec<_>>(), [Timestamp(1000)], "the first");
    let cause = source.hears(&rules, &tick(11)).unwrap();
    assert_eq!(
        cause.facts.iter().map(|fact| (fact.fact.kind(), fact.began)).collect::<Vec<_>>(),
        [("values", true), ("tick", false)]
    );
    assert_eq!(source.began, []);
    source.hears(&rules, &said(12, vec![value("temperature", 20.0, "℃")])).unwrap();
    source.hears(&rules, &said(20, vec![value("temperature", 35.0, "℃")]));
    source.hears(&rules, &said(25, vec![value("temperature", 20.0, "℃")]));
    assert_eq!(source.began, [], "what came to nothing is forgotten");
}

#[test]
fn what_began_the_end_of_an_alarm_is_remembered_until_it_ends() {
    let off_delay = Duration::from_secs(10);
    let rules = RuleSet::from_iter([Rule { off_delay, ..above("temperature", 30.0) }]);
    let mut source = Stepped::default();
    source.hears(&rules, &said(1, vec![value("temperature", 35.0, "℃")])).unwrap();
    assert_eq!(source.hears(&rules, &said(5, vec![value("temperature", 20.0, "℃")])), None);
    assert_eq!(source.hears(&rules, &said(9, vec![value("temperature", 21.0, "℃")])), None);
    let cause = source.hears(&rules, &tick(15)).unwrap();
    let facts: Vec<_> = cause.facts.iter().map(|fact| (fact.at, fact.fact.kind(), fact.began)).collect();
    assert_eq!(facts, [(Timestamp(5000), "values", true), (Timestamp(15_000), "tick", false)]);
    assert_eq!(source.began, []);
}

#[test]
fn a_newer_reading_that_was_known_already_may_begin_a_delay() {
    let rules = RuleSet::from_iter([above("temperature", 30.0).held_for(Duration::from_secs(10))]);
    let (cool, hot) = (said(1, vec![value("temperature", 20.0, "℃")]), said(2, vec![value("temperature", 35.0, "℃")]));
    let state = step(&SourceState::default(), &rules, &hot, hot.at).state;
    let began =
        remembered(Vec::new(), Grounds { rules: &rules, evidence: &cool, newer: std::slice::from_ref(&hot) }, &state);
    assert_eq!(began.iter().map(|fact| fact.evidence.as_str()).collect::<Vec<_>>(), ["said 2"]);
}

#[test]
fn what_is_remembered_of_many_beginnings_is_bounded() {
    let name = |number: i64| format!("{number}{}", "x".repeat(250));
    let rules = (0..30).map(|number| above(&name(number), 1.0).held_for(Duration::from_hours(1))).collect();
    let mut source = Stepped::default();
    for number in 0..30 {
        source.hears(&rules, &said(number + 1, vec![value(&name(number), 2.0, "")]));
    }
    assert!(bytes(&source.began) <= MOST_REMEMBERED && source.began.len() > 3, "{}", bytes(&source.began));
    assert_eq!(source.began[0].at, Timestamp(1000), "the first stay");
}

#[test]
fn of_a_cause_only_what_is_about_one_alarm_is_shown() {
    let rules = RuleSet::from_iter([above("temperature", 30.0), above("humidity", 80.0)]);
    let both = said(1, vec![value("temperature", 35.0, "℃"), value("humidity", 90.0, "%")]);
    let stepped = step(&SourceState::default(), &rules, &both, both.at);
    let grounds = Grounds { rules: &rules, evidence: &both, newer: &[] };
    let mut changes = stepped.changes;
    let cause = Cause::of(grounds, &changes, &[]);
    assert_eq!(cause.rules.len(), 2);
    changes.retain(|change| change.rule == "threshold:humidity");
    let about = cause.about(&changes);
    let names: Vec<&str> = about.facts[0].fact.values().iter().map(|value| value.name.as_str()).collect();
    assert_eq!((names, about.rules.len()), (vec!["humidity"], 1));
    assert_eq!(about.rules[0].id, "threshold:humidity");
}

#[test]
fn what_was_stored_before_causes_were_kept_is_read() {
    let transition = json!({
        "id": "01JZZZZZZZZZZZZZZZZZZZZZZ1", "source": device(), "at": 5000,
        "changes": [{
            "alarm": "01JZZZZZZZZZZZZZZZZZZZZZZ2", "rule": "timeout", "severity": "critical", "kind": "raised", "at": 5000,
            "since": 5000, "detail": "11 queries in a row without an answer"
        }],
    });
    let read: Transition = serde_json::from_value(transition.clone()).unwrap();
    assert_eq!((read.cause.as_ref(), read.changes[0].kind), (None, ChangeKind::Raised));
    assert_eq!(serde_json::to_value(&read).unwrap(), transition, "and is written as it was");
    let watch: Watch = serde_json::from_value(json!({ "outbox": ["t1"] })).unwrap();
    assert_eq!((watch.began.len(), watch.outbox.len()), (0, 1));
    let evidence = json!({ "id": "e", "source": device(), "at": 1, "fact": { "kind": "tick" } });
    let read: Evidence = serde_json::from_value(evidence.clone()).unwrap();
    assert!(read.frames.is_empty());
    assert_eq!(serde_json::to_value(read).unwrap(), evidence);
}
