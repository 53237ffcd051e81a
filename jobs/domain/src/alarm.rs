//! The alarm machine: evidence in, changes out. `step` is its only door.
//!
//! A source (a device, a terminal, a node) has one [`SourceState`] that holds every condition watched on it. A condition
//! is raised and cleared **on evidence only**: silence, a lost parent or a restart change what is *known*, never what is
//! *true*. The same evidence twice changes nothing.

mod act;
mod change;
mod condition;
mod evidence;
mod frames;
mod life;
mod machine;
pub mod metric;
mod owner;
pub mod quality;
mod replay;
mod rule;
mod rule_set;
mod sight;
mod state;
mod target;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use act::{Act, Deed};
pub use change::{About, Change, ChangeKind, Untold};
pub use condition::{Comparison, Condition, Figure, Level, Memory};
pub use evidence::{Aspect, Evidence, Fact, Observed};
pub use frames::{Frame, Frames};
pub use life::{Flap, Late, Life, MOST_SHELVED, Owed, Quiet};
pub use machine::{MOST_CHANGES, Step, step};
pub use metric::Metric;
pub use owner::{owned, owner, unowned};
pub use replay::{Episode, Replay, episodes};
pub use rule::{BadRule, Flapping, Rule, RuleId, Wrong};
pub use rule_set::RuleSet;
pub use sight::{Against, Sight, Why};
pub use state::{Acknowledged, Active, ConditionState, Ending, Held, Pending, Seen, SourceState};
pub use target::Target;

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

impl Severity {
    /// Whether a word that was given for something that mattered so much holds for what matters as this does: not for what came to
    /// matter more since. Where it is not known how much it mattered, it holds.
    pub fn is_covered(self, given_for: Option<Self>) -> bool {
        given_for.is_none_or(|then| self <= then)
    }
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
