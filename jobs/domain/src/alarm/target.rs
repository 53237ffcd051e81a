//! What rules watch: devices, and what they hang on.

use serde::{Deserialize, Serialize};

use super::{BadRule, Condition, Wrong, metric::Metric};
use crate::Source;

/// What a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Devices, by the values that their protocols name.
    #[default]
    Device,
    /// Terminals: whether they are on their nodes, and what is known of them and of their SIMs.
    Terminal,
    /// Gateway programs.
    Node,
    /// Parts of the platform, each by something that it needs.
    Platform,
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 4] = [Self::Device, Self::Terminal, Self::Node, Self::Platform];

    /// What a source is.
    pub fn of(source: &Source) -> Self {
        match source {
            Source::Device(_) => Self::Device,
            Source::Terminal(_) => Self::Terminal,
            Source::Node(_) => Self::Node,
            Source::Platform(_) => Self::Platform,
        }
    }

    /// The values that it has whatever protocol is spoken.
    pub fn metrics(self) -> &'static [Metric] {
        Metric::of(self)
    }

    /// The rules that are watched on it whatever protocol is spoken: they can be replaced.
    pub fn common_rules(self) -> &'static [&'static str] {
        match self {
            Self::Device => &["timeout", "ups_fault"],
            Self::Terminal => &["offline", "sim_expiry", "data_left"],
            Self::Node => &["offline"],
            Self::Platform => &["away"],
        }
    }

    /// Refuses a condition of something that can never be said of it, with the place of that.
    pub fn check(self, condition: &Condition) -> Result<(), BadRule> {
        match condition.place_of("condition", &|part| !self.knows(part)) {
            Some(place) => Err(self.wrong().at(place)),
            None => Ok(()),
        }
    }

    /// Whether facts about it may speak of a condition.
    fn knows(self, condition: &Condition) -> bool {
        match condition {
            Condition::Lost => matches!(self, Self::Terminal | Self::Node),
            Condition::Away => self == Self::Platform,
            Condition::Missed { .. } => self == Self::Device,
            // What is known of a terminal is not said by itself.
            Condition::NoData { .. } => self != Self::Terminal,
            _ => true,
        }
    }

    fn wrong(self) -> Wrong {
        match self {
            Self::Device => Wrong::NotOfADevice,
            Self::Terminal => Wrong::NotOfATerminal,
            Self::Node => Wrong::NotOfANode,
            Self::Platform => Wrong::NotOfThePlatform,
        }
    }
}

impl Condition {
    /// The place of the first part of it of which that is so.
    fn place_of(&self, place: &str, is_so: &impl Fn(&Self) -> bool) -> Option<String> {
        if is_so(self) {
            return Some(place.to_owned());
        }
        match self {
            Self::All { of } | Self::Any { of } => {
                let mut parts = of.iter().enumerate();
                parts.find_map(|(number, part)| part.place_of(&format!("{place}.of[{number}]"), is_so))
            }
            Self::Not { of } | Self::Count { of, .. } => of.place_of(&format!("{place}.of"), is_so),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
