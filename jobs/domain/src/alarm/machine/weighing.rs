//! One rule's condition by one fact.

use std::time::Duration;

use super::{alarm_id, ending::ended};
use crate::{
    Timestamp,
    alarm::{
        Active, Change, ChangeKind, ConditionState, Evidence, Fact, Pending, Rule, Severity, SourceState,
        condition::{Before, Look, Verdict},
    },
};

/// One look at one fact.
pub(super) struct Looking<'a> {
    pub(super) evidence: &'a Evidence,
    /// Whether nothing newer was looked at before.
    pub(super) is_latest: bool,
    /// The time up to which delays have run out.
    pub(super) reached: Timestamp,
    /// Whether nothing is known of the source.
    pub(super) unknown: bool,
    /// Since when, if so.
    pub(super) lost: Option<Timestamp>,
}

/// What becomes of a delay before the fact is weighed.
enum Delay {
    /// It is of no account any more.
    Dropped,
    /// It has run out.
    Over(Pending),
    /// It runs on.
    Running(Pending),
}

impl Looking<'_> {
    /// One rule's condition after the fact.
    pub(super) fn advance(
        &self,
        rule: &Rule,
        current: Option<ConditionState>,
        state: &mut SourceState,
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        use ConditionState::{Active, Pending};

        let raised_last = state.raised.get(&rule.id).copied();
        let current = self.settle(rule, current, state, changes);
        let after = match (self.weigh(rule, current.as_ref(), state), current) {
            (Verdict::Abnormal { severity, words }, None) => self
                .begun(rule, raised_last, (severity.unwrap_or(rule.severity), words))
                .map(|pending| self.raise_when_due(rule, pending, changes)),
            (Verdict::Abnormal { severity, words }, Some(Pending(pending))) => {
                let severity = severity.unwrap_or(rule.severity);
                Some(self.raise_when_due(rule, pending.seen((severity, words), self.evidence.at), changes))
            }
            (Verdict::Abnormal { severity, words }, Some(Active(mut active))) => {
                if active.holds() {
                    self.still(rule, &mut active, (severity.unwrap_or(rule.severity), words), changes);
                    (active.normal_since, active.ending) = (None, None);
                } else {
                    let seen = (severity.unwrap_or(rule.severity), words);
                    let known = active.again.take().map(|again| again.seen(seen.clone(), self.evidence.at));
                    if let Some(again) = known.or_else(|| self.begun(rule, raised_last, seen)) {
                        self.recur_when_due(rule, &mut active, again, changes);
                    }
                }
                Some(Active(active))
            }
            (Verdict::Normal(words), Some(Active(active))) => self.ends(rule, words, *active, changes),
            (Verdict::Normal(_), _) => None,
            (verdict @ (Verdict::Silent | Verdict::Unknown), current) => self.doubts(&verdict, current),
        };
        if !rule.cooldown.is_zero()
            && let Some(raised) =
                changes.iter().rev().find(|it| matches!(it.kind, ChangeKind::Raised | ChangeKind::Recurred))
        {
            state.raised.insert(rule.id.clone(), raised.at);
        }
        after
    }

    /// What becomes of a condition before the fact is weighed: raised when its delay ran out before, dropped when it rests on
    /// silence and the silence is explained. What is due at this very instant is for the fact to say.
    fn settle(
        &self,
        rule: &Rule,
        current: Option<ConditionState>,
        state: &SourceState,
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        match current? {
            ConditionState::Pending(pending) => match self.delay(rule, pending, state) {
                Delay::Dropped => None,
                Delay::Over(pending) => Some(self.raise_when_due(rule, pending, changes)),
                Delay::Running(pending) => Some(ConditionState::Pending(pending)),
            },
            ConditionState::Active(mut active) => {
                if let Some(end) = self.ended_before(&active, state) {
                    active.ending = None;
                    return ended(rule, *active, end, changes);
                }
                match active.again.take().map(|again| self.delay(rule, again, state)) {
                    None | Some(Delay::Dropped) => {}
                    Some(Delay::Over(again)) => self.recur_when_due(rule, &mut active, again, changes),
                    Some(Delay::Running(again)) => active.again = Some(again),
                }
                Some(ConditionState::Active(active))
            }
        }
    }

    fn delay(&self, rule: &Rule, pending: Pending, state: &SourceState) -> Delay {
        if self.unknown && rule.condition.rests_on_silence() {
            return Delay::Dropped;
        }
        let Some(pending) = pending.watched_by(rule) else { return Delay::Dropped };
        let due = pending.raised_at();
        if state.stands_still(pending.since, due) {
            return Delay::Running(pending);
        }
        if due < self.evidence.at || self.evidence.fact == Fact::Tick {
            Delay::Over(pending)
        } else {
            Delay::Running(pending)
        }
    }

    /// A condition that begins now; none where nobody ever watches it.
    fn begun(&self, rule: &Rule, raised_last: Option<Timestamp>, seen: (Severity, String)) -> Option<Pending> {
        let grace = match &self.evidence.fact {
            Fact::LinkLost { grace, .. } => *grace,
            _ => Duration::ZERO,
        };
        let due = self.evidence.at.plus(rule.on_delay).plus(grace);
        let due = raised_last.map_or(due, |raised| due.max(raised.plus(rule.cooldown)));
        let (severity, detail) = seen;
        Pending { since: self.evidence.at, due, waits: None, severity, detail }.watched_by(rule)
    }

    fn weigh(&self, rule: &Rule, current: Option<&ConditionState>, state: &mut SourceState) -> Verdict {
        let look = Look {
            fact: &self.evidence.fact,
            at: self.evidence.at,
            reached: self.reached,
            before: Before::Known { is_active: current.and_then(ConditionState::active).is_some_and(Active::holds) },
            hears_silence: !self.unknown && self.is_latest,
            // What was missed before is the source's own, also where it is heard of later.
            is_unknown: self.lost.is_some_and(|lost| lost <= self.evidence.at),
        };
        let mut memory = state.memories.remove(&rule.id).unwrap_or_default();
        if self.unknown {
            memory.forget_known();
        }
        let verdict = rule.condition.judge(look, &mut memory, "");
        if !memory.is_empty() {
            state.memories.insert(rule.id.clone(), memory);
        }
        verdict
    }

    fn is_due(&self, pending: &Pending) -> bool {
        let due = pending.raised_at();
        let is_at_once = due == pending.since && pending.since == self.evidence.at;
        due <= self.reached || is_at_once
    }

    /// A pending condition, or what becomes of it when its delay has run out.
    fn raise_when_due(&self, rule: &Rule, pending: Pending, changes: &mut Vec<Change>) -> ConditionState {
        if !self.is_due(&pending) {
            return ConditionState::Pending(pending);
        }
        let due = pending.raised_at();
        let Pending { since, severity, detail, .. } = pending;
        let alarm = alarm_id(&self.evidence.source, &rule.id, since);
        let active = Active {
            shadow: rule.shadow,
            detail: detail.clone(),
            acknowledged_for: rule.acknowledged_for,
            ..Active::new(alarm, since, severity)
        };
        changes.push(Change::of(ChangeKind::Raised, active.about(&rule.id), due, detail));
        ConditionState::Active(Box::new(active))
    }

    /// Whether the condition of a latched alarm is true again, once the delay has run out: then nobody has it on any more.
    fn recur_when_due(&self, rule: &Rule, active: &mut Active, again: Pending, changes: &mut Vec<Change>) {
        if !self.is_due(&again) {
            active.again = Some(again);
            return;
        }
        let due = again.raised_at();
        let Pending { since, severity, detail, .. } = again;
        let (alarm, shadow, acknowledged_for) = (active.alarm.clone(), active.shadow, rule.acknowledged_for);
        *active = Active { shadow, detail: detail.clone(), acknowledged_for, ..Active::new(alarm, since, severity) };
        changes.push(Change::of(ChangeKind::Recurred, active.about(&rule.id), due, detail));
    }

    /// An alarm was seen to be one still, and to matter so much.
    pub(super) fn still(
        &self,
        rule: &Rule,
        active: &mut Active,
        (severity, detail): (Severity, String),
        changes: &mut Vec<Change>,
    ) {
        if severity != active.severity {
            (active.severity, active.detail) = (severity, detail.clone());
            changes.push(Change::of(ChangeKind::SeverityChanged, active.about(&rule.id), self.evidence.at, detail));
        }
    }
}

impl Pending {
    /// The same, by what was seen since. The words of what waits for hours that are far off stay, lest it is written with each reading.
    fn seen(self, (severity, detail): (Severity, String), at: Timestamp) -> Self {
        if self.severity == severity && self.waits > Some(at) { self } else { Self { severity, detail, ..self } }
    }

    /// The same, raised when its rule is watched; none where that never is.
    fn watched_by(self, rule: &Rule) -> Option<Self> {
        let watched = rule.watched_from(self.due)?;
        Some(Self { waits: Some(watched).filter(|watched| *watched > self.due), ..self })
    }
}
