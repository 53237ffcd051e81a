//! What was seen, taken apart: a change's detail is a sentence, and a reader may want it in another language.
//!
//! A detail is kept as text, as conditions make it, so that what was stored before reads the same. What is none of their
//! sentences stays as it is.

use std::time::Duration;

use serde::Serialize;

use super::{Change, ChangeKind};

/// What ends an alarm whose rule is gone, disabled, or no longer the source's.
pub(super) const RULE_REMOVED: &str = "the rule was removed";

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Sight {
    /// A value, beside what it was held against.
    Value {
        /// Its name, what is shown of it, and its unit: `temperature 35.2 ℃`.
        what: String,
        /// What it was held against.
        against: Against,
    },
    /// Something that happened several times.
    Times {
        /// How often.
        count: u32,
        /// In which time, in milliseconds.
        within: u64,
        /// What.
        of: Vec<Sight>,
    },
    /// Queries that were not answered.
    Missed {
        /// How many in a row.
        count: u32,
    },
    /// The device answers again.
    Answers,
    /// The link is lost.
    Lost {
        /// Why.
        cause: String,
    },
    /// The link is seen again.
    Seen,
    /// Nothing was read.
    NoData {
        /// For how long, in milliseconds.
        after: u64,
    },
    /// Something was read again.
    Data,
    /// A value that did not move.
    Stuck {
        /// Its name and what is shown of it.
        what: String,
        /// For how long, in milliseconds.
        after: u64,
    },
    /// It moves again.
    Moves {
        /// Its name and what is shown of it.
        what: String,
    },
    /// The rule that raised it is gone.
    RuleRemoved,
    /// Anything else, as it was said.
    Other {
        /// The words.
        words: String,
    },
}

/// What a value was held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Against {
    /// A least and a greatest normal value.
    Limits {
        /// `10 ~ 30`.
        range: String,
    },
    /// A least normal value.
    AtLeast {
        /// The limit.
        limit: String,
    },
    /// A greatest normal value.
    AtMost {
        /// The limit.
        limit: String,
    },
    /// When it is abnormal: `> 30`, `5 ~ 7`.
    When {
        /// What.
        what: String,
    },
    /// What is abnormal: `2 or 3`.
    Not {
        /// What.
        what: String,
    },
    /// What is normal: `0 or 1`.
    Normal {
        /// What.
        what: String,
    },
    /// Limits that it is back inside of.
    Inside,
}

impl Change {
    /// What was seen.
    pub fn sights(&self) -> Vec<Sight> {
        Sight::read(&self.detail)
    }

    /// Whether the alarm ended since nothing watches for it any more: how it is, nobody knows.
    pub fn is_unwatched(&self) -> bool {
        self.kind == ChangeKind::Cleared && self.detail == RULE_REMOVED
    }
}

impl Sight {
    /// What a detail says.
    pub fn read(detail: &str) -> Vec<Self> {
        let several = || detail.split(" and ").map(in_a_row).collect::<Option<Vec<_>>>().map(|parts| parts.concat());
        in_a_row(detail).or_else(several).unwrap_or_else(|| vec![Self::Other { words: detail.to_owned() }])
    }

    /// The numbers that a value was held against; none for anything else.
    pub fn limits(&self) -> Vec<f64> {
        let numbers = |text: &str| text.split([' ', '~']).filter_map(|word| word.parse().ok()).collect();
        match self {
            Self::Value { against: Against::Limits { range }, .. } => numbers(range),
            Self::Value { against: Against::AtLeast { limit } | Against::AtMost { limit }, .. } => numbers(limit),
            // States are listed with `or`: they are no limits.
            Self::Value { against: Against::When { what }, .. } => numbers(what),
            _ => Vec::new(),
        }
    }
}

/// Sentences with commas between them, each of one or two clauses.
fn in_a_row(text: &str) -> Option<Vec<Sight>> {
    // These end with words of somebody else, in which anything may be.
    if let Some(whole) = times(text).or_else(|| lost(text)) {
        return Some(vec![whole]);
    }
    let clauses: Vec<&str> = text.split(", ").collect();
    let mut sights = Vec::new();
    let mut at = 0;
    while let Some(clause) = clauses.get(at) {
        let value = || clauses.get(at + 1).and_then(|limits| value(clause, limits));
        let (sight, long) = sentence(clause).map(|sight| (sight, 1)).or_else(|| Some((value()?, 2)))?;
        sights.push(sight);
        at += long;
    }
    Some(sights)
}

/// `3 times within 10 min: temperature 35.2 ℃, at most 30`.
fn times(text: &str) -> Option<Sight> {
    let (count, rest) = text.split_once(" times within ")?;
    let (within, of) = rest.split_once(": ")?;
    Some(Sight::Times { count: count.parse().ok()?, within: time(within)?, of: Sight::read(of) })
}

fn lost(text: &str) -> Option<Sight> {
    let cause = text.strip_prefix("link lost: ")?;
    Some(Sight::Lost { cause: cause.to_owned() })
}

/// A sentence of one clause.
fn sentence(clause: &str) -> Option<Sight> {
    match clause {
        "answers again" => return Some(Sight::Answers),
        "link seen again" => return Some(Sight::Seen),
        "data again" => return Some(Sight::Data),
        RULE_REMOVED => return Some(Sight::RuleRemoved),
        _ => {}
    }
    if let Some(after) = clause.strip_prefix("no data for ") {
        return Some(Sight::NoData { after: time(after)? });
    }
    if let Some(count) = clause.strip_suffix(" queries in a row without an answer") {
        return Some(Sight::Missed { count: count.parse().ok()? });
    }
    if let Some((name, shown)) = clause.split_once(" moves: ") {
        return Some(Sight::Moves { what: format!("{name} {shown}") });
    }
    let (what, after) = clause.rsplit_once(" for ")?;
    let (name, shown) = what.split_once(" has been ")?;
    Some(Sight::Stuck { what: format!("{name} {shown}"), after: time(after)? })
}

fn value(what: &str, limits: &str) -> Option<Sight> {
    let owned = str::to_owned;
    let against = if limits == "back inside its limits" {
        Against::Inside
    } else if let Some(range) = limits.strip_prefix("limits ") {
        Against::Limits { range: owned(range) }
    } else if let Some(limit) = limits.strip_prefix("at least ") {
        Against::AtLeast { limit: owned(limit) }
    } else if let Some(limit) = limits.strip_prefix("at most ") {
        Against::AtMost { limit: owned(limit) }
    } else if let Some(what) = limits.strip_prefix("alarm if ") {
        Against::When { what: owned(what) }
    } else if let Some(what) = limits.strip_prefix("not ") {
        Against::Not { what: owned(what) }
    } else {
        Against::Normal { what: owned(limits.strip_prefix("normal ")?) }
    };
    Some(Sight::Value { what: owned(what), against })
}

/// `90 s`, `10 min`, in milliseconds.
fn time(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let one = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "min" => Duration::from_mins(1),
        "h" => Duration::from_hours(1),
        "d" => Duration::from_hours(24),
        _ => return None,
    };
    number.checked_mul(u64::try_from(one.as_millis()).ok()?)
}

#[cfg(test)]
mod tests;
