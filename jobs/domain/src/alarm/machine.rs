//! The machine's one step.

use std::time::Duration;

use super::{
    Change, ChangeKind, ConditionState, Evidence, Fact, Rule, RuleId, RuleSet, Seen, Severity, SourceState,
    condition::{Look, Verdict},
};
use crate::{Source, Timestamp, identity::derived_id, time::is_ahead};

/// What a step leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The state to remember.
    pub state: SourceState,
    /// What changed, in the rules' order.
    pub changes: Vec<Change>,
    /// When to look again if nothing arrives (the earliest pending condition).
    pub timer: Option<Timestamp>,
    /// Whether every rule was looked at. Where it was not, the same fact is to be stepped again from this state.
    pub is_whole: bool,
}

/// A step ends before it would bring more changes than this, so that what it brings can be stored together.
pub const MOST_CHANGES: usize = 30;

/// What one rule can bring: the end of a delay raises an alarm, and the fact itself ends it.
const MOST_OF_A_RULE: usize = 2;

/// Looks at one fact.
///
/// Evidence that is not newer than the newest one changes nothing. A condition whose delay ran out by then (by the
/// evidence's time, never later than `now`) is raised before the fact itself is weighed, so that it does not matter
/// whether a tick came in time.
pub fn step(state: &SourceState, rules: &RuleSet, evidence: &Evidence, now: Timestamp) -> Step {
    let mut state = state.clone();
    state.newest.retain(|_, seen| !is_ahead(seen.at, now));
    let mut changes = Vec::new();
    let mut is_whole = true;
    if is_news(&state, evidence) {
        let (newest, memories) = (state.newest.clone(), state.memories.clone());
        let is_latest = is_latest(&state, evidence);
        take_note(&mut state, evidence, is_latest);
        let looking = Looking { evidence, is_latest, reached: reached(evidence, now), unknown: state.unknown.clone() };
        let has_room = |changes: &Vec<Change>| changes.len() + MOST_OF_A_RULE <= MOST_CHANGES;
        for rule in rules.concerned(&evidence.fact, &state) {
            let current = state.conditions.remove(&rule.id);
            let after = if has_room(&changes) {
                looking.advance(rule, current, &mut state, &mut changes)
            } else {
                is_whole = false;
                current
            };
            state.conditions.extend(after.map(|condition| (rule.id.clone(), condition)));
        }
        state.memories.retain(|id, _| rules.get(id).is_some());
        state.raised.retain(|id, _| rules.get(id).is_some());
        let removed: Vec<RuleId> = state.conditions.keys().filter(|id| rules.get(id).is_none()).cloned().collect();
        for id in removed {
            if !has_room(&changes) {
                is_whole = false;
            } else if let Some(condition) = state.conditions.remove(&id)
                && looking.keeps_removed(&id, &condition, &mut changes)
            {
                state.conditions.insert(id, condition);
            }
        }
        if !is_whole {
            // What was not weighed against every rule is still to come.
            (state.newest, state.memories) = (newest, memories);
        }
    }
    let timer = state.timer();
    Step { state, changes, timer, is_whole }
}

/// Whether a fact was not looked at before, nor anything newer of its aspect. A tick says nothing about the source, so it is
/// always news.
fn is_news(state: &SourceState, evidence: &Evidence) -> bool {
    let is_newer = |seen: &Seen| evidence.at > seen.at && evidence.id != seen.id;
    evidence.fact.aspect().is_none_or(|aspect| state.newest.get(&aspect).is_none_or(is_newer))
}

/// Whether nothing newer is known of the source in any aspect.
fn is_latest(state: &SourceState, evidence: &Evidence) -> bool {
    state.newest.values().all(|seen| evidence.at >= seen.at)
}

/// Remembers what the fact says of the source as a whole, unless something newer said otherwise.
fn take_note(state: &mut SourceState, evidence: &Evidence, is_latest: bool) {
    let Some(aspect) = evidence.fact.aspect() else { return };
    state.newest.insert(aspect, Seen { id: evidence.id.clone(), at: evidence.at });
    if !is_latest {
        return;
    }
    match &evidence.fact {
        Fact::Values { .. } | Fact::LinkSeen | Fact::LinkLost { .. } => state.unknown = None,
        Fact::ParentLost { parent } => state.unknown = Some(parent.clone()),
        Fact::Known { .. } | Fact::Missed { .. } | Fact::Away { .. } | Fact::Back { .. } | Fact::Tick => {}
    }
}

/// The time up to which delays have run out.
fn reached(evidence: &Evidence, now: Timestamp) -> Timestamp {
    if evidence.fact == Fact::Tick { now } else { evidence.at.min(now) }
}

/// One look at one fact.
struct Looking<'a> {
    evidence: &'a Evidence,
    /// Whether nothing newer was looked at before.
    is_latest: bool,
    reached: Timestamp,
    unknown: Option<Source>,
}

impl Looking<'_> {
    /// One rule's condition after the fact.
    fn advance(
        &self,
        rule: &Rule,
        current: Option<ConditionState>,
        state: &mut SourceState,
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        use ConditionState::{Active, Pending};

        let raised_last = state.raised.get(&rule.id).copied();
        let current = self.settle(rule, current, changes);
        let at = self.evidence.at;
        let after = match (self.weigh(rule, current.as_ref(), state), current) {
            (Verdict::Abnormal { .. }, None | Some(Pending { .. })) if !rule.is_watched(at) => None,
            (Verdict::Abnormal { severity, words }, None) => {
                let severity = severity.unwrap_or(rule.severity);
                let due = self.due(rule, raised_last);
                Some(self.raise_when_due(rule, Pending { since: at, due, severity, detail: words }, changes))
            }
            (Verdict::Abnormal { severity, words }, Some(Pending { since, due, .. })) => {
                let severity = severity.unwrap_or(rule.severity);
                Some(self.raise_when_due(rule, Pending { since, due, severity, detail: words }, changes))
            }
            (Verdict::Abnormal { severity, words }, Some(active @ Active { .. })) => {
                Some(self.still(rule, severity, words, active, changes))
            }
            (Verdict::Normal(words), Some(active @ Active { .. })) => self.ends(rule, words, active, changes),
            (Verdict::Normal(_), _) => None,
            (Verdict::Silent | Verdict::Unknown, current) => current,
        };
        if !rule.cooldown.is_zero()
            && let Some(raised) = changes.iter().rev().find(|it| it.rule == rule.id && it.kind == ChangeKind::Raised)
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
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        match current? {
            ConditionState::Pending { .. } if self.unknown.is_some() && rule.condition.rests_on_silence() => None,
            ConditionState::Pending { due, .. } if due <= self.reached && !rule.is_watched(due) => None,
            pending @ ConditionState::Pending { due, .. }
                if due < self.evidence.at || self.evidence.fact == Fact::Tick =>
            {
                Some(self.raise_when_due(rule, pending, changes))
            }
            other => Some(other),
        }
    }

    /// When a condition that begins now is to be raised.
    fn due(&self, rule: &Rule, raised_last: Option<Timestamp>) -> Timestamp {
        let grace = match &self.evidence.fact {
            Fact::LinkLost { grace, .. } => *grace,
            _ => Duration::ZERO,
        };
        let due = self.evidence.at.plus(rule.on_delay).plus(grace);
        raised_last.map_or(due, |raised| due.max(raised.plus(rule.cooldown)))
    }

    fn weigh(&self, rule: &Rule, current: Option<&ConditionState>, state: &mut SourceState) -> Verdict {
        let look = Look {
            fact: &self.evidence.fact,
            at: self.evidence.at,
            reached: self.reached,
            is_active: matches!(current, Some(ConditionState::Active { .. })),
            hears_silence: self.unknown.is_none() && self.is_latest,
        };
        let mut memory = state.memories.remove(&rule.id).unwrap_or_default();
        if self.unknown.is_some() {
            memory.forget_known();
        }
        let verdict = rule.condition.judge(look, &mut memory, "");
        if !memory.is_empty() {
            state.memories.insert(rule.id.clone(), memory);
        }
        verdict
    }

    /// A pending condition, or what becomes of it when its delay has run out.
    fn raise_when_due(&self, rule: &Rule, pending: ConditionState, changes: &mut Vec<Change>) -> ConditionState {
        let ConditionState::Pending { since, due, severity, detail } = pending else { return pending };
        let is_at_once = due == since && since == self.evidence.at;
        if due > self.reached && !is_at_once {
            return ConditionState::Pending { since, due, severity, detail };
        }
        let alarm = alarm_id(&self.evidence.source, &rule.id, since);
        let shadow = rule.shadow;
        let (id, kind) = (rule.id.clone(), ChangeKind::Raised);
        changes.push(Change { alarm: alarm.clone(), rule: id, severity, kind, at: due, since, detail, shadow });
        ConditionState::Active { alarm, since, severity, normal_since: None, shadow }
    }

    /// An active alarm that was seen to be one still.
    fn still(
        &self,
        rule: &Rule,
        severity: Option<Severity>,
        detail: String,
        active: ConditionState,
        changes: &mut Vec<Change>,
    ) -> ConditionState {
        let ConditionState::Active { alarm, since, severity: before, shadow, .. } = active else { return active };
        // A condition that says nothing of it matters as much as when it was raised, whatever became of its rule since.
        let severity = severity.unwrap_or(before);
        if severity != before {
            let (alarm, rule, kind) = (alarm.clone(), rule.id.clone(), ChangeKind::SeverityChanged);
            changes.push(Change { alarm, rule, severity, kind, at: self.evidence.at, since, detail, shadow });
        }
        ConditionState::Active { alarm, since, severity, normal_since: None, shadow }
    }

    /// What becomes of an active alarm that is seen to be normal: its end, once it has been so for long enough.
    fn ends(
        &self,
        rule: &Rule,
        detail: String,
        active: ConditionState,
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        let at = self.evidence.at;
        match active {
            ConditionState::Active { alarm, since, severity, normal_since, shadow }
                if at.since(normal_since.unwrap_or(at)) < rule.off_delay =>
            {
                let normal_since = Some(normal_since.unwrap_or(at));
                Some(ConditionState::Active { alarm, since, severity, normal_since, shadow })
            }
            active => {
                changes.extend(self.cleared(&rule.id, &active, detail));
                None
            }
        }
    }

    /// The end of an alarm; none for a condition that was never raised.
    fn cleared(&self, rule: &RuleId, condition: &ConditionState, detail: String) -> Option<Change> {
        let ConditionState::Active { alarm, since, severity, shadow, .. } = condition.clone() else { return None };
        let (rule, at, kind) = (rule.clone(), self.evidence.at, ChangeKind::Cleared);
        Some(Change { alarm, rule, severity, kind, at, since, detail, shadow })
    }

    /// Whether a condition whose rule is gone is kept: only a raised one, until the source is heard of again.
    fn keeps_removed(&self, rule: &RuleId, condition: &ConditionState, changes: &mut Vec<Change>) -> bool {
        let is_heard = matches!(self.evidence.fact, Fact::Values { .. } | Fact::Known { .. } | Fact::LinkSeen);
        if is_heard {
            changes.extend(self.cleared(rule, condition, "the rule was removed".to_owned()));
        }
        matches!(condition, ConditionState::Active { .. }) && !is_heard
    }
}

/// Names an alarm by its source, its rule and the time of the evidence that began it, so that the same evidence always
/// names the same alarm. A source has one evidence of one time: what is not newer is not looked at.
fn alarm_id(source: &Source, rule: &RuleId, since: Timestamp) -> String {
    derived_id(since, &["alarm", &source.to_string(), rule, &since.0.to_string()])
}

#[cfg(test)]
mod tests;
