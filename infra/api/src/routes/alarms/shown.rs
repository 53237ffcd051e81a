//! Alarms as callers see them.

use domain::{
    Timestamp,
    alarm::{self, SourceState},
};
use records::alarms;
use serde::Serialize;
use utoipa::ToSchema;

use super::standing::{OutOfService, Unknown};
use crate::moment::Moment;

/// One condition on one source, with its life.
#[derive(Serialize, ToSchema)]
pub(super) struct Alarm {
    /// Its id.
    id: String,
    /// What it is about.
    source: Source,
    /// The rule that raised it.
    rule: String,
    /// How much it matters.
    severity: Severity,
    /// Whether the condition holds.
    state: AlarmState,
    /// What was seen when it was raised.
    detail: String,
    /// When the condition began.
    raised_at: Moment,
    /// When the condition was seen to be over.
    #[schema(required)]
    cleared_at: Option<Moment>,
    /// What was seen then.
    #[schema(required)]
    cleared_by: Option<String>,
    /// Who took it on.
    #[schema(required)]
    acknowledged: Option<Acknowledgement>,
    /// For how long its condition held, or has held until now, in milliseconds.
    lasted_ms: u64,
    /// How often its rule was raised on its source up to it; 0 where that was not counted.
    occurrence: u32,
    /// When the first of these was raised.
    #[schema(required)]
    first_raised_at: Option<Moment>,
    /// When its condition was over: an active alarm that has this is latched, and waits to be reset.
    #[schema(required)]
    over_at: Option<Moment>,
    /// Who put it on the shelf, if it lies there: nobody is told of it.
    #[schema(required)]
    shelved: Option<Shelved>,
    /// Why nothing is known of its source at present, if so: whether an active alarm's condition still holds, nobody knows.
    #[schema(required)]
    unknown: Option<Unknown>,
    /// Who took its source out of service, or its rule there, if somebody did: nobody is told of it.
    #[schema(required)]
    out_of_service: Option<OutOfService>,
    /// How many readings said so, where they came too late for it to be raised.
    #[schema(required)]
    late_readings: Option<u32>,
    /// How much it came to matter since it was raised, oldest first: the first 10 times, the latest 40, and the worst.
    severities: Vec<SeverityChange>,
    /// How often it came to matter more or less between those.
    severities_between: u32,
    /// What was done about it, and what became of that, oldest first; the latest 50.
    events: Vec<AlarmEvent>,
}

/// That an alarm lies on the shelf.
#[derive(Serialize, ToSchema)]
struct Shelved {
    /// Who put it there.
    by: String,
    /// Why.
    #[schema(required)]
    note: Option<String>,
    /// Until when.
    #[schema(required)]
    until: Option<Moment>,
}

/// That an alarm came to matter more, or less.
#[derive(Serialize, ToSchema)]
struct SeverityChange {
    /// When.
    at: Moment,
    /// How much since then.
    severity: Severity,
    /// What was seen then.
    detail: String,
}

/// Something that happened to an alarm.
#[derive(Serialize, ToSchema)]
struct AlarmEvent {
    /// When.
    at: Moment,
    /// What: `acknowledged`, `acknowledgement_expired`, `shelved`, `unshelved`, `severity_changed`, `latched`, `recurred`,
    /// `flapping`, `calmed`, `in_service`, `cleared`.
    #[schema(value_type = String)]
    kind: alarm::ChangeKind,
    /// How much it mattered then.
    severity: Severity,
    /// What was seen, or what it came to.
    detail: String,
    /// Who did it, where somebody did.
    #[schema(required)]
    by: Option<String>,
    /// Why.
    #[schema(required)]
    note: Option<String>,
    /// Until when it holds.
    #[schema(required)]
    until: Option<Moment>,
}

/// What an alarm or a notice is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Source {
    /// A device on a terminal's line.
    Device {
        /// The terminal.
        mac: String,
        /// The device's address.
        pid: u8,
    },
    /// A terminal.
    Terminal {
        /// The terminal.
        mac: String,
    },
    /// A gateway program.
    Node {
        /// The node.
        name: String,
    },
    /// A part of the platform. For administrators.
    Platform {
        /// The part: `broker:8081`, or `broker:<machine>:8081` where there are several.
        part: String,
        /// What it needs, and cannot reach: `queue`, `store`, or room in its `spool`.
        needs: String,
    },
}

/// How much an alarm matters, least first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look, today.
    Warning,
    /// Somebody should look, now.
    Critical,
}

/// Whether an alarm's condition holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AlarmState {
    /// It holds.
    Active,
    /// It is over.
    Cleared,
}

/// Somebody's word that they take an alarm on.
#[derive(Serialize, ToSchema)]
struct Acknowledgement {
    /// The user.
    by: String,
    /// When.
    at: Moment,
    /// What they said.
    #[schema(required)]
    note: Option<String>,
    /// Until when it holds; for good without.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Moment>,
}

impl Alarm {
    /// An alarm as it stands now, by what is remembered of its source.
    pub(super) fn of(alarm: alarms::Alarm, state: &SourceState, now: Timestamp) -> Self {
        let lasted_ms = u64::try_from(alarm.lasted(now).as_millis()).unwrap_or(u64::MAX);
        let is_active = alarm.cleared_at.is_none();
        let alarms::AlarmLife { occurrence, first_raised_at, over_at, shelved, late_readings, .. } = alarm.life;
        let out_of_service = state.out_of_service(&alarm.rule, now).filter(|_| is_active).map(OutOfService::from);
        Self {
            id: alarm.id,
            source: alarm.source.into(),
            rule: alarm.rule,
            severity: alarm.severity.into(),
            state: if is_active { AlarmState::Active } else { AlarmState::Cleared },
            detail: alarm.detail,
            raised_at: Moment(alarm.raised_at),
            cleared_at: alarm.cleared_at.map(Moment),
            cleared_by: alarm.cleared_by,
            acknowledged: alarm.acknowledged.map(Acknowledgement::from),
            lasted_ms,
            occurrence,
            first_raised_at: first_raised_at.map(Moment),
            over_at: over_at.map(Moment),
            shelved: shelved.filter(|_| is_active).map(Shelved::from),
            unknown: Unknown::of(state).filter(|_| is_active),
            out_of_service,
            late_readings,
            severities_between: alarm.life.severities_between,
            severities: alarm.severities.into_iter().map(SeverityChange::from).collect(),
            events: alarm.life.events.into_iter().map(AlarmEvent::from).collect(),
        }
    }
}

impl From<alarms::Acknowledgement> for Acknowledgement {
    fn from(word: alarms::Acknowledgement) -> Self {
        Self { by: word.by, at: Moment(word.at), note: word.note, until: word.until.map(Moment) }
    }
}

impl From<alarms::Shelved> for Shelved {
    fn from(shelved: alarms::Shelved) -> Self {
        Self { by: shelved.by, note: shelved.why, until: shelved.until.map(Moment) }
    }
}

impl From<alarms::SeverityChange> for SeverityChange {
    fn from(change: alarms::SeverityChange) -> Self {
        Self { at: Moment(change.at), severity: change.severity.into(), detail: change.detail }
    }
}

impl From<alarms::AlarmEvent> for AlarmEvent {
    fn from(event: alarms::AlarmEvent) -> Self {
        let alarms::AlarmEvent { at, kind, severity, detail, by, why, until } = event;
        Self { at: Moment(at), kind, severity: severity.into(), detail, by, note: why, until: until.map(Moment) }
    }
}

impl From<domain::Source> for Source {
    fn from(source: domain::Source) -> Self {
        match source {
            domain::Source::Device(device) => Self::Device { mac: device.mac.into(), pid: device.pid },
            domain::Source::Terminal(mac) => Self::Terminal { mac: mac.into() },
            domain::Source::Node(name) => Self::Node { name },
            domain::Source::Platform(domain::Need { part, needs }) => Self::Platform { part, needs },
        }
    }
}

impl From<alarm::Severity> for Severity {
    fn from(severity: alarm::Severity) -> Self {
        match severity {
            alarm::Severity::Info => Self::Info,
            alarm::Severity::Warning => Self::Warning,
            alarm::Severity::Critical => Self::Critical,
        }
    }
}
