//! What the machine remembers of a source.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Aspect, Change, ChangeKind, Late, Life, Quiet, RuleId, Severity, change::About, condition::Memory};
use crate::{Source, Timestamp, time::as_millis};

/// The name under which all of a source is out of service.
pub(super) const WHOLE_SOURCE: &str = "";

/// Everything the machine remembers of one source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SourceState {
    /// The conditions that are not plainly normal, by rule.
    #[serde(default)]
    pub conditions: BTreeMap<RuleId, ConditionState>,
    /// What conditions remember that one fact does not decide, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memories: BTreeMap<RuleId, Memory>,
    /// By which condition all of that was judged, by rule: one that says something else remembers nothing of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub judged_by: BTreeMap<RuleId, String>,
    /// When the last alarm of a rule that has a cooldown was raised, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub raised: BTreeMap<RuleId, Timestamp>,
    /// What is remembered of the rules that were ever raised.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lives: BTreeMap<RuleId, Life>,
    /// What is out of service: rules, and under the empty name the source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub out_of_service: BTreeMap<RuleId, Quiet>,
    /// Readings that came late and would have raised a rule, until they are summed up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub late: BTreeMap<RuleId, Late>,
    /// The latest of them, lest one is counted twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late_seen: Vec<Timestamp>,
    /// When conditions held of late that hold no more, whether they were raised or not, the latest last: what was seen then was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// The newest evidence of each aspect that was looked at: anything of that aspect that is not newer is late and changes
    /// nothing. Aspects are kept apart, since two workers may bring a last value and the loss that followed it in the wrong
    /// order: neither may undo the other.
    #[serde(default)]
    pub newest: BTreeMap<Aspect, Seen>,
    /// Why nothing is known of the source at present, if so.
    #[serde(default)]
    pub unknown: Option<Source>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_since: Option<Timestamp>,
}

impl SourceState {
    /// When to look again if nothing arrives: when the earliest pending condition, the earliest silence, or the end of
    /// what holds for some time only is due. Nothing that stands still is.
    pub fn timer(&self) -> Option<Timestamp> {
        self.delays().chain(self.expiry()).min()
    }

    /// When the delays that run, and the silences that are waited for, are over.
    pub(super) fn delays(&self) -> impl Iterator<Item = Timestamp> {
        let delays = self.conditions.values().filter_map(ConditionState::delay);
        let pending = delays.filter(|(since, due)| !self.stands_still(*since, *due)).map(|(_, due)| due);
        let silences = self.memories.values().filter_map(Memory::due).filter(|_| self.unknown.is_none());
        pending.chain(silences)
    }

    /// When the earliest of what holds for some time only ends: an acknowledgement, a shelf, a damping.
    pub(super) fn expiry(&self) -> Option<Timestamp> {
        let words = self.conditions.values().filter_map(|condition| condition.active()?.acknowledged.as_ref()?.until);
        let lost = self.lost();
        let lives = self.lives.values().filter_map(|life| life.due(lost));
        let service = self.out_of_service.values().filter_map(|quiet| quiet.until);
        words.chain(lives).chain(service).min()
    }

    /// Who took a rule, or all of the source, out of service, if that holds at an instant.
    pub fn out_of_service(&self, rule: &str, at: Timestamp) -> Option<&Quiet> {
        let named = [rule, WHOLE_SOURCE].into_iter().filter_map(|name| self.out_of_service.get(name));
        named.into_iter().find(|quiet| quiet.covers(at))
    }

    /// The active alarm of that id, and its rule.
    pub fn alarm(&self, id: &str) -> Option<(&RuleId, &Active)> {
        let mut active = self.conditions.iter().filter_map(|(rule, condition)| Some((rule, condition.active()?)));
        active.find(|(_, active)| active.alarm == id)
    }
}

/// A time in which a rule's condition held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The rule.
    pub rule: RuleId,
    /// From when.
    pub since: Timestamp,
    /// When it was seen that it does not any more.
    pub until: Timestamp,
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
    Pending(Pending),
    /// Raised.
    Active(Box<Active>),
}

/// A condition that is abnormal, but not yet for long enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Since when.
    pub since: Timestamp,
    /// When its delay is over, if nothing better is heard.
    pub due: Timestamp,
    /// When its rule is watched next, where it is not then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Timestamp>,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, for the notice.
    pub detail: String,
}

/// An alarm that stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Active {
    /// The alarm's id: derived from source, rule and the evidence that began it.
    pub alarm: String,
    /// Since when the condition holds.
    pub since: Timestamp,
    /// How much it matters: its end matters as much.
    pub severity: Severity,
    /// Since when it is seen to be normal, where it must be so for some time to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal_since: Option<Timestamp>,
    /// When that is long enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// Whether nobody was told, since the rule is only tried out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// What was seen when it was raised, or came to matter as it does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Who has it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
    /// How long somebody's word holds who says nothing of it; for good when zero.
    #[serde(rename = "acknowledged_for_ms", with = "as_millis", default, skip_serializing_if = "Duration::is_zero")]
    pub acknowledged_for: Duration,
    /// Since when the condition of a latched alarm is over, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_since: Option<Timestamp>,
    /// That the condition of a latched alarm is abnormal again, but not yet for long enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Pending>,
}

/// An alarm that is seen to be normal, but not yet for long enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// When it ends if nothing worse is heard.
    pub due: Timestamp,
    /// What was seen, for the notice.
    pub detail: String,
    /// Whether something was heard since by which nobody knows whether it is normal still: then time alone does not end it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
}

/// Somebody's word that they take an alarm on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The user.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when it holds; for good without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How much it mattered then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

impl ConditionState {
    /// The alarm, if it was raised.
    pub fn active(&self) -> Option<&Active> {
        match self {
            Self::Active(active) => Some(active),
            Self::Pending(_) => None,
        }
    }

    pub(super) fn active_mut(&mut self) -> Option<&mut Active> {
        match self {
            Self::Active(active) => Some(active),
            Self::Pending(_) => None,
        }
    }

    /// Whether an alarm of it stands, or is about to: not what waits for its rule's hours.
    pub fn is_seen(&self) -> bool {
        match self {
            Self::Pending(pending) => pending.waits.is_none(),
            Self::Active(_) => true,
        }
    }

    /// Since when the condition holds, or held.
    pub(super) fn since(&self) -> Timestamp {
        match self {
            Self::Pending(pending) => pending.since,
            Self::Active(active) => active.since,
        }
    }

    /// Since when a delay runs, if one does, and when it is over.
    pub(super) fn delay(&self) -> Option<(Timestamp, Timestamp)> {
        let active = match self {
            Self::Pending(pending) => return Some((pending.since, pending.raised_at())),
            Self::Active(active) => active,
        };
        let again = active.again.as_ref().map(|again| (again.since, again.raised_at()));
        let ending = active.ending.as_ref().filter(|ending| !ending.doubtful);
        again.or_else(|| Some((active.normal_since?, ending?.due)))
    }
}

impl Pending {
    /// When it is to be raised if nothing better is heard.
    pub fn raised_at(&self) -> Timestamp {
        self.waits.unwrap_or(self.due)
    }
}

impl Active {
    /// An alarm that was just raised, of which nobody has said anything.
    pub fn new(alarm: impl Into<String>, since: Timestamp, severity: Severity) -> Self {
        Self {
            alarm: alarm.into(),
            since,
            severity,
            normal_since: None,
            ending: None,
            shadow: false,
            detail: String::new(),
            acknowledged: None,
            acknowledged_for: Duration::ZERO,
            over_since: None,
            again: None,
        }
    }

    /// Whether somebody has it on who knew how much it matters: their word is not for what came to matter more since.
    pub fn is_taken_on(&self) -> bool {
        self.acknowledged.as_ref().is_some_and(|word| self.severity.is_covered(word.severity))
    }

    /// Whether its condition holds: not that of a latched alarm that is over.
    pub fn holds(&self) -> bool {
        self.over_since.is_none()
    }

    /// The change that it ends by since its source is no more: for the record alone.
    pub fn removed(&self, rule: &str, at: Timestamp, reason: &str) -> Change {
        let change = Change::of(ChangeKind::Cleared, self.about(rule), at, reason);
        change.over_at(self.over_since.unwrap_or(at)).recorded()
    }

    /// That a change is about it.
    pub(super) fn about<'a>(&'a self, rule: &'a str) -> About<'a> {
        let Self { severity, since, shadow, .. } = *self;
        About { alarm: &self.alarm, rule, severity, since, shadow }
    }
}
