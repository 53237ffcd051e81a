//! A rule that says something else than before: what is remembered of it is of another condition, and its alarm matters as it says
//! now.

use super::{Run, telling::Terms, weighing::Looking};
use crate::{
    Timestamp,
    alarm::{Active, Change, ChangeKind, ConditionState, Rule, RuleId, RuleSet, SourceState},
};

impl Run<'_> {
    /// Has what stands matter as much as its rule says by now, and be told where that is no longer only tried out; whether all of
    /// it. What is not known at present waits.
    pub(super) fn follows_edits(&mut self, looking: &Looking<'_>) -> bool {
        if looking.unknown || !looking.is_latest {
            return true;
        }
        let rules = self.rules;
        let edited = |(id, condition): (&RuleId, &ConditionState)| {
            let rule = rules.get(id)?;
            condition.active().filter(|active| active.is_behind(rule)).map(|_| rule)
        };
        let edited: Vec<_> = self.state.conditions.iter().filter_map(edited).collect();
        for rule in edited {
            if !self.has_room() {
                return false;
            }
            let Some(active) = self.state.conditions.get_mut(&rule.id).and_then(ConditionState::active_mut) else {
                continue;
            };
            let mut changes = Vec::new();
            looking.follows(rule, active, &mut changes);
            for change in changes {
                self.announce(change, Terms::of(rule, rules));
            }
        }
        true
    }
}

impl Looking<'_> {
    fn follows(&self, rule: &Rule, active: &mut Active, changes: &mut Vec<Change>) {
        let is_told_now = active.shadow && !rule.shadow;
        if !rule.condition.says_severity() {
            // Of what is told from now on, this is still of the time before: that it stands says how much it matters, and the
            // record how much it did.
            let detail = active.detail.clone();
            self.still(rule, active, (rule.severity, detail), changes);
        }
        active.shadow = active.shadow && rule.shadow;
        if is_told_now {
            let change =
                Change::of(ChangeKind::Raised, active.about(&rule.id), self.evidence.at, active.detail.clone());
            changes.push(change);
        }
    }
}

impl Active {
    /// Whether its rule says something else of it by now. What people were told of stays told, also where its rule is only tried out
    /// from now on.
    fn is_behind(&self, rule: &Rule) -> bool {
        let is_told_now = self.shadow && !rule.shadow;
        let matters_otherwise = !rule.condition.says_severity() && self.severity != rule.severity;
        self.holds() && (is_told_now || matters_otherwise)
    }
}

impl SourceState {
    /// Forgets of each rule what is not of its condition. An alarm stands, and is judged anew by what is heard next: neither what
    /// waited to be raised nor what was seen to be normal was so by this condition.
    pub(super) fn forgets_others(&mut self, rules: &RuleSet, at: Timestamp) {
        let is_another = |(id, before): (&RuleId, &String)| {
            let rule = rules.get(id)?;
            (rules.mark(id)? != before).then_some(rule)
        };
        let edited: Vec<_> = self.judged_by.iter().filter_map(is_another).collect();
        for rule in edited {
            self.judged_by.remove(&rule.id);
            if let Some(memory) = self.memories.get_mut(&rule.id) {
                memory.keep_measured_by(&rule.condition);
            }
            self.memories.retain(|id, memory| *id != rule.id || !memory.is_empty());
            let Some(current) = self.conditions.remove(&rule.id) else { continue };
            let held = current.times();
            if let Some(kept) = current.judged_anew() {
                self.conditions.insert(rule.id.clone(), kept);
            } else {
                self.remembers(rule, held, (None, at));
            }
        }
    }

    /// Remembers by which condition all that is remembered of a rule was judged.
    pub(super) fn is_judged_by(&mut self, rule: &Rule, rules: &RuleSet) {
        if !self.memories.contains_key(&rule.id) && !self.conditions.contains_key(&rule.id) {
            self.judged_by.remove(&rule.id);
        } else if let Some(mark) = rules.mark(&rule.id).filter(|_| !self.judged_by.contains_key(&rule.id)) {
            self.judged_by.insert(rule.id.clone(), mark.to_owned());
        }
    }
}

impl ConditionState {
    fn judged_anew(self) -> Option<Self> {
        let Self::Active(mut active) = self else { return None };
        (active.again, active.normal_since, active.ending) = (None, None, None);
        Some(Self::Active(active))
    }
}
