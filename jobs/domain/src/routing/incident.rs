//! Incidents: what belongs together, told to one audience in one notice, and followed until it is over.
//!
//! An audience (a person, the subscribers of the topics, an escalation policy) has one incident for each group of alarms.
//! It gathers for a moment, tells all that is open in one notice, tells what changes since in one follow-up now and then, says
//! again what nobody takes on, and tells the end once. [`step`] is its only door; it reads no clock and does nothing else.

mod apart;
mod escalation;
mod flush;
mod pace;
mod step;
mod telling;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use apart::{Apart, MOST_RECALLED, waited_for};
pub use pace::{BriefAlarms, BySeverity, Pace};
pub use step::{MOST_OPEN, Step, step};
pub use telling::{Telling, TellingKind};

use crate::{
    Source, Timestamp,
    alarm::{Change, RuleId, Severity},
};

/// What is remembered of an incident.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Incident {
    /// When the first of its alarms began, since it was last over.
    pub began: Timestamp,
    /// When the first of its alarms was heard of that is not told.
    pub opened: Timestamp,
    /// The alarms that are open, by their ids: [`MOST_OPEN`] at most.
    pub open: BTreeMap<String, Open>,
    /// How many more are open, which are remembered apart.
    #[serde(default)]
    pub apart: u32,
    /// What is not told yet, oldest first.
    pub news: Vec<News>,
    /// The alarms among these that are said to stand, and whose beginning was told before, by the names that they go on under.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub heard: BTreeSet<String>,
    /// The alarms that are open of which nobody was told that they began, since somebody had them on when others were called.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub spared: BTreeSet<String>,
    /// What others were not called for, since a parent's alarm speaks for it: they are told when it is seen again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<News>,
    /// How many notices told of it.
    pub sequence: u32,
    /// When the last of them did.
    pub told_at: Option<Timestamp>,
    /// Since when all of it is over, and that is told.
    pub over: Option<Timestamp>,
    /// When the last of its alarms was over.
    pub ended: Option<Timestamp>,
    /// How often each condition was raised in it lately, or came to matter more or less.
    pub raises: BTreeMap<String, Raises>,
    /// Since when nobody takes it on; none while somebody does.
    pub unattended: Option<Timestamp>,
    /// How many steps of the escalation were told.
    pub level: usize,
    /// The step of the escalation that is next since it was last taken on.
    pub next_step: usize,
    /// How much the gravest alarm matters that nobody has on.
    #[serde(default)]
    pub waiting: Option<Severity>,
    /// When it was last seen that of what nobody has on nothing is known, since a parent is lost: repeats and escalation are
    /// counted from then.
    #[serde(default)]
    pub unknown_at: Option<Timestamp>,
    /// Whether something that is not told yet came to matter more.
    #[serde(default)]
    pub rose: bool,
    /// How many alarms were over before they were told, and were not worth a notice.
    pub dropped: u32,
    /// The greatest severity that it ever had.
    pub worst: Option<Severity>,
    /// Whether it is at its end: what comes now is another incident.
    pub closed: bool,
}

/// How often a condition was raised, or came to matter more or less, without a long pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "StoredRaises")]
pub struct Raises {
    /// How often.
    pub count: u32,
    /// When last.
    pub last: Timestamp,
}

/// How they were stored.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredRaises {
    /// Before it was remembered when.
    Count(u32),
    Raises {
        count: u32,
        last: Timestamp,
    },
}

impl From<StoredRaises> for Raises {
    fn from(stored: StoredRaises) -> Self {
        match stored {
            StoredRaises::Count(count) => Self { count, last: Timestamp::default() },
            StoredRaises::Raises { count, last } => Self { count, last },
        }
    }
}

/// An alarm of an incident that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// What it is about.
    pub source: Source,
    /// The rule that raised it.
    pub rule: RuleId,
    /// How much it matters.
    pub severity: Severity,
    /// When it began.
    pub since: Timestamp,
    /// Whether it comes and goes too often to be told each time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flaps: bool,
}

/// A change of an alarm, as an incident hears of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// The transition that it is of.
    pub transition: String,
    /// What it is about.
    pub source: Source,
    /// The change.
    pub change: Change,
}

/// What the records say of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// Since when it is over; none while it is not.
    pub over: Option<Timestamp>,
    /// When somebody took it on.
    pub acknowledged: Option<Timestamp>,
    /// How much it mattered then; as it matters now where that is not known.
    pub acknowledged_as: Option<Severity>,
    /// Whether it is on the shelf, or out of service: whoever put it there has it on, and when it ends how it stands is told.
    pub quiet: bool,
    /// Whether nothing is known of it since a parent is lost, whose alarm speaks for it.
    pub unknown: bool,
    /// Whether the audience may not see it any more, or it is not there.
    pub gone: bool,
}

/// What an incident is stepped with: what is new, if anything is, and what the records say of the alarms that are open or new.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Input {
    /// What is new.
    pub news: Vec<News>,
    /// What the records say, by the alarms' ids. Of an alarm that is not among them nothing is known.
    pub known: BTreeMap<String, Known>,
    /// Of the alarms that are remembered apart those that something is new of, and some others where there is room.
    pub apart: BTreeMap<String, Open>,
}

#[cfg(test)]
mod tests;
