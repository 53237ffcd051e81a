//! What the machine says: what happened to which alarm.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{RuleId, Severity};
use crate::Timestamp;

/// What one step did to one alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The alarm's id (a ULID text, derived). Empty where it is about no one alarm: a source that is out of service.
    pub alarm: String,
    /// The rule; empty where it is about all of a source.
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
    /// Why nobody is told, where nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
    /// For how long the condition held, in milliseconds, where it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasted_ms: Option<u64>,
    /// Who did it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How long it holds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How often: of an alarm, how often the rule was raised on its source; of flapping, how often meanwhile; of late
    /// readings, how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The alarm that showed that its rule comes and goes, while it does, and where that ends: it was told under that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_by: Option<String>,
    /// Where what spoke against telling is over: whether people were told before that it stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_before: bool,
}

/// What happened to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The condition became true.
    Raised,
    /// It matters more, or less, than before.
    SeverityChanged,
    /// The condition was seen to be normal again, or what was latched was reset.
    Cleared,
    /// The condition is over, and the alarm stands until somebody resets it.
    Latched,
    /// The condition of a latched alarm is true again.
    Recurred,
    /// Somebody took it on.
    Acknowledged,
    /// Nobody has it on any more: their word held for some time only.
    AcknowledgementExpired,
    /// Somebody put it on the shelf: nobody is told for a while.
    Shelved,
    /// It is off the shelf again.
    Unshelved,
    /// The source, or the rule on it, was taken out of service: nobody is told.
    OutOfService,
    /// It is in service again.
    InService,
    /// It comes and goes too often to be told each time.
    Flapping,
    /// It has been calm for long enough to be told again.
    Calmed,
    /// Readings that came too late to raise anything would have.
    Late,
}

/// Why nobody is told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// It is out of service.
    OutOfService,
    /// It is on the shelf.
    Shelved,
    /// It comes and goes all the time.
    Flapping,
    /// It is for the record: an act, whoever did it knows; or what is long over.
    Record,
}

impl Change {
    /// Whether those whom it concerns are to be told.
    pub fn is_told(&self) -> bool {
        !self.shadow && self.untold.is_none()
    }

    /// Whether nobody can have been told of the alarm before, nor of its coming and going.
    pub fn is_first(&self) -> bool {
        self.kind == ChangeKind::Raised && !self.flaps()
    }

    /// Whether it says that the alarm stands from now on.
    pub fn begins(&self) -> bool {
        self.kind == ChangeKind::Raised
            || self.kind == ChangeKind::Recurred
            || self.tells_how_it_stands() && self.lasted_ms.is_none()
    }

    /// Whether it says that the alarm stands no more.
    pub fn ends(&self) -> bool {
        self.kind == ChangeKind::Cleared || self.tells_how_it_stands() && self.lasted_ms.is_some()
    }

    /// Whether what spoke against telling is over, and it says how the alarm stands.
    pub(crate) fn tells_how_it_stands(&self) -> bool {
        use ChangeKind::{Calmed, InService, Unshelved};

        matches!(self.kind, Unshelved | InService | Calmed) && !self.alarm.is_empty()
    }

    /// The alarm under whose name people were told of it: what comes and goes is told under that of the one that showed it.
    pub fn told_as(&self) -> &str {
        self.shown_by.as_ref().unwrap_or(&self.alarm)
    }

    /// The alarm under whose name it goes on: what is calm goes on under its own.
    pub fn goes_on_as(&self) -> &str {
        if self.flaps() { self.told_as() } else { &self.alarm }
    }

    /// Whether its rule comes and goes from then on.
    pub fn flaps(&self) -> bool {
        self.kind == ChangeKind::Flapping || self.shown_by.is_some() && self.kind != ChangeKind::Calmed
    }

    /// For how long the condition held, where it is over.
    pub fn lasted(&self) -> Option<Duration> {
        self.lasted_ms.map(Duration::from_millis)
    }

    /// Of an alarm: nobody did it, and all are told.
    pub fn of(kind: ChangeKind, about: About<'_>, at: Timestamp, detail: impl Into<String>) -> Self {
        let About { alarm, rule, severity, since, shadow } = about;
        Self {
            alarm: alarm.to_owned(),
            rule: rule.to_owned(),
            severity,
            kind,
            at,
            since,
            detail: detail.into(),
            shadow,
            untold: None,
            lasted_ms: None,
            by: None,
            why: None,
            until: None,
            count: None,
            shown_by: None,
            told_before: false,
        }
    }

    /// Which alarm it is about.
    pub(super) fn about(&self) -> About<'_> {
        let Self { severity, since, shadow, .. } = *self;
        About { alarm: &self.alarm, rule: &self.rule, severity, since, shadow }
    }

    /// The same, for the record alone.
    pub(super) fn recorded(self) -> Self {
        Self { untold: Some(Untold::Record), ..self }
    }

    /// The same, at the end of a condition that held until `over`.
    pub(super) fn over_at(mut self, over: Timestamp) -> Self {
        self.lasted_ms = u64::try_from(over.since(self.since).as_millis()).ok();
        self
    }

    /// The same, as the doing of somebody.
    pub(super) fn done(mut self, by: &str, why: Option<&str>) -> Self {
        self.by = Some(by.to_owned());
        self.why = why.map(str::to_owned);
        self
    }
}

/// Which alarm a change is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The alarm's id.
    pub alarm: &'a str,
    /// The rule that raised it.
    pub rule: &'a str,
    /// How much it matters.
    pub severity: Severity,
    /// When its condition began.
    pub since: Timestamp,
    /// Whether its rule is only tried out.
    pub shadow: bool,
}

#[cfg(test)]
mod tests;
