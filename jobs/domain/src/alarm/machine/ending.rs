//! How an alarm ends: by good evidence, once that has been good for as long as its rule wants.

use super::weighing::Looking;
use crate::{
    Timestamp,
    alarm::{
        Active, Change, ChangeKind, ConditionState, Ending, Fact, Rule, RuleId, SourceState, condition::Verdict,
        sight::RULE_REMOVED,
    },
};

impl Looking<'_> {
    /// What becomes of an active alarm that is seen to be normal: its end, once it has been so for long enough. A latched one
    /// stands on.
    pub(super) fn ends(
        &self,
        rule: &Rule,
        detail: String,
        mut active: Active,
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        active.again = None;
        if !active.holds() && rule.latched {
            return Some(ConditionState::Active(Box::new(active)));
        }
        if active.holds() {
            let since = active.normal_since.unwrap_or(self.evidence.at);
            let known = active.ending.take().map(|ending| (ending.due, ending.detail));
            let (due, words) = known.unwrap_or_else(|| (since.plus(rule.off_delay), detail.clone()));
            active.normal_since = Some(since);
            if due > self.reached && !rule.off_delay.is_zero() {
                active.ending = Some(Ending { due, detail: words, doubtful: !self.is_latest });
                return Some(ConditionState::Active(Box::new(active)));
            }
        }
        ended(rule, active, (self.evidence.at, detail), changes)
    }

    /// When an alarm ended, and by what was seen, if it was normal for long enough before the fact. What is due at this very instant is
    /// for that to say, unless it is the passing of time alone.
    pub(super) fn ended_before(&self, active: &Active, state: &SourceState) -> Option<(Timestamp, String)> {
        let (since, Ending { due, detail, doubtful }) = (active.normal_since?, active.ending.as_ref()?);
        let is_before = *due < self.evidence.at || self.evidence.fact == Fact::Tick;
        let is_over = !doubtful && !state.stands_still(since, *due) && *due <= self.reached && is_before;
        is_over.then(|| (*due, detail.clone()))
    }

    /// What is kept of a condition of which a fact does not speak. Of an alarm that was seen to be normal it may say that nobody
    /// knows whether it is: then the next good evidence ends it, not the time.
    pub(super) fn doubts(&self, verdict: &Verdict, current: Option<ConditionState>) -> Option<ConditionState> {
        let mut current = current?;
        let is_gone =
            matches!(self.evidence.fact, Fact::Missed { .. } | Fact::LinkLost { .. } | Fact::ParentLost { .. });
        if self.is_latest
            && (is_gone || *verdict == Verdict::Unknown)
            && let Some(ending) = current.active_mut().and_then(|active| active.ending.as_mut())
        {
            ending.doubtful = true;
        }
        Some(current)
    }

    /// What is kept of a condition whose rule is gone: only a raised one, until the source is heard of again.
    pub(super) fn removed(
        &self,
        rule: &RuleId,
        condition: ConditionState,
        changes: &mut Vec<Change>,
    ) -> Option<ConditionState> {
        // A part of the platform says nothing else than that it is away or back.
        let is_heard = matches!(
            self.evidence.fact,
            Fact::Values { .. } | Fact::Known { .. } | Fact::LinkSeen | Fact::Away { .. } | Fact::Back { .. }
        );
        let ConditionState::Active(mut active) = condition else { return None };
        if is_heard {
            changes.push(cleared(rule, &active, self.evidence.at, RULE_REMOVED.to_owned()));
            return None;
        }
        (active.again, active.ending) = (None, None);
        Some(ConditionState::Active(active))
    }
}

/// What becomes of an alarm that was normal for long enough.
pub(super) fn ended(
    rule: &Rule,
    mut active: Active,
    (at, detail): (Timestamp, String),
    changes: &mut Vec<Change>,
) -> Option<ConditionState> {
    let normal_since = active.normal_since.unwrap_or(at);
    if rule.latched && active.holds() {
        changes.push(Change::of(ChangeKind::Latched, active.about(&rule.id), at, detail).over_at(normal_since));
        (active.normal_since, active.over_since) = (None, Some(normal_since));
        return Some(ConditionState::Active(Box::new(active)));
    }
    changes.push(cleared(&rule.id, &active, at, detail));
    None
}

/// The end of an alarm.
fn cleared(rule: &RuleId, active: &Active, at: Timestamp, detail: String) -> Change {
    let over = active.over_since.or(active.normal_since).unwrap_or(at);
    Change::of(ChangeKind::Cleared, active.about(rule), at, detail).over_at(over)
}
