//! The alarm machine: evidence in, changes out. `step` is its only door.
//!
//! A source (a device, a terminal, a node) has one [`SourceState`] that holds every condition watched on it. A condition
//! is raised and cleared **on evidence only**: silence, a lost parent or a restart change what is *known*, never what is
//! *true*. The same evidence twice changes nothing.

mod condition;
mod machine;
mod owner;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    Source, Timestamp,
    reading::{Datum, Quality, Reading, Value},
};

pub use condition::BadRule;
pub use machine::{MOST_CHANGES, Step, step};
pub use owner::{owned, owner, unowned};

/// Names a rule, unique among the rules of one source: `threshold:temperature`, `timeout`, `offline`.
pub type RuleId = String;

/// How much an alarm matters, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look, today.
    Warning,
    /// Somebody should look, now.
    Critical,
}

/// One thing that is watched on a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name among the source's rules.
    pub id: RuleId,
    /// What is abnormal.
    pub condition: Condition,
    /// How much it matters.
    pub severity: Severity,
    /// How long the condition must hold before the alarm is raised.
    #[serde(default)]
    pub on_delay: Duration,
}

/// What a rule calls abnormal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Condition {
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
    /// The raw value is none of the normal ones.
    NotIn {
        /// The value's name.
        name: String,
        /// The normal raw values, as text.
        normal: Vec<String>,
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

/// One fact about a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Names the fact: the same fact told twice has the same id.
    pub id: String,
    /// What it is about.
    pub source: Source,
    /// When it was so.
    pub at: Timestamp,
    /// What was seen.
    pub fact: Fact,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// A device answered with these values. Also ends a run of misses.
    Values {
        /// The values, in the protocol's order.
        values: Vec<Observed>,
    },
    /// A device missed its query, the `count`-th time in a row.
    Missed {
        /// Consecutive misses so far.
        count: u32,
    },
    /// The link to a terminal or node is gone.
    LinkLost {
        /// What was seen: `terminalOff`, `node lost`, …
        cause: String,
        /// How much longer than usual it may stay away, since there is a reason to expect it back.
        #[serde(default, skip_serializing_if = "Duration::is_zero")]
        grace: Duration,
    },
    /// The terminal or node was seen on its link.
    LinkSeen,
    /// What the source hangs on is lost: what was known of it is no longer.
    ParentLost {
        /// The parent.
        parent: Source,
    },
    /// What a part of the platform needs is away, and has been for long enough to tell.
    Away {
        /// What is away, since when, and what waits for it.
        why: String,
    },
    /// It is back.
    Back {
        /// For how long it was away, and what became of what waited.
        how: String,
    },
    /// Nothing but the passing of time: a timer of this source is due.
    Tick,
}

impl Fact {
    /// That a device answered with this reading.
    pub fn of_reading(reading: &Reading) -> Self {
        let observed = |value: &Value| Observed {
            name: value.name.clone(),
            value: value.value.clone(),
            display: value.display.clone(),
            unit: value.unit.clone(),
            quality: value.quality,
        };
        Self::Values { values: reading.values.iter().map(observed).collect() }
    }
}

/// One value as the rules see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The argument's name.
    pub name: String,
    /// The machine form.
    pub value: Datum,
    /// What a person is shown, for the notice.
    pub display: String,
    /// The unit, for the notice.
    pub unit: String,
    /// Only good values raise or clear.
    pub quality: Quality,
}

/// Everything the machine remembers of one source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SourceState {
    /// The conditions that are not plainly normal, by rule.
    #[serde(default)]
    pub conditions: BTreeMap<RuleId, ConditionState>,
    /// The newest evidence of each aspect that was looked at: anything of that aspect that is not newer is late and changes
    /// nothing. Aspects are kept apart, since two workers may bring a last value and the loss that followed it in the wrong
    /// order: neither may undo the other.
    #[serde(default)]
    pub newest: BTreeMap<Aspect, Seen>,
    /// Why nothing is known of the source at present, if so.
    #[serde(default)]
    pub unknown: Option<Source>,
}

impl SourceState {
    /// When to look again if nothing arrives: when the earliest pending condition is due.
    pub fn timer(&self) -> Option<Timestamp> {
        let due = |condition: &ConditionState| match condition {
            ConditionState::Pending { due, .. } => Some(*due),
            ConditionState::Active { .. } => None,
        };
        self.conditions.values().filter_map(due).min()
    }
}

/// What a fact tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// What a device says.
    Values,
    /// That it says nothing.
    Silence,
    /// Whether it, or what it hangs on, can be heard.
    Link,
}

impl Fact {
    /// What it tells of; nothing but the time for a tick.
    pub fn aspect(&self) -> Option<Aspect> {
        match self {
            Self::Values { .. } => Some(Aspect::Values),
            Self::Missed { .. } => Some(Aspect::Silence),
            Self::LinkLost { .. }
            | Self::LinkSeen
            | Self::ParentLost { .. }
            | Self::Away { .. }
            | Self::Back { .. } => Some(Aspect::Link),
            Self::Tick => None,
        }
    }
}

/// Which evidence was looked at last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// Its time.
    pub at: Timestamp,
}

/// One condition's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum ConditionState {
    /// Abnormal, but not yet for long enough.
    Pending {
        /// Since when.
        since: Timestamp,
        /// When it is to be raised if nothing better is heard.
        due: Timestamp,
        /// What was seen, for the notice.
        detail: String,
    },
    /// Raised.
    Active {
        /// The alarm's id: derived from source, rule and the evidence that began it.
        alarm: String,
        /// Since when the condition holds.
        since: Timestamp,
        /// How much it mattered when it was raised: its end matters as much.
        severity: Severity,
    },
}

/// What one step did to one alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The alarm's id (a ULID text, derived).
    pub alarm: String,
    /// The rule.
    pub rule: RuleId,
    /// How much it matters.
    pub severity: Severity,
    /// Raised or cleared.
    pub kind: ChangeKind,
    /// When the alarm was raised or cleared: the time of the evidence, or the end of the delay.
    pub at: Timestamp,
    /// When the alarm's condition began.
    pub since: Timestamp,
    /// What was seen, in words: `temperature 35.2 ℃, limits 10 ~ 30`.
    pub detail: String,
}

/// What happened to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The condition became true.
    Raised,
    /// The condition was seen to be normal again.
    Cleared,
}
