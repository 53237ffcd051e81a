//! Silences: what nobody is told of for a while, and maintenance windows, which come again.

use serde::{Deserialize, Serialize};

use crate::{
    Mac, NodeName, Source, Timestamp,
    alarm::{RuleId, Severity, owner, unowned},
    calendar::Calendar,
};

/// What a policy is about: all that it names must fit, and what it does not name may be anything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// This device, terminal, node or part of the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// This terminal and the devices on its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Mac>,
    /// This node and all that hangs on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// This rule, or all rules of a kind: `threshold:temperature`, `threshold`, `timeout`. Whose rules they are matters only where it
    /// says so, as alarms do: `user:ann:timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// What matters at most so much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity_at_most: Option<Severity>,
}

/// What somebody may be told of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject<'a> {
    /// What it is about.
    pub source: &'a Source,
    /// The node that its terminal hangs on.
    pub node: Option<&'a str>,
    /// The rule that raised it.
    pub rule: &'a str,
    /// How much it matters.
    pub severity: Severity,
}

impl Subject<'_> {
    /// The node that this is, or that it hangs on.
    pub fn node(&self) -> Option<&str> {
        match self.source {
            Source::Node(name) => Some(name),
            Source::Device(_) | Source::Terminal(_) | Source::Platform(_) => self.node,
        }
    }
}

impl Matcher {
    /// Whether a policy of this is about it.
    pub fn fits(&self, subject: &Subject<'_>) -> bool {
        let is_rule = |rule: &RuleId| {
            let is_theirs = owner(rule).is_none_or(|owns| owner(subject.rule).as_ref() == Some(&owns));
            let kind = unowned(subject.rule).strip_prefix(unowned(rule));
            is_theirs && kind.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        self.source.as_ref().is_none_or(|source| source == subject.source)
            && self.terminal.as_ref().is_none_or(|mac| subject.source.mac() == Some(mac))
            && self.node.as_deref().is_none_or(|node| subject.node() == Some(node))
            && self.rule.as_ref().is_none_or(is_rule)
            && self.severity_at_most.is_none_or(|most| subject.severity <= most)
    }

    /// The terminals that it names.
    pub fn macs(&self) -> impl Iterator<Item = &Mac> {
        self.terminal.iter().chain(self.source.as_ref().and_then(Source::mac))
    }

    /// Whether it names what only administrators see: a node, a part of the platform.
    pub fn is_for_administrators(&self) -> bool {
        self.node.is_some() || self.source.as_ref().is_some_and(|source| source.mac().is_none())
    }
}

/// When a silence holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Window {
    /// Once.
    Once {
        /// From then on.
        from: Timestamp,
        /// No longer from then on.
        until: Timestamp,
    },
    /// At these hours of each week.
    Weekly {
        /// The hours, as the clocks of a place show them.
        calendar: Calendar,
        /// Not before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// No longer from then on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

impl Window {
    /// Whether it holds at an instant.
    pub fn holds(&self, at: Timestamp) -> bool {
        match self {
            Self::Once { from, until } => (*from..*until).contains(&at),
            Self::Weekly { calendar, from, until } => {
                from.is_none_or(|from| at >= from) && until.is_none_or(|until| at < until) && calendar.covers(at)
            }
        }
    }

    /// When it no longer holds, given that it holds at `at`. What never ends is looked at again in a day.
    pub fn ends(&self, at: Timestamp) -> Timestamp {
        match self {
            Self::Once { until, .. } => *until,
            Self::Weekly { calendar, until, .. } => {
                let change = calendar.next_change(at).unwrap_or_else(|| at.plus(super::A_DAY));
                until.map_or(change, |until| change.min(until))
            }
        }
    }

    /// When it is over for good, if it ever is.
    pub fn over(&self) -> Option<Timestamp> {
        match self {
            Self::Once { until, .. } => Some(*until),
            Self::Weekly { until, .. } => *until,
        }
    }
}

/// What is not told while a window holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// What.
    pub matcher: Matcher,
    /// When.
    pub window: Window,
}

impl Silence {
    /// Whether it keeps this from being told at an instant.
    pub fn holds(&self, subject: &Subject<'_>, at: Timestamp) -> bool {
        self.window.holds(at) && self.matcher.fits(subject)
    }
}
