//! What people do about alarms.

use serde::{Deserialize, Serialize};

use super::RuleId;
use crate::Timestamp;

/// Something that somebody did about the alarms of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The user.
    pub by: String,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What they did.
    pub deed: Deed,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Deed {
    /// They took an alarm on that stands. The first word stands, unless it is void.
    Acknowledge {
        /// The alarm.
        alarm: String,
        /// How long their word holds; as long as the rule says without.
        until: Option<Timestamp>,
        /// Words of then and before hold no more: where a word holds for so long only, whatever the rule says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        void_up_to: Option<Timestamp>,
    },
    /// They ended a latched alarm, whose condition is over and which somebody has taken on.
    Reset {
        /// The alarm.
        alarm: String,
    },
    /// They put the alarms of a rule on the shelf: nobody is told.
    Shelve {
        /// The rule.
        rule: RuleId,
        /// Until when; no longer than the rule allows.
        until: Option<Timestamp>,
        /// Whether it is off the shelf as soon as its condition is over.
        once: bool,
    },
    /// They took them off again.
    Unshelve {
        /// The rule.
        rule: RuleId,
    },
    /// They took a rule, or all of the source, out of service: nobody is told.
    TakeOut {
        /// The rule; all of the source without.
        rule: Option<RuleId>,
        /// Until when; until somebody puts it back without.
        until: Option<Timestamp>,
    },
    /// They put it back into service.
    PutBack {
        /// The rule; all of the source without.
        rule: Option<RuleId>,
    },
}
