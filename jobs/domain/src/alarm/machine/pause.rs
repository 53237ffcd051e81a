//! A source of which nothing is known: its delays stand still, and go on when it is heard of again.

use crate::{
    Timestamp,
    alarm::{ConditionState, Pending, RuleSet, SourceState, condition::Pause},
};

impl SourceState {
    /// Whether a delay stands still at present: it ran when what the source hangs on was lost. What began since comes by
    /// another way, and what was over by then is over.
    pub(in crate::alarm) fn stands_still(&self, since: Timestamp, due: Timestamp) -> bool {
        self.lost().is_some_and(|lost| since <= lost && lost < due)
    }

    /// Since when nothing is known of the source, if so.
    pub(super) fn lost(&self) -> Option<Timestamp> {
        self.unknown.as_ref()?;
        let told_then = || self.newest.get(&crate::alarm::Aspect::Link).map(|seen| seen.at);
        // What was stored before that was remembered has it from what said so.
        self.unknown_since.or_else(told_then)
    }

    /// Takes the time in which nothing was known out of all that ran meanwhile.
    pub(super) fn resumes(&mut self, pause: Pause, rules: &RuleSet) {
        for pending in self.conditions.values_mut().filter_map(ConditionState::pending_mut) {
            pending.put_off(pause);
        }
        for (id, memory) in &mut self.memories {
            if let Some(rule) = rules.get(id) {
                rule.condition.resume(pause, memory, "");
            }
        }
    }
}

impl Pending {
    fn put_off(&mut self, pause: Pause) {
        self.due = pause.put_off(self.since, self.due);
    }
}

impl Pause {
    /// When a delay is over that was to be over then.
    fn put_off(self, since: Timestamp, due: Timestamp) -> Timestamp {
        let ran = since <= self.lost && self.lost < due;
        if ran { due.plus(self.seen.since(self.lost)) } else { due }
    }
}
