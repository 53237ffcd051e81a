//! What a fact says about a condition.

use super::{Condition, Memory};
use crate::{
    Timestamp,
    alarm::{Fact, Severity},
};

/// What a fact says about a condition, with words for the notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::alarm) enum Verdict {
    /// It holds.
    Abnormal {
        /// How much that matters, where the condition says it.
        severity: Option<Severity>,
        /// What was seen.
        words: String,
    },
    /// It does not hold.
    Normal(String),
    /// The fact does not speak of it: what was known still is.
    Silent,
    /// The fact speaks of it, and cannot be believed: nothing is known any more.
    Unknown,
}

impl Verdict {
    pub(super) fn of(is_abnormal: bool, words: impl Into<String>) -> Self {
        let words = words.into();
        if is_abnormal { Self::Abnormal { severity: None, words } } else { Self::Normal(words) }
    }

    fn words(&self) -> Option<&str> {
        match self {
            Self::Abnormal { words, .. } | Self::Normal(words) => Some(words),
            Self::Silent | Self::Unknown => None,
        }
    }

    fn severity(&self) -> Option<Severity> {
        match self {
            Self::Abnormal { severity, .. } => *severity,
            _ => None,
        }
    }

    fn is_abnormal(&self) -> bool {
        matches!(self, Self::Abnormal { .. })
    }

    fn is_normal(&self) -> bool {
        matches!(self, Self::Normal(_))
    }
}

/// One look at one fact.
#[derive(Clone, Copy)]
pub(in crate::alarm) struct Look<'a> {
    /// The fact.
    pub fact: &'a Fact,
    /// When it was so.
    pub at: Timestamp,
    /// The time up to which silences are over.
    pub reached: Timestamp,
    /// What was before.
    pub before: Before,
    /// Whether silence says something: nothing newer is known, and the way to the source is there.
    pub hears_silence: bool,
    /// Whether nothing is known of the source.
    pub is_unknown: bool,
}

/// What was before a fact: within a deadband it depends on that what the fact says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::alarm) enum Before {
    /// Whether the rule's alarm is active; what the parts of its condition were is remembered.
    Known { is_active: bool },
    /// Nobody knows: it is taken that all parts were so.
    Assumed { is_active: bool },
}

impl Before {
    pub(super) fn is_active(self) -> bool {
        let (Self::Known { is_active } | Self::Assumed { is_active }) = self;
        is_active
    }
}

impl Condition {
    /// Looks at one fact, as the part at `place` of a rule's condition (none for the whole).
    pub(in crate::alarm) fn judge(&self, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
        let verdict = self.look(look, memory, place);
        memory.is_of(place, self);
        verdict
    }

    fn look(&self, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
        match self {
            Self::All { of } => all(&parts(of, look, memory, place)),
            Self::Any { of } => any(&parts(of, look, memory, place)),
            Self::Not { of } => not(of.judge_part(look, memory, &inside(place, 0))),
            Self::Count { of, at_least, within } => {
                let fresh = of.judge_part(look, memory, &inside(place, 0));
                // What was known before is no occurrence of its own.
                if !of.is_spoken_of(look) {
                    return Verdict::Silent;
                }
                let Some(words) = fresh.words().map(str::to_owned) else { return fresh };
                let count = memory.count(place, look.at, *within, usize::from(*at_least), fresh.is_abnormal());
                let words = format!("{count} times within {}: {words}", super::leaf::time(*within));
                let is_enough = count >= usize::from(*at_least);
                // They may have been more than were heard.
                if !memory.heard_all(place, look.at, *within) && !is_enough {
                    return Verdict::Silent;
                }
                Verdict::of(is_enough, words)
            }
            leaf => leaf.judge_leaf(look, memory, place),
        }
    }

    /// The same, with what is known of this part from before where the fact does not speak of it.
    fn judge_part(&self, look: Look<'_>, memory: &mut Memory, place: &str) -> Verdict {
        let before = match look.before {
            Before::Known { .. } => Before::Known { is_active: memory.was_abnormal(place) },
            assumed @ Before::Assumed { .. } => assumed,
        };
        let look = Look { before, ..look };
        match self.judge(look, memory, place) {
            Verdict::Silent => memory.known(place),
            verdict => {
                memory.know(place, &verdict);
                verdict
            }
        }
    }

    /// Whether a fact speaks of one of the values, or of the silence, that this is about.
    fn is_spoken_of(&self, look: Look<'_>) -> bool {
        match look.fact {
            Fact::Known { values } => values.iter().any(|value| self.names().contains(&value.name.as_str())),
            Fact::Values { values } => {
                let names = self.names();
                names.is_empty() || values.iter().any(|value| names.contains(&value.name.as_str()))
            }
            Fact::Tick => false,
            _ => self.names().is_empty(),
        }
    }
}

pub(super) fn inside(place: &str, number: usize) -> String {
    format!("{place}.{number}")
}

fn parts(of: &[Condition], look: Look<'_>, memory: &mut Memory, place: &str) -> Vec<Verdict> {
    let judged = of.iter().enumerate().map(|(number, part)| part.judge_part(look, memory, &inside(place, number)));
    judged.collect()
}

/// Normal by one that is, abnormal by all that are; else nothing is known.
fn all(parts: &[Verdict]) -> Verdict {
    if let Some(normal) = parts.iter().find(|part| part.is_normal()) {
        return normal.clone();
    }
    joined(parts, Verdict::is_abnormal, parts.len(), " and ")
}

/// Abnormal by one that is, normal by all that are; else nothing is known.
fn any(parts: &[Verdict]) -> Verdict {
    if parts.iter().any(Verdict::is_abnormal) {
        return joined(parts, Verdict::is_abnormal, 1, ", ");
    }
    joined(parts, Verdict::is_normal, parts.len(), ", ")
}

fn not(part: Verdict) -> Verdict {
    match part {
        Verdict::Abnormal { words, .. } => Verdict::Normal(words),
        Verdict::Normal(words) => Verdict::Abnormal { severity: None, words },
        other => other,
    }
}

/// What those say together that are so, if they are as many as that.
fn joined(parts: &[Verdict], is_so: impl Fn(&Verdict) -> bool, least: usize, with: &str) -> Verdict {
    let so: Vec<&Verdict> = parts.iter().filter(|part| is_so(part)).collect();
    if so.len() < least {
        return Verdict::Silent;
    }
    let words: Vec<&str> = so.iter().filter_map(|part| part.words()).collect();
    let words = words.join(with);
    if so.iter().any(|part| part.is_abnormal()) {
        Verdict::Abnormal { severity: so.iter().filter_map(|part| part.severity()).max(), words }
    } else {
        Verdict::Normal(words)
    }
}
