//! What became of an alarm, change by change.

use domain::{
    Source, Timestamp,
    alarm::{Change, ChangeKind, Life, Severity},
};
use serde::{Deserialize, Serialize};

use super::{Acknowledgement, Alarm, SeverityChange};
use crate::Versioned;

/// How many events of one alarm are kept, the latest: all of them stand in its source's transitions.
const MOST_EVENTS: usize = 50;

/// How many changes of how much one alarm matters are kept: the first, the worst, and the latest.
const MOST_SEVERITIES: usize = 50;
/// So many of them are the first.
const FIRST_SEVERITIES: usize = 10;

/// What became of an alarm beside its beginning and its end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AlarmLife {
    /// Which raise of its rule on its source it is, from 1; 0 where that was not counted.
    pub occurrence: u32,
    /// When the first of them was raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_raised_at: Option<Timestamp>,
    /// When its condition was over: that of a latched alarm before it was reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_at: Option<Timestamp>,
    /// Who put it on the shelf, if it lies there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shelved: Option<Shelved>,
    /// How many readings said so, where it was heard of too late to be raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_readings: Option<u32>,
    /// How often it came to matter more or less between the first times that are kept and the latest.
    #[serde(skip_serializing_if = "is_zero")]
    pub severities_between: u32,
    /// What was done about it, and what became of that, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<AlarmEvent>,
}

/// That an alarm lies on the shelf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelved {
    /// Who put it there.
    pub by: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Something that happened to an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: ChangeKind,
    /// How much it mattered then.
    pub severity: Severity,
    /// What was seen, or what it came to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Who did it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An alarm after a change, given what is known of it, and of its rule on its source.
pub(super) fn after(
    source: &Source,
    change: &Change,
    known: Option<Versioned<Alarm>>,
    life: Option<&Life>,
) -> Versioned<Alarm> {
    // What was only tried out, and is no longer, is told as raised.
    let goes_on = |known: &Versioned<Alarm>| change.kind != ChangeKind::Raised || known.value.shadow && !change.shadow;
    let Some(mut alarm) = known.filter(goes_on) else {
        return Versioned { value: raised(source, change, life), version: 0 };
    };
    live(&mut alarm.value, change);
    alarm
}

fn live(alarm: &mut Alarm, change: &Change) {
    alarm.severity = change.severity;
    match change.kind {
        ChangeKind::Cleared => {
            alarm.cleared_at = Some(change.at);
            alarm.cleared_by = Some(change.detail.clone());
            alarm.life.over_at = Some(over(change));
            alarm.life.shelved = None;
        }
        ChangeKind::SeverityChanged => {
            let (at, severity, detail) = (change.at, change.severity, change.detail.clone());
            alarm.severities.push(SeverityChange { at, severity, detail });
            bound(alarm);
        }
        ChangeKind::Raised => alarm.shadow = change.shadow,
        ChangeKind::Latched => alarm.life.over_at = Some(over(change)),
        ChangeKind::Recurred => {
            (alarm.acknowledged, alarm.life.over_at) = (None, None);
            alarm.life.occurrence = change.count.unwrap_or(alarm.life.occurrence);
        }
        ChangeKind::Acknowledged => {
            let (at, by, note, until) =
                (change.at, change.by.clone().unwrap_or_default(), change.why.clone(), change.until);
            alarm.acknowledged = Some(Acknowledgement { by, at, note, until, severity: Some(change.severity) });
        }
        ChangeKind::AcknowledgementExpired => alarm.acknowledged = None,
        ChangeKind::Shelved => {
            let (by, why, until) = (change.by.clone().unwrap_or_default(), change.why.clone(), change.until);
            alarm.life.shelved = Some(Shelved { by, why, until });
        }
        ChangeKind::Unshelved => alarm.life.shelved = None,
        _ => {}
    }
    let Change { at, kind, severity, detail, by, why, until, .. } = change.clone();
    let surplus = (alarm.life.events.len() + 1).saturating_sub(MOST_EVENTS);
    alarm.life.events.drain(..surplus);
    alarm.life.events.push(AlarmEvent { at, kind, severity, detail, by, why, until });
}

/// Leaves out what is neither of the first, nor of the latest, nor alone the worst.
fn bound(alarm: &mut Alarm) {
    while alarm.severities.len() > MOST_SEVERITIES {
        let worst = alarm.severities.iter().map(|change| change.severity).max();
        let is_worst = |change: &SeverityChange| Some(change.severity) == worst;
        let is_only = alarm.severities.iter().filter(|change| is_worst(change)).count() == 1;
        let is_kept = is_only && is_worst(&alarm.severities[FIRST_SEVERITIES]);
        alarm.severities.remove(FIRST_SEVERITIES + usize::from(is_kept));
        alarm.life.severities_between = alarm.life.severities_between.saturating_add(1);
    }
}

/// Whether there is nothing to write.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// When the condition was over.
fn over(change: &Change) -> Timestamp {
    change.lasted().map_or(change.at, |lasted| change.since.plus(lasted))
}

/// An alarm of which this is heard first: one that is raised, or one that is over as it becomes known.
fn raised(source: &Source, change: &Change, life: Option<&Life>) -> Alarm {
    let is_late = change.kind == ChangeKind::Late;
    let is_over = is_late || change.kind == ChangeKind::Cleared;
    let over_at = is_over.then(|| over(change));
    let shelf = life.filter(|_| !is_over).and_then(|life| life.shelf.as_ref());
    Alarm {
        id: change.alarm.clone(),
        source: source.clone(),
        rule: change.rule.clone(),
        severity: change.severity,
        detail: change.detail.clone(),
        raised_at: change.since,
        cleared_at: if is_late { over_at } else { is_over.then_some(change.at) },
        cleared_by: is_over.then(|| if is_late { "heard of too late".to_owned() } else { change.detail.clone() }),
        acknowledged: None,
        severities: Vec::new(),
        shadow: change.shadow,
        life: AlarmLife {
            occurrence: change.count.filter(|_| !is_late).unwrap_or_default(),
            first_raised_at: life.filter(|_| !is_late).map(|life| life.first),
            over_at,
            shelved: shelf.map(|shelf| Shelved { by: shelf.by.clone(), why: shelf.why.clone(), until: shelf.until }),
            late_readings: change.count.filter(|_| is_late),
            severities_between: 0,
            events: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests;
