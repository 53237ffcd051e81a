use std::time::Duration;

use ulid::Ulid;

use super::*;
use crate::{
    DeviceId,
    alarm::{
        Act, Active, ChangeKind, Condition, ConditionState, Deed, Flapping, Observed, Quiet, Rule, Severity, Untold,
    },
    reading::{Datum, Quality},
};

mod acts;
mod acts_at_random;
mod bounds;
mod conditions;
mod counts;
mod delays;
mod edited;
mod endings;
mod flapping;
mod gaps;
mod latched;
mod late;
mod links;
mod lives;
mod order;
mod properties;
mod removed;
mod unknown;

fn device() -> Source {
    Source::Device(DeviceId { mac: "98D863CC870D".parse().unwrap(), pid: 1 })
}

fn terminal() -> Source {
    Source::Terminal("98D863CC870D".parse().unwrap())
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1000)
}

fn rule(id: &str, condition: Condition, delay: u64) -> Rule {
    Rule::new(id, condition, Severity::Warning).held_for(Duration::from_secs(delay))
}

/// A temperature from 10 to 30, normal again from 11 to 29.
fn too_hot(delay: u64) -> Rule {
    let (name, min, max) = ("temperature".to_owned(), Some(10.0), Some(30.0));
    rule("threshold:temperature", Condition::Outside { name, min, max, deadband: 1.0 }, delay)
}

fn running() -> Rule {
    rule("state:run", Condition::NotIn { name: "run".into(), normal: vec!["1".into(), "2".into()] }, 0)
}

fn silent(delay: u64) -> Rule {
    rule("timeout", Condition::Missed { more_than: 10 }, delay)
}

fn offline(delay: u64) -> Rule {
    rule("offline", Condition::Lost, delay)
}

fn observed(name: &str, value: Datum, display: &str, unit: &str) -> Observed {
    Observed { name: name.into(), value, display: display.into(), unit: unit.into(), quality: Quality::Good }
}

fn degrees(number: f64) -> Observed {
    observed("temperature", Datum::Number(number), &Datum::Number(number).text(), "℃")
}

fn values(values: impl IntoIterator<Item = Observed>) -> Fact {
    Fact::Values { values: values.into_iter().collect() }
}

fn hot(number: f64) -> Fact {
    values([degrees(number)])
}

fn run(number: f64, word: &str) -> Fact {
    values([observed("run", Datum::Number(number), word, "")])
}

fn parent_lost() -> Fact {
    Fact::ParentLost { parent: terminal() }
}

fn link_lost() -> Fact {
    Fact::LinkLost { cause: "terminalOff".into(), grace: Duration::ZERO }
}

/// A source with its rules, told one fact after another.
struct Watched {
    rules: Vec<Rule>,
    state: SourceState,
    timer: Option<Timestamp>,
}

impl Watched {
    fn by(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { rules: rules.into_iter().collect(), state: SourceState::default(), timer: None }
    }

    fn set(&self) -> RuleSet {
        self.rules.iter().cloned().collect()
    }

    /// Tells a fact of this second, in this second; says what changed: `+rule` raised, `-rule` cleared, `rule severity`.
    fn sees(&mut self, second: i64, fact: Fact) -> Vec<String> {
        self.changes(second, fact).iter().map(shown).collect()
    }

    /// Somebody does something, of which the machine learns without the rules.
    fn does(&mut self, second: i64, deed: Deed) -> Vec<String> {
        self.acts(second, deed).iter().map(shown).collect()
    }

    fn acts(&mut self, second: i64, deed: Deed) -> Vec<Change> {
        let act = Act { by: "ann".into(), why: Some("on my way".into()), deed };
        let evidence = Evidence::new(format!("act {second}"), device(), seconds(second), Fact::Acted { act });
        let step = step(&self.state, &RuleSet::default(), &evidence, seconds(second));
        (self.state, self.timer) = (step.state, step.timer);
        step.changes
    }

    /// The alarm of a rule that stands.
    fn alarm(&self, rule: &str) -> Active {
        self.state.conditions[rule].active().unwrap().clone()
    }

    fn changes(&mut self, second: i64, fact: Fact) -> Vec<Change> {
        let id = format!("evidence {second}");
        let evidence = Evidence::new(id, device(), seconds(second), fact);
        let step = step(&self.state, &self.set(), &evidence, seconds(second));
        (self.state, self.timer) = (step.state, step.timer);
        step.changes
    }
}

/// `+rule` raised, `-rule` cleared, `rule severity`, else `rule what`; in brackets what nobody is told.
fn shown(change: &Change) -> String {
    let what = match change.kind {
        ChangeKind::Raised => format!("+{}", change.rule),
        ChangeKind::SeverityChanged => format!("{} {}", change.rule, change.severity),
        ChangeKind::Cleared => format!("-{}", change.rule),
        other => {
            let kind = serde_json::to_value(other).unwrap();
            format!("{} {}", change.rule, kind.as_str().unwrap())
        }
    };
    if change.untold.is_none() { what } else { format!("({what})") }
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_value_outside_its_limits_raises_and_only_well_inside_them_clears() {
    let mut source = Watched::by([too_hot(0)]);
    for (second, temperature, changes) in [
        (1, 30.0, &[][..]),
        (2, 30.1, &["+threshold:temperature"]),
        (3, 35.0, &[]),
        (4, 29.1, &[]),
        (5, 30.1, &[]),
        (6, 29.0, &["-threshold:temperature"]),
        (7, 10.0, &[]),
        (8, 9.9, &["+threshold:temperature"]),
        (9, 10.9, &[]),
        (10, 11.0, &["-threshold:temperature"]),
        (11, 29.5, &[]),
    ] {
        assert_eq!(source.sees(second, hot(temperature)), changes, "{temperature} ℃");
    }
    assert!(source.state.conditions.is_empty());
}

#[test]
fn a_change_says_what_was_seen_and_when() {
    let mut source = Watched::by([too_hot(0), running()]);
    let raised = source.changes(1, hot(35.2)).remove(0);
    assert_eq!(raised.detail, "temperature 35.2 ℃, limits 10 ~ 30");
    assert_eq!((raised.at, raised.since, raised.severity), (seconds(1), seconds(1), Severity::Warning));
    let cleared = source.changes(9, hot(25.0)).remove(0);
    assert_eq!(cleared.detail, "temperature 25 ℃, limits 10 ~ 30");
    assert_eq!((cleared.at, cleared.since, &cleared.alarm), (seconds(9), seconds(1), &raised.alarm));
    assert_eq!(source.changes(10, run(0.0, "停止"))[0].detail, "run 停止 (0), normal 1 or 2");
}

#[test]
fn one_sided_limits_are_told_as_such() {
    let limits = |min, max| {
        let condition = Condition::Outside { name: "temperature".into(), min, max, deadband: 0.0 };
        Watched::by([rule("r", condition, 0)]).changes(1, hot(20.0)).remove(0).detail
    };
    assert_eq!(limits(Some(25.0), None), "temperature 20 ℃, at least 25");
    assert_eq!(limits(None, Some(15.5)), "temperature 20 ℃, at most 15.5");
}

#[test]
fn a_state_that_is_not_normal_raises_until_it_is() {
    let mut source = Watched::by([running()]);
    assert_eq!(source.sees(1, run(1.0, "运行")), NOTHING);
    assert_eq!(source.sees(2, run(0.0, "停止")), ["+state:run"]);
    assert_eq!(source.sees(3, run(3.0, "3")), NOTHING);
    assert_eq!(source.sees(4, run(2.0, "待机")), ["-state:run"]);
}

#[test]
fn only_good_numbers_raise_or_clear() {
    let doubtful = |quality| values([Observed { quality, ..degrees(99.0) }]);
    let useless = [
        doubtful(Quality::Uncertain),
        doubtful(Quality::Bad),
        doubtful(Quality::Stale),
        hot(f64::NAN),
        values([observed("temperature", Datum::Text("99".into()), "99", "℃")]),
        values([observed("temperature", Datum::None, "", "℃")]),
        values([observed("humidity", Datum::Number(99.0), "99", "%")]),
        values([]),
    ];
    for fact in useless {
        let mut source = Watched::by([too_hot(0)]);
        assert_eq!(source.sees(1, fact.clone()), NOTHING, "{fact:?} raises");
        assert_eq!(source.sees(2, hot(99.0)), ["+threshold:temperature"]);
        assert_eq!(source.sees(3, fact.clone()), NOTHING, "{fact:?} clears");
    }
}

#[test]
fn a_condition_whose_rule_is_gone_ends_with_the_next_good_evidence() {
    let critical = Rule { severity: Severity::Critical, ..too_hot(0) };
    let mut source = Watched::by([critical, silent(0)]);
    source.sees(1, hot(35.0));
    source.rules = vec![silent(0)];
    assert_eq!(source.sees(2, Fact::Missed { count: 1 }), NOTHING);
    assert_eq!(source.sees(3, Fact::Tick), NOTHING);
    let cleared = source.changes(4, hot(35.0)).remove(0);
    assert_eq!((cleared.kind, cleared.detail.as_str()), (ChangeKind::Cleared, "the rule was removed"));
    assert_eq!(cleared.severity, Severity::Critical, "its end matters as much as it did");
    assert!(source.state.conditions.is_empty());
}

#[test]
fn a_pending_condition_whose_rule_is_gone_is_dropped() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(1, hot(35.0));
    source.rules.clear();
    assert_eq!(source.sees(90, Fact::Tick), NOTHING);
    assert!(source.state.conditions.is_empty());
}

#[test]
fn a_fact_that_changes_more_than_can_be_stored_together_takes_several_steps() {
    let bits = 1..=75;
    let rules = bits.clone().map(|bit| {
        let condition = Condition::NotIn { name: format!("bit {bit}"), normal: vec!["0".into()] };
        rule(&format!("state:{bit}"), condition, 0)
    });
    let mut source = Watched::by(rules);
    let all = |number| values(bits.clone().map(|bit| observed(&format!("bit {bit}"), Datum::Number(number), "", "")));
    for (second, number, kind) in [(1, 1.0, ChangeKind::Raised), (2, 0.0, ChangeKind::Cleared)] {
        let evidence = Evidence::new(format!("e{second}"), device(), seconds(second), all(number));
        let mut changes = Vec::new();
        loop {
            let step = step(&source.state, &source.set(), &evidence, seconds(second));
            assert!(step.changes.len() <= MOST_CHANGES);
            source.state = step.state;
            changes.extend(step.changes);
            if step.is_whole {
                break;
            }
        }
        assert_eq!(changes.len(), 75);
        assert!(changes.iter().all(|change| change.kind == kind));
        let again = step(&source.state, &source.set(), &evidence, seconds(second));
        assert_eq!((again.changes, again.is_whole), (vec![], true));
    }
}

#[test]
fn a_state_is_the_same_with_and_without_zeros_before_it() {
    let normal =
        |normal: &str| rule("state:mode", Condition::NotIn { name: "mode".into(), normal: vec![normal.into()] }, 0);
    let mode = |word: &str| values([observed("mode", Datum::of_word(word), word, "")]);
    for (listed, said, changes) in [
        ("01", "01", &[][..]),
        ("1", "01", &[]),
        ("01", "1", &[]),
        ("02", "01", &["+state:mode"]),
        ("B", "B", &[]),
        ("B", "L", &["+state:mode"]),
        ("00000001", "1", &["+state:mode"]),
    ] {
        assert_eq!(Watched::by([normal(listed)]).sees(1, mode(said)), changes, "{said} where {listed} is normal");
    }
}
