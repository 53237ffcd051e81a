//! The machine's one step.

use std::time::Duration;

use super::{Change, ChangeKind, ConditionState, Evidence, Fact, Rule, RuleId, Seen, SourceState, condition::Verdict};
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
pub fn step(state: &SourceState, rules: &[Rule], evidence: &Evidence, now: Timestamp) -> Step {
    let mut state = state.clone();
    state.newest.retain(|_, seen| !is_ahead(seen.at, now));
    let mut changes = Vec::new();
    let mut is_whole = true;
    if is_news(&state, evidence) {
        let newest = state.newest.clone();
        let is_latest = is_latest(&state, evidence);
        take_note(&mut state, evidence, is_latest);
        let looking = Looking { evidence, is_latest, reached: reached(evidence, now), unknown: state.unknown.clone() };
        let has_room = |changes: &Vec<Change>| changes.len() + MOST_OF_A_RULE <= MOST_CHANGES;
        let mut before = std::mem::take(&mut state.conditions);
        for rule in rules {
            let current = before.remove(&rule.id);
            let after = if has_room(&changes) {
                looking.advance(rule, current, &mut changes)
            } else {
                is_whole = false;
                current
            };
            state.conditions.extend(after.map(|condition| (rule.id.clone(), condition)));
        }
        for (id, condition) in before {
            if !has_room(&changes) {
                is_whole = false;
                state.conditions.insert(id, condition);
            } else if looking.keeps_removed(&id, &condition, &mut changes) {
                state.conditions.insert(id, condition);
            }
        }
        if !is_whole {
            // What was not weighed against every rule is still to come.
            state.newest = newest;
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
        Fact::Missed { .. } | Fact::Away { .. } | Fact::Back { .. } | Fact::Tick => {}
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
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        use ConditionState::{Active, Pending};

        let current = self.settle(rule, current, changes);
        let at = self.evidence.at;
        match (self.weigh(rule, current.as_ref()), current) {
            (Verdict::Abnormal(detail), None) if rule.on_delay.is_zero() => {
                Some(self.raise(rule, at, at, detail, changes))
            }
            (Verdict::Abnormal(detail), None) => {
                Some(Pending { since: at, due: at.plus(rule.on_delay).plus(self.grace()), detail })
            }
            (Verdict::Abnormal(detail), Some(Pending { since, due, .. })) => Some(Pending { since, due, detail }),
            (Verdict::Normal(detail), Some(active @ Active { .. })) => {
                changes.extend(self.cleared(&rule.id, &active, detail));
                None
            }
            (Verdict::Normal(_), _) => None,
            (Verdict::Silent | Verdict::Abnormal(_), current) => current,
        }
    }

    /// What becomes of a condition before the fact is weighed: raised when its delay has run out, dropped when it rests
    /// on silence and the silence is explained.
    fn settle(
        &self,
        rule: &Rule,
        current: Option<ConditionState>,
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        match current? {
            ConditionState::Pending { .. } if self.unknown.is_some() && rule.condition.rests_on_silence() => None,
            ConditionState::Pending { since, due, detail } if due <= self.reached => {
                Some(self.raise(rule, since, due, detail, changes))
            }
            other => Some(other),
        }
    }

    /// How much longer than a rule's own delay this fact may hold.
    fn grace(&self) -> Duration {
        match &self.evidence.fact {
            Fact::LinkLost { grace, .. } => *grace,
            _ => Duration::ZERO,
        }
    }

    fn weigh(&self, rule: &Rule, current: Option<&ConditionState>) -> Verdict {
        // Silence is ended by what is heard after it, and only while it is the source's own.
        if (self.unknown.is_some() || !self.is_latest) && rule.condition.rests_on_silence() {
            return Verdict::Silent;
        }
        rule.condition.judge(current, &self.evidence.fact)
    }

    fn raise(
        &self,
        rule: &Rule,
        since: Timestamp,
        at: Timestamp,
        detail: String,
        changes: &mut Vec<Change>,
    ) -> ConditionState {
        let alarm = alarm_id(&self.evidence.source, &rule.id, since);
        let severity = rule.severity;
        changes.push(Change {
            alarm: alarm.clone(),
            rule: rule.id.clone(),
            severity,
            kind: ChangeKind::Raised,
            at,
            since,
            detail,
        });
        ConditionState::Active { alarm, since, severity }
    }

    /// The end of an alarm; none for a condition that was never raised.
    fn cleared(&self, rule: &RuleId, condition: &ConditionState, detail: String) -> Option<Change> {
        let ConditionState::Active { alarm, since, severity } = condition.clone() else { return None };
        let (rule, at) = (rule.clone(), self.evidence.at);
        Some(Change { alarm, rule, severity, kind: ChangeKind::Cleared, at, since, detail })
    }

    /// Whether a condition whose rule is gone is kept: only a raised one, until the source is heard of again.
    fn keeps_removed(&self, rule: &RuleId, condition: &ConditionState, changes: &mut Vec<Change>) -> bool {
        let is_heard = matches!(self.evidence.fact, Fact::Values { .. } | Fact::LinkSeen);
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
