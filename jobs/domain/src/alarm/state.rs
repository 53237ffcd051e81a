//! What the machine remembers of a source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Aspect, RuleId, Severity, condition::Memory};
use crate::{Source, Timestamp};

/// Everything the machine remembers of one source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SourceState {
    /// The conditions that are not plainly normal, by rule.
    #[serde(default)]
    pub conditions: BTreeMap<RuleId, ConditionState>,
    /// What conditions remember that one fact does not decide, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memories: BTreeMap<RuleId, Memory>,
    /// When the last alarm of a rule that has a cooldown was raised, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub raised: BTreeMap<RuleId, Timestamp>,
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
    /// When to look again if nothing arrives: when the earliest pending condition, or the earliest silence, is due.
    pub fn timer(&self) -> Option<Timestamp> {
        let pending = self.conditions.values().filter_map(|condition| match condition {
            ConditionState::Pending { due, .. } => Some(*due),
            ConditionState::Active { .. } => None,
        });
        let silences = self.memories.values().filter_map(Memory::due).filter(|_| self.unknown.is_none());
        pending.chain(silences).min()
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
        /// How much it matters.
        severity: Severity,
        /// What was seen, for the notice.
        detail: String,
    },
    /// Raised.
    Active {
        /// The alarm's id: derived from source, rule and the evidence that began it.
        alarm: String,
        /// Since when the condition holds.
        since: Timestamp,
        /// How much it matters: its end matters as much.
        severity: Severity,
        /// Since when it is seen to be normal, where it must be so for some time to end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        normal_since: Option<Timestamp>,
        /// Whether nobody was told.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shadow: bool,
    },
}
