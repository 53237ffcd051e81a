//! What was seen, taken apart: a change's detail is a sentence, and a reader may want it in another language.
//!
//! A detail is kept as text, as conditions, the machine and the platform make it, so that what was stored before reads the same. What is
//! none of their sentences stays as it is.

mod platform;
mod read;

use serde::Serialize;

pub use platform::Why;

use super::Change;

/// What ends an alarm whose rule is gone, disabled, or no longer the source's.
pub(super) const RULE_REMOVED: &str = "the rule was removed";

/// How an alarm is that nothing speaks against telling of any more.
pub(super) const STANDS: &str = "it stands";

/// The same, where nothing is known of its source at present: what it hangs on is lost.
pub(super) const STOOD: &str = "it stood when it was last seen";

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Sight {
    /// A value, beside what it was held against.
    Value {
        /// Its name, what is shown of it, and its unit: `temperature 35.2 ℃`.
        what: String,
        /// Over which time, in milliseconds, where it is a figure over one.
        over: Option<u64>,
        /// What it was held against.
        against: Against,
    },
    /// A bit of a value.
    Bit {
        /// The value's name.
        name: String,
        /// Which.
        bit: u8,
        /// Whether it is set.
        on: bool,
        /// Whether it is where all is well.
        normal: bool,
    },
    /// How fast a value went up or down.
    Rate {
        /// Its name, by how much, and its unit: `temperature +5.000 ℃`.
        what: String,
        /// In which time, in milliseconds.
        per: u64,
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
    /// Nothing speaks against telling any more, and it stands.
    Stands,
    /// The same, where nothing is known of it at present.
    Stood,
    /// The same, and it is over.
    Over,
    /// Somebody reset it.
    Reset,
    /// It came and went too often to be told each time.
    Flaps {
        /// How often.
        count: u32,
        /// Whether some of it was that it came to matter more or less.
        swings: bool,
        /// Since when, as RFC 3339 has it, where that is known.
        since: Option<String>,
        /// How long nothing must happen until it is told again, in milliseconds.
        calm: u64,
    },
    /// It came and went, and is calm.
    Calm {
        /// How often.
        count: u32,
        /// Whether some of it was that it came to matter more or less.
        swings: bool,
        /// Since when, as RFC 3339 has it.
        since: String,
        /// Whether it is over.
        over: bool,
    },
    /// Somebody's word on it held for some time only.
    WordEnded {
        /// Whose.
        by: String,
    },
    /// It was to be out of service for some time only.
    ServiceEnded,
    /// It is on the shelf until it is over.
    UntilOver,
    /// What a part of the platform needs is away.
    Away {
        /// What: `queue`, `store`, `spool`, `durability`, `clock`; of an operator's channel its name.
        needs: String,
        /// Whether it is a channel.
        channel: bool,
        /// Since when, as RFC 3339 has it.
        since: String,
        /// Why, and what comes of it.
        why: Vec<Why>,
    },
    /// It is back.
    Back {
        /// What.
        needs: String,
        /// Whether it is a channel.
        channel: bool,
        /// For how long it was away, in milliseconds.
        after: u64,
    },
    /// The broker that needed it is no more.
    Gone {
        /// What another one reaches, where that is known.
        reaches: Option<String>,
    },
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
    /// Nothing: its rule has no limits any more.
    Nothing,
}

impl Change {
    /// What was seen.
    pub fn sights(&self) -> Vec<Sight> {
        Sight::read(&self.detail)
    }

    /// Whether the alarm ended since nothing watches for it any more: how it is, nobody knows.
    pub fn is_unwatched(&self) -> bool {
        self.ends() && self.detail == RULE_REMOVED
    }
}

impl Sight {
    /// What a detail says.
    pub fn read(detail: &str) -> Vec<Self> {
        read::sights(detail).unwrap_or_else(|| vec![Self::Other { words: detail.to_owned() }])
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

#[cfg(test)]
mod tests;
