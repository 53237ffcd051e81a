//! A source of which nothing is known: its delays stand still, and go on when it is heard of again.

use crate::{
    Timestamp,
    alarm::{ConditionState, RuleSet, SourceState, condition::Pause},
};

impl SourceState {
    /// Whether a delay stands still at present: it ran when what the source hangs on was lost. What began since comes by
    /// another way, and what was over by then is over.
    pub(in crate::alarm) fn stands_still(&self, since: Timestamp, due: Timestamp) -> bool {
        self.lost().is_some_and(|lost| since <= lost && lost < due)
    }

    /// Since when nothing is known of the source, if so.
    pub fn lost(&self) -> Option<Timestamp> {
        self.unknown.as_ref()?;
        let told_then = || self.newest.get(&crate::alarm::Aspect::Link).map(|seen| seen.at);
        // What was stored before that was remembered has it from what said so.
        self.unknown_since.or_else(told_then)
    }

    /// Takes the time in which nothing was known out of all that ran meanwhile.
    pub(super) fn resumes(&mut self, pause: Pause, rules: &RuleSet) {
        for condition in self.conditions.values_mut() {
            condition.put_off(pause);
        }
        for flap in self.lives.values_mut().filter_map(|life| life.flap.as_mut()) {
            flap.calm_at = pause.put_off(flap.since, flap.calm_at);
        }
        for (id, memory) in &mut self.memories {
            if let Some(rule) = rules.get(id) {
                rule.condition.resume(pause, memory, "");
            }
        }
    }
}

impl ConditionState {
    fn put_off(&mut self, pause: Pause) {
        let pending = match self {
            Self::Pending(pending) => Some(pending),
            Self::Active(active) => {
                if let (Some(since), Some(ending)) = (active.normal_since, active.ending.as_mut()) {
                    ending.due = pause.put_off(since, ending.due);
                }
                active.again.as_mut()
            }
        };
        if let Some(pending) = pending {
            pending.due = pause.put_off(pending.since, pending.due);
            // What its hours began for meanwhile begins now, if these are not over.
            if pending.since <= pause.lost
                && pending.waits.is_some_and(|waits| pause.lost < waits && waits < pause.seen)
            {
                pending.due = pending.due.max(pause.seen);
            }
        }
    }
}

impl Pause {
    /// When a delay is over that was to be over then.
    fn put_off(self, since: Timestamp, due: Timestamp) -> Timestamp {
        let ran = since <= self.lost && self.lost < due;
        if ran { due.plus(self.seen.since(self.lost)) } else { due }
    }
}
