//! An explanation as callers see it.

use domain::{
    Timestamp,
    alarm::{self, Frames},
};
use records::{
    alarms::{Cause, CausingFact, CausingRule},
    explanation::{ExplainedStep, Explanation},
    notices,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::shown::{Alarm, Severity};
use crate::{
    moment::Moment,
    routes::{
        notices::{Attempt, Status},
        readings::NamedValue,
    },
};

/// An alarm, and how it came about.
#[derive(Serialize, ToSchema)]
pub(crate) struct Explained {
    /// The alarm.
    alarm: Alarm,
    /// What changed it, oldest first.
    steps: Vec<Step>,
    /// Whether these are all steps, and all notices were looked through; what is left out was too much.
    whole: bool,
}

/// What one fact changed.
#[derive(Serialize, ToSchema)]
#[schema(as = AlarmStep)]
struct Step {
    /// The transition's id: notices name it.
    transition: String,
    /// When it was decided.
    at: Moment,
    /// What changed.
    changes: Vec<Change>,
    /// Why; null where that was not kept, and where what it is about was removed.
    #[schema(required)]
    cause: Option<Why>,
    /// The notices that told of it, oldest first.
    notices: Vec<Receipt>,
}

/// What happened to the alarm.
#[derive(Serialize, ToSchema)]
#[schema(as = AlarmChange)]
struct Change {
    /// What: `raised`, `cleared`, or as in an alarm's events.
    #[schema(value_type = String)]
    kind: alarm::ChangeKind,
    /// When: the time of what was seen, or the end of the delay.
    at: Moment,
    /// When the condition began.
    since: Moment,
    /// How much it matters from then on.
    severity: Severity,
    /// What was seen, in words.
    detail: String,
    /// Whether people were to be told.
    told: bool,
    /// Who did it, where somebody did.
    #[schema(required)]
    by: Option<String>,
    /// Why they did.
    #[schema(required)]
    note: Option<String>,
}

/// Why something changed.
#[derive(Serialize, ToSchema)]
#[schema(as = AlarmCause)]
struct Why {
    /// What was seen, oldest first.
    facts: Vec<Fact>,
    /// The alarm's rule as it was then; null of one that was gone, and of what somebody did.
    #[schema(required)]
    rule: Option<RuleThen>,
}

/// Something that was seen.
#[derive(Serialize, ToSchema)]
#[schema(as = CausingFact)]
struct Fact {
    /// The evidence's id.
    evidence: String,
    /// When it was so.
    at: Moment,
    /// What kind: `values`, `known` (said by a gateway or carrier), `missed`, `link_lost`, `link_seen`, `parent_lost`, `away`, `back`, `acted`,
    /// `tick` (nothing but the time that passed).
    kind: &'static str,
    /// Whether it was before the others: it began what had to hold for some time.
    began: bool,
    /// What was seen beside values, in words.
    #[schema(required)]
    words: Option<String>,
    /// Of its values those that the rule watches.
    values: Vec<NamedValue>,
    /// How many of these are left out.
    values_left_out: u32,
    /// What came over the line.
    frames: Vec<LineFrame>,
    /// How many more frames there were.
    frames_left_out: u32,
}

/// An instruction and its reply.
#[derive(Serialize, ToSchema)]
struct LineFrame {
    /// The instruction as it was sent: hex for Modbus, else the text.
    sent: String,
    /// The bytes that came back, as hex.
    reply: String,
    /// Why nothing was read out of it, where nothing was.
    #[schema(required)]
    rejected: Option<String>,
}

/// A rule as it was.
#[derive(Serialize, ToSchema)]
struct RuleThen {
    /// Its id.
    id: String,
    /// Which writing of it, where people made it: see the rule's versions.
    #[schema(required)]
    version: Option<u64>,
    /// What tells one writing from another, where it has no version.
    #[schema(required)]
    fingerprint: Option<String>,
    /// What it said, as rules are written; null where there was no room for it.
    #[schema(required, value_type = Option<Object>)]
    definition: Option<serde_json::Value>,
}

/// A notice, and what became of it.
#[derive(Serialize, ToSchema)]
struct Receipt {
    /// The notice's id.
    id: String,
    /// Who was told; `*` for those who subscribed to a topic.
    user: String,
    /// On which channel.
    channel: String,
    /// The incident that it tells of.
    incident: String,
    /// Which notice of the incident it is, 1 for the first.
    sequence: u32,
    /// When it was decided to tell.
    at: Moment,
    /// How it stands.
    status: Status,
    /// Every attempt to tell, oldest first, with what the other side said.
    attempts: Vec<Attempt>,
    /// The notice that was not taken, in whose place this one is.
    #[schema(required)]
    instead_of: Option<String>,
}

impl Explained {
    /// An explanation as it stands now.
    pub(crate) fn of(explanation: Explanation, now: Timestamp) -> Self {
        let Explanation { alarm, state, steps, is_whole } = explanation;
        let alarm = Alarm::of(alarm, &state, now);
        Self { alarm, steps: steps.into_iter().map(Step::from).collect(), whole: is_whole }
    }
}

impl From<ExplainedStep> for Step {
    fn from(step: ExplainedStep) -> Self {
        let ExplainedStep { transition, notices } = step;
        Self {
            transition: transition.id,
            at: Moment(transition.at),
            changes: transition.changes.into_iter().map(Change::from).collect(),
            cause: transition.cause.map(Why::from),
            notices: notices.into_iter().map(Receipt::from).collect(),
        }
    }
}

impl From<alarm::Change> for Change {
    fn from(change: alarm::Change) -> Self {
        let told = change.is_told();
        let alarm::Change { kind, at, since, severity, detail, by, why, .. } = change;
        Self { kind, at: Moment(at), since: Moment(since), severity: severity.into(), detail, told, by, note: why }
    }
}

impl From<Cause> for Why {
    fn from(cause: Cause) -> Self {
        let facts = cause.facts.into_iter().map(Fact::from).collect();
        Self { facts, rule: cause.rules.into_iter().next().map(RuleThen::from) }
    }
}

impl From<CausingFact> for Fact {
    fn from(seen: CausingFact) -> Self {
        let (kind, words) = (seen.fact.kind(), seen.words());
        let values = seen.fact.values().iter().cloned().map(NamedValue::from).collect();
        let CausingFact { evidence, at, began, values_left_out, frames, .. } = seen;
        let Frames { kept, left_out } = frames;
        let shown = |frame: alarm::Frame| LineFrame { sent: frame.sent, reply: frame.reply, rejected: frame.rejected };
        Self {
            evidence,
            at: Moment(at),
            kind,
            began,
            words,
            values,
            values_left_out,
            frames: kept.into_iter().map(shown).collect(),
            frames_left_out: left_out,
        }
    }
}

impl From<CausingRule> for RuleThen {
    fn from(rule: CausingRule) -> Self {
        let CausingRule { id, version, fingerprint, definition } = rule;
        Self { id, version, fingerprint, definition }
    }
}

impl From<notices::Notice> for Receipt {
    fn from(notice: notices::Notice) -> Self {
        let status = Status::from(&notice);
        let notices::Notice { id, user, channel, incident, sequence, at, attempts, way, .. } = notice;
        Self {
            id,
            user,
            channel,
            incident,
            sequence,
            at: Moment(at),
            status,
            attempts: attempts.into_iter().map(Attempt::from).collect(),
            instead_of: way.instead_of,
        }
    }
}
