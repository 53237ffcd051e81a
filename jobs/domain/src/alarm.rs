//! The alarm machine: evidence in, changes out. `step` is its only door.
//!
//! A source (a device, a terminal, a node) has one [`SourceState`] that holds every condition watched on it. A condition
//! is raised and cleared **on evidence only**: silence, a lost parent or a restart change what is *known*, never what is
//! *true*. The same evidence twice changes nothing.

mod change;
mod condition;
mod evidence;
mod machine;
mod owner;
mod rule;
mod rule_set;
mod sight;
mod state;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use change::{Change, ChangeKind};
pub use condition::{Comparison, Condition, Figure, Level, Memory};
pub use evidence::{Aspect, Evidence, Fact, Observed};
pub use machine::{MOST_CHANGES, Step, step};
pub use owner::{owned, owner, unowned};
pub use rule::{BadRule, Rule, RuleId, Wrong};
pub use rule_set::RuleSet;
pub use sight::{Against, Sight};
pub use state::{ConditionState, Seen, SourceState};

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

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        })
    }
}
