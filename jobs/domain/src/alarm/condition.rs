//! Conditions: whether a rule makes sense, and what a fact says about it.

use super::{Condition, ConditionState, Fact, Observed, Rule};
use crate::reading::{Datum, Quality};

/// Why a rule cannot be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// It watches nothing.
    #[error("the value's name is missing")]
    NoName,
    /// It can never be abnormal.
    #[error("a limit is missing: say min, max or both")]
    NoLimit,
    /// It can never be normal.
    #[error("the limits leave nothing between them: min must be less than max")]
    NothingInside,
    /// Once raised it could never end.
    #[error("the deadband must be at least 0 and less than half of what lies between min and max")]
    Deadband,
    /// It can never be normal.
    #[error("the normal states are missing")]
    NoNormalState,
}

impl Rule {
    /// Refuses a rule that could never be raised, or never end.
    pub fn check(&self) -> Result<(), BadRule> {
        match &self.condition {
            Condition::Outside { name, .. } | Condition::NotIn { name, .. } if name.trim().is_empty() => {
                Err(BadRule::NoName)
            }
            Condition::Outside { min, max, deadband, .. } => check_limits(*min, *max, *deadband),
            Condition::NotIn { normal, .. } if normal.is_empty() => Err(BadRule::NoNormalState),
            Condition::NotIn { .. } | Condition::Missed { .. } | Condition::Lost | Condition::Away => Ok(()),
        }
    }
}

fn check_limits(min: Option<f64>, max: Option<f64>, deadband: f64) -> Result<(), BadRule> {
    let is_wrong = |limit: Option<f64>| limit.is_some_and(f64::is_nan);
    let between = match (min, max) {
        (None, None) => return Err(BadRule::NoLimit),
        _ if is_wrong(min) || is_wrong(max) => return Err(BadRule::NoLimit),
        (Some(min), Some(max)) if min >= max => return Err(BadRule::NothingInside),
        (Some(min), Some(max)) => max - min,
        _ => f64::INFINITY,
    };
    if deadband >= 0.0 && deadband < between / 2.0 { Ok(()) } else { Err(BadRule::Deadband) }
}

/// What a fact says about a condition, with words for the notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds.
    Abnormal(String),
    /// It does not hold.
    Normal(String),
    /// The fact says nothing about it.
    Silent,
}

impl Condition {
    /// Whether it is concluded from what did not come, which says nothing once the way there is lost.
    pub(super) fn rests_on_silence(&self) -> bool {
        matches!(self, Self::Missed { .. })
    }

    /// Looks at one fact. A condition that is raised is harder to call normal, by its deadband.
    pub(super) fn judge(&self, current: Option<&ConditionState>, fact: &Fact) -> Verdict {
        match (self, fact) {
            (Self::Outside { name, min, max, deadband }, Fact::Values { values }) => {
                let is_active = matches!(current, Some(ConditionState::Active { .. }));
                let limits = Limits { min: *min, max: *max, inside_by: if is_active { *deadband } else { 0.0 } };
                good(values, name).map_or(Verdict::Silent, |value| limits.judge(value))
            }
            (Self::NotIn { name, normal }, Fact::Values { values }) => {
                good(values, name).map_or(Verdict::Silent, |value| judge_state(normal, value))
            }
            (Self::Missed { more_than }, Fact::Missed { count }) if count > more_than => {
                Verdict::Abnormal(format!("{count} queries in a row without an answer"))
            }
            (Self::Missed { .. }, Fact::Values { .. }) => Verdict::Normal("answers again".to_owned()),
            (Self::Lost, Fact::LinkLost { cause, .. }) => Verdict::Abnormal(format!("link lost: {cause}")),
            (Self::Lost, Fact::LinkSeen) => Verdict::Normal("link seen again".to_owned()),
            (Self::Away, Fact::Away { why }) => Verdict::Abnormal(why.clone()),
            (Self::Away, Fact::Back { how }) => Verdict::Normal(how.clone()),
            _ => Verdict::Silent,
        }
    }
}

struct Limits {
    min: Option<f64>,
    max: Option<f64>,
    inside_by: f64,
}

impl Limits {
    fn judge(&self, observed: &Observed) -> Verdict {
        let Datum::Number(number) = observed.value else { return Verdict::Silent };
        if number.is_nan() {
            return Verdict::Silent;
        }
        let is_outside_by = |inside: f64| {
            self.max.is_some_and(|max| number > max - inside) || self.min.is_some_and(|min| number < min + inside)
        };
        if is_outside_by(0.0) {
            Verdict::Abnormal(self.words(observed))
        } else if is_outside_by(self.inside_by) {
            Verdict::Silent
        } else {
            Verdict::Normal(self.words(observed))
        }
    }

    fn words(&self, Observed { name, display, unit, .. }: &Observed) -> String {
        let text = |limit: f64| Datum::Number(limit).text();
        let limits = match (self.min, self.max) {
            (Some(min), Some(max)) => format!("limits {} ~ {}", text(min), text(max)),
            (Some(min), None) => format!("at least {}", text(min)),
            (None, Some(max)) => format!("at most {}", text(max)),
            (None, None) => "no limits".to_owned(),
        };
        let gap = if unit.is_empty() { "" } else { " " };
        format!("{name} {display}{gap}{unit}, {limits}")
    }
}

fn judge_state(normal: &[String], observed: &Observed) -> Verdict {
    let raw = observed.value.text();
    let told = if observed.display == raw { raw.clone() } else { format!("{} ({raw})", observed.display) };
    let words = format!("{} {told}, normal {}", observed.name, normal.join(" or "));
    // A text line may write 1 as `01`: the same state, however the document writes it.
    let is_it = |normal: &String| *normal == raw || Datum::of_word(normal) == observed.value;
    if normal.iter().any(is_it) { Verdict::Normal(words) } else { Verdict::Abnormal(words) }
}

/// The value of this name, when it is one to believe.
fn good<'a>(values: &'a [Observed], name: &str) -> Option<&'a Observed> {
    let is_good = |value: &&Observed| value.quality == Quality::Good && value.value != Datum::None;
    values.iter().find(|value| value.name == name).filter(is_good)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alarm::Severity;

    fn check(condition: Condition) -> Result<(), BadRule> {
        Rule { id: "r".into(), condition, severity: Severity::Info, on_delay: Duration::ZERO }.check()
    }

    fn outside(min: Option<f64>, max: Option<f64>, deadband: f64) -> Condition {
        Condition::Outside { name: "t".into(), min, max, deadband }
    }

    #[test]
    fn a_rule_that_can_be_raised_and_end_is_accepted() {
        assert_eq!(check(outside(Some(10.0), Some(30.0), 9.9)), Ok(()));
        assert_eq!(check(outside(None, Some(30.0), 100.0)), Ok(()));
        assert_eq!(check(Condition::NotIn { name: "s".into(), normal: vec!["0".into()] }), Ok(()));
        assert_eq!(check(Condition::Lost), Ok(()));
    }

    #[test]
    fn a_rule_that_could_never_be_raised_or_never_end_is_refused() {
        for (condition, why) in [
            (outside(None, None, 0.0), BadRule::NoLimit),
            (outside(Some(f64::NAN), Some(1.0), 0.0), BadRule::NoLimit),
            (outside(Some(30.0), Some(10.0), 0.0), BadRule::NothingInside),
            (outside(Some(10.0), Some(30.0), 10.0), BadRule::Deadband),
            (outside(Some(10.0), None, -1.0), BadRule::Deadband),
            (outside(Some(10.0), None, f64::NAN), BadRule::Deadband),
            (Condition::NotIn { name: "s".into(), normal: vec![] }, BadRule::NoNormalState),
            (Condition::NotIn { name: " ".into(), normal: vec!["0".into()] }, BadRule::NoName),
        ] {
            assert_eq!(check(condition.clone()), Err(why), "{condition:?}");
        }
    }
}
