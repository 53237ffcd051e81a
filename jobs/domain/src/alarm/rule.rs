//! Rules: what is watched on a source.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Severity, condition::Condition};
use crate::{Timestamp, calendar::Calendar, time::as_millis};

/// Names a rule, unique among the rules of one source: `threshold:temperature`, `timeout`, `offline`.
pub type RuleId = String;

/// One thing that is watched on a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name among the source's rules.
    pub id: RuleId,
    /// What is abnormal.
    pub condition: Condition,
    /// How much it matters, where the condition does not say it itself.
    pub severity: Severity,
    /// How long the condition must hold before the alarm is raised (`for` in Prometheus, `OnDelay` in OPC UA Part 9).
    #[serde(rename = "on_delay_ms", with = "as_millis", default, skip_serializing_if = "Duration::is_zero")]
    pub on_delay: Duration,
    /// How long the source must be seen to be normal before the alarm ends (`keep_firing_for`, `OffDelay`).
    #[serde(rename = "off_delay_ms", with = "as_millis", default, skip_serializing_if = "Duration::is_zero")]
    pub off_delay: Duration,
    /// How long after an alarm was raised the next one is raised at the earliest.
    #[serde(rename = "cooldown_ms", with = "as_millis", default, skip_serializing_if = "Duration::is_zero")]
    pub cooldown: Duration,
    /// When it is watched; always without. What is abnormal outside is raised when that begins, unless it is over by then; what was
    /// raised before ends on evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Calendar>,
    /// Whether it is only tried out: what it raises is recorded, and nobody is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// Whether its alarms stand until somebody resets them, also when the condition is over (`Latched` in OPC UA Part 9).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub latched: bool,
    /// How long an acknowledgement holds that says nothing of it; for good when zero.
    #[serde(rename = "acknowledged_for_ms", with = "as_millis", default, skip_serializing_if = "Duration::is_zero")]
    pub acknowledged_for: Duration,
    /// How long its alarms may be on the shelf; 7 days when zero (`MaxTimeShelved`).
    #[serde(rename = "most_shelved_ms", with = "as_millis", default, skip_serializing_if = "Duration::is_zero")]
    pub most_shelved: Duration,
    /// When it is damped; as the installation says without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Flapping>,
    /// Which writing of it this is, where people made it and it is in force. No part of what it says.
    #[serde(skip)]
    pub version: Option<u64>,
    /// When people changed it last, where they made it and it is in force. No part of what it says.
    #[serde(skip)]
    pub changed_at: Option<Timestamp>,
}

/// When a rule that comes and goes is no longer told each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flapping {
    /// How often it may be raised, or come to matter more or less, in that time; never damped when 0.
    pub more_than: u16,
    /// In which time.
    #[serde(rename = "within_ms", with = "as_millis")]
    pub within: Duration,
    /// How long it must neither be raised, nor change, nor end to be told again.
    #[serde(rename = "calm_ms", with = "as_millis")]
    pub calm: Duration,
}

impl Default for Flapping {
    fn default() -> Self {
        Self { more_than: 5, within: Duration::from_mins(30), calm: Duration::from_mins(15) }
    }
}

impl Rule {
    /// A rule without delays.
    pub fn new(id: impl Into<RuleId>, condition: Condition, severity: Severity) -> Self {
        Self {
            id: id.into(),
            condition,
            severity,
            on_delay: Duration::ZERO,
            off_delay: Duration::ZERO,
            cooldown: Duration::ZERO,
            schedule: None,
            shadow: false,
            latched: false,
            acknowledged_for: Duration::ZERO,
            most_shelved: Duration::ZERO,
            flapping: None,
            version: None,
            changed_at: None,
        }
    }

    /// The same, whose condition must hold for so long before the alarm is raised.
    #[must_use]
    pub fn held_for(self, on_delay: Duration) -> Self {
        Self { on_delay, ..self }
    }

    /// Whether it is watched at that instant.
    pub(super) fn is_watched(&self, at: Timestamp) -> bool {
        self.schedule.as_ref().is_none_or(|schedule| schedule.covers(at))
    }

    /// The first instant from this one on at which it is watched; none when it never is.
    pub(super) fn watched_from(&self, at: Timestamp) -> Option<Timestamp> {
        match &self.schedule {
            Some(schedule) if !schedule.covers(at) => schedule.next_change(at),
            _ => Some(at),
        }
    }

    /// Refuses a rule that could never be raised, or never end; says which part of it is wrong.
    pub fn check(&self) -> Result<(), BadRule> {
        for (place, time) in [
            ("on_delay_ms", self.on_delay),
            ("off_delay_ms", self.off_delay),
            ("cooldown_ms", self.cooldown),
            ("acknowledged_for_ms", self.acknowledged_for),
            ("most_shelved_ms", self.most_shelved),
        ] {
            if time > LONGEST {
                return Err(Wrong::TooLong.at(place));
            }
        }
        if let Some(flapping) = self.flapping {
            flapping.check()?;
        }
        self.condition.check("condition")
    }
}

impl Flapping {
    fn check(&self) -> Result<(), BadRule> {
        if usize::from(self.more_than) > MOST_RAISES {
            return Err(Wrong::TooManyRaises.at("flapping.more_than"));
        }
        for (place, time) in [("flapping.within_ms", self.within), ("flapping.calm_ms", self.calm)] {
            if self.more_than > 0 && (time.is_zero() || time > LONGEST) {
                return Err(Wrong::TooLong.at(place));
            }
        }
        Ok(())
    }
}

/// The most raises that can be waited for until a rule flaps: each of them is remembered.
const MOST_RAISES: usize = 100;

/// The longest delay, and the longest window.
pub(super) const LONGEST: Duration = Duration::from_hours(24 * 31);

/// Why a rule cannot be watched, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {wrong}")]
pub struct BadRule {
    /// The part of the rule that is wrong: `condition.of[1].max`.
    pub place: String,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What may be wrong with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It watches nothing.
    #[error("the value's name is missing")]
    NoName,
    /// It can never be abnormal.
    #[error("a limit is missing: say min, max or both")]
    NoLimit,
    /// It compares with nothing.
    #[error("this is not a number")]
    NotANumber,
    /// It can never be normal.
    #[error("the limits leave nothing between them: min must be less than max")]
    NothingInside,
    /// Once raised it could never end.
    #[error("the deadband must be at least 0 and less than half of what lies between min and max")]
    Deadband,
    /// It can never be normal, or never abnormal.
    #[error("the states are missing")]
    NoState,
    /// It is made of nothing.
    #[error("there are no conditions in it")]
    Empty,
    /// It is made of too much.
    #[error("there is too much in it: at most 32 conditions, at most 4 deep")]
    TooMuch,
    /// Levels that cannot be told apart.
    #[error("the further a level is, the more it must matter: each limit and each severity only once on a side")]
    Levels,
    /// No bit of a number.
    #[error("bits are counted from 0 to 52")]
    NoBit,
    /// It needs time.
    #[error("this must take a time, 31 days at most")]
    TooLong,
    /// It can never be abnormal, or is always.
    #[error("the count must be at least 1")]
    NoCount,
    /// It is remembered for too many.
    #[error("at most 100 raises can be counted")]
    TooManyRaises,
    /// It is remembered for too many.
    #[error("at most 100 times can be counted")]
    TooManyTimes,
    /// All of it together is.
    #[error("it remembers too much: 300 in all, where a count remembers as many as it counts, and a window 60")]
    TooMuchRemembered,
    /// Nothing says it of a device.
    #[error("rules watch devices, of which \"lost\" and \"away\" say nothing: set the target")]
    NotOfADevice,
    /// Nothing says it of a terminal.
    #[error("a terminal is \"lost\" or has values; \"away\", \"missed\" and \"no_data\" say nothing of it")]
    NotOfATerminal,
    /// Nothing says it of a node.
    #[error("a node is \"lost\" or has values; \"away\" and \"missed\" say nothing of it")]
    NotOfANode,
    /// Nothing says it of a part of the platform.
    #[error("a part of the platform is \"away\" or has values; \"lost\" and \"missed\" say nothing of it")]
    NotOfThePlatform,
}

impl Wrong {
    /// Where it is so.
    pub(super) fn at(self, place: impl Into<String>) -> BadRule {
        BadRule { place: place.into(), wrong: self }
    }
}
