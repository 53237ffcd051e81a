//! A rule that says something else than before: what is remembered of it is of another condition.

use crate::alarm::{ConditionState, Rule, RuleId, RuleSet, SourceState};

impl SourceState {
    /// Forgets of each rule what is not of its condition. An alarm stands, and is judged anew by what is heard next: neither what
    /// waited to be raised nor what was seen to be normal was so by this condition.
    pub(super) fn forgets_others(&mut self, rules: &RuleSet) {
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
            let current = self.conditions.remove(&rule.id);
            self.conditions.extend(current.and_then(ConditionState::judged_anew).map(|it| (rule.id.clone(), it)));
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
