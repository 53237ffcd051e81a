//! What the machine says: what happened to which alarm.

use serde::{Deserialize, Serialize};

use super::{RuleId, Severity};
use crate::Timestamp;

/// What one step did to one alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The alarm's id (a ULID text, derived).
    pub alarm: String,
    /// The rule.
    pub rule: RuleId,
    /// How much it matters: from now on, or for what ended, in the end.
    pub severity: Severity,
    /// What happened.
    pub kind: ChangeKind,
    /// When: the time of the evidence, or the end of the delay.
    pub at: Timestamp,
    /// When the alarm's condition began.
    pub since: Timestamp,
    /// What was seen, in words: `temperature 35.2 ℃, limits 10 ~ 30`.
    pub detail: String,
    /// Whether the rule is only tried out: it is recorded, and nobody is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// What happened to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The condition became true.
    Raised,
    /// It matters more, or less, than before.
    SeverityChanged,
    /// The condition was seen to be normal again.
    Cleared,
}
