//! Conditions: what a rule calls abnormal.

mod check;
mod judge;
mod leaf;
mod limits;
mod mark;
mod memory;
mod misread;
mod pause;
mod rests;
mod window;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Severity;
use crate::time::as_millis;

pub(super) use judge::{Before, Look, Verdict};
pub use memory::Memory;
pub(super) use pause::Pause;

/// What a rule calls abnormal.
///
/// Each says of a fact that it is abnormal, that it is normal, or nothing. Only good values count; a name that no value has
/// says nothing, nor does what is not a number where one is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// All of these are abnormal. One that is normal is enough for it to be normal.
    All {
        /// The conditions.
        of: Vec<Condition>,
    },
    /// One of these is abnormal. All must be normal for it to be normal.
    Any {
        /// The conditions.
        of: Vec<Condition>,
    },
    /// This is normal.
    Not {
        /// The condition.
        of: Box<Condition>,
    },
    /// The value compares so with a number.
    Compare {
        /// The value's name.
        name: String,
        /// How.
        is: Comparison,
        /// The number.
        to: f64,
        /// How far a value must come back behind the number to be normal again; for orders only.
        #[serde(default)]
        deadband: f64,
    },
    /// The value is below `min` or above `max`; once raised, it is normal again only when it is back inside by `deadband`.
    Outside {
        /// The value's name.
        name: String,
        /// The least normal value.
        min: Option<f64>,
        /// The greatest normal value.
        max: Option<f64>,
        /// How far inside the limits a value must come back; at least 0.
        #[serde(default)]
        deadband: f64,
    },
    /// The value is not below `min` and not above `max`.
    Between {
        /// The value's name.
        name: String,
        /// The least abnormal value.
        min: f64,
        /// The greatest abnormal value.
        max: f64,
    },
    /// The value is past one of several limits, each of which matters as much as it says (`HiHi`, `Hi`, `Lo` and `LoLo` in OPC UA Part 9).
    Levels {
        /// The value's name.
        name: String,
        /// Limits that a value may be above.
        #[serde(default)]
        above: Vec<Level>,
        /// Limits that a value may be below.
        #[serde(default)]
        below: Vec<Level>,
    },
    /// The raw value is one of these.
    In {
        /// The value's name.
        name: String,
        /// The abnormal raw values, as text.
        states: Vec<String>,
    },
    /// The raw value is none of the normal ones.
    NotIn {
        /// The value's name.
        name: String,
        /// The normal raw values, as text.
        normal: Vec<String>,
    },
    /// A bit of the value, a whole number or a row of zeros and ones, is not as it should be.
    Bit {
        /// The value's name.
        name: String,
        /// Which, counted from 0, the least.
        bit: u8,
        /// What is normal.
        #[serde(default)]
        normal: bool,
    },
    /// The value went up or down faster than this, from one reading to the next.
    Rate {
        /// The value's name.
        name: String,
        /// By how much it may rise in that time.
        rising: Option<f64>,
        /// By how much it may fall in that time.
        falling: Option<f64>,
        /// The time.
        #[serde(rename = "per_ms", with = "as_millis")]
        per: Duration,
    },
    /// The condition was abnormal so many times in the last time.
    Count {
        /// The condition.
        of: Box<Condition>,
        /// How often.
        at_least: u16,
        /// In which time.
        #[serde(rename = "within_ms", with = "as_millis")]
        within: Duration,
    },
    /// A figure over the values of the last time, to a sixtieth of it, compares so with a number.
    Window {
        /// The value's name.
        name: String,
        /// Which figure.
        figure: Figure,
        /// Over which time.
        #[serde(rename = "within_ms", with = "as_millis")]
        within: Duration,
        /// How it compares.
        is: Comparison,
        /// The number.
        to: f64,
    },
    /// The value has been the same for so long, although it was read: a counter that stopped.
    Stuck {
        /// The value's name.
        name: String,
        /// How long.
        #[serde(rename = "after_ms", with = "as_millis")]
        after: Duration,
    },
    /// Nothing has been read for so long, and it is not known why.
    NoData {
        /// How long.
        #[serde(rename = "after_ms", with = "as_millis")]
        after: Duration,
    },
    /// The device missed more than this many queries in a row.
    Missed {
        /// The most consecutive misses that are still normal.
        more_than: u32,
    },
    /// The link to the source is lost.
    Lost,
    /// What a part of the platform needs is away.
    Away,
}

/// How a value compares with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// It is greater.
    #[serde(rename = ">")]
    Greater,
    /// It is greater or the same.
    #[serde(rename = ">=", alias = "≥")]
    AtLeast,
    /// It is less.
    #[serde(rename = "<")]
    Less,
    /// It is less or the same.
    #[serde(rename = "<=", alias = "≤")]
    AtMost,
    /// It is the same.
    #[serde(rename = "==", alias = "=")]
    Equal,
    /// It is another.
    #[serde(rename = "!=", alias = "≠")]
    Other,
}

/// A limit, and how much it matters to be past it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The limit.
    pub limit: f64,
    /// How much it matters.
    pub severity: Severity,
    /// How far a value must come back behind the limit to be no longer past it.
    #[serde(default)]
    pub deadband: f64,
}

/// A figure over several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Their mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

impl Condition {
    /// The conditions that it is made of.
    fn parts(&self) -> &[Self] {
        match self {
            Self::All { of } | Self::Any { of } => of,
            Self::Not { of } | Self::Count { of, .. } => std::slice::from_ref(of),
            _ => &[],
        }
    }

    /// The numbers that a value of that name is held against.
    pub fn limits_of(&self, value: &str) -> Vec<f64> {
        match self {
            Self::Compare { name, to, .. } if name == value => vec![*to],
            Self::Outside { name, min, max, .. } if name == value => [*min, *max].into_iter().flatten().collect(),
            Self::Between { name, min, max } if name == value => vec![*min, *max],
            Self::Window { name, to, .. } if name == value => vec![*to],
            Self::Levels { name, above, below } if name == value => {
                above.iter().chain(below).map(|level| level.limit).collect()
            }
            _ => self.parts().iter().flat_map(|part| part.limits_of(value)).collect(),
        }
    }

    /// The same with this deadband; none where it has no limits that one could stand behind.
    #[must_use]
    pub fn with_deadband(&self, by: f64) -> Option<Self> {
        let mut with = self.clone();
        match &mut with {
            Self::Compare { is: Comparison::Equal | Comparison::Other, .. } => return None,
            Self::Compare { deadband, .. } | Self::Outside { deadband, .. } => *deadband = by,
            Self::Levels { above, below, .. } => {
                above.iter_mut().chain(below).for_each(|level| level.deadband = by);
            }
            _ => return None,
        }
        with.check("condition").is_ok().then_some(with)
    }

    /// The names of the values that it looks at.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Compare { name, .. }
            | Self::Outside { name, .. }
            | Self::Between { name, .. }
            | Self::Levels { name, .. }
            | Self::In { name, .. }
            | Self::NotIn { name, .. }
            | Self::Bit { name, .. }
            | Self::Rate { name, .. }
            | Self::Window { name, .. }
            | Self::Stuck { name, .. } => vec![name],
            Self::All { .. } | Self::Any { .. } | Self::Not { .. } | Self::Count { .. } => {
                self.parts().iter().flat_map(Self::names).collect()
            }
            Self::NoData { .. } | Self::Missed { .. } | Self::Lost | Self::Away => Vec::new(),
        }
    }
}

impl Comparison {
    /// Whether a value compares so with a number. No order holds for what is not a number.
    pub fn holds(self, value: f64, to: f64) -> bool {
        match self {
            Self::Greater => value > to,
            Self::AtLeast => value >= to,
            Self::Less => value < to,
            Self::AtMost => value <= to,
            #[expect(clippy::float_cmp, reason = "the same number is what the rule's author asked for")]
            Self::Equal => value == to,
            #[expect(clippy::float_cmp, reason = "another number than this one is what the rule's author asked for")]
            Self::Other => value != to,
        }
    }

    /// As people write it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::AtLeast => "≥",
            Self::Less => "<",
            Self::AtMost => "≤",
            Self::Equal => "=",
            Self::Other => "≠",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(limit: f64) -> Level {
        Level { limit, severity: crate::alarm::Severity::Warning, deadband: 0.0 }
    }

    fn t() -> String {
        "t".to_owned()
    }

    #[test]
    fn limits_are_those_that_the_value_is_held_against_and_no_others() {
        let compare = Condition::Compare { name: t(), is: Comparison::Greater, to: 30.0, deadband: 0.0 };
        let outside = Condition::Outside { name: t(), min: Some(1.0), max: Some(2.0), deadband: 0.0 };
        let levels = Condition::Levels { name: t(), above: vec![level(5.0)], below: vec![level(3.0)] };
        let between = Condition::Between { name: t(), min: 6.0, max: 7.0 };
        let within = Duration::from_mins(1);
        let window = Condition::Window { name: t(), figure: Figure::Mean, within, is: Comparison::Greater, to: 8.0 };
        for (condition, limits) in [
            (compare.clone(), vec![30.0]),
            (outside.clone(), vec![1.0, 2.0]),
            (levels, vec![5.0, 3.0]),
            (between, vec![6.0, 7.0]),
            (window, vec![8.0]),
            (Condition::Any { of: vec![compare, outside] }, vec![30.0, 1.0, 2.0]),
            (Condition::Lost, vec![]),
        ] {
            assert_eq!((condition.limits_of("t"), condition.limits_of("u")), (limits, vec![]), "{condition:?}");
        }
    }

    #[test]
    fn a_deadband_is_had_by_what_has_a_limit_to_stand_behind() {
        let compare = |is| Condition::Compare { name: t(), is, to: 30.0, deadband: 0.0 };
        let with = compare(Comparison::Greater).with_deadband(2.0);
        assert_eq!(with, Some(Condition::Compare { name: t(), is: Comparison::Greater, to: 30.0, deadband: 2.0 }));
        let levels = Condition::Levels { name: t(), above: vec![level(5.0)], below: vec![] };
        let wider = Level { deadband: 1.0, ..level(5.0) };
        let with = Condition::Levels { name: t(), above: vec![wider], below: vec![] };
        assert_eq!(levels.with_deadband(1.0), Some(with));
        for none in [compare(Comparison::Equal), compare(Comparison::Other), Condition::Lost] {
            assert_eq!((none.with_deadband(1.0), none.with_deadband(0.0)), (None, None), "{none:?}");
        }
        assert_eq!(compare(Comparison::Greater).with_deadband(-1.0), None, "one that cannot be is refused");
    }
}
