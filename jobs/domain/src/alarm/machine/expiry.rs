//! The end of what holds for some time only.

use super::{
    Run,
    telling::{Ended, Terms},
};
use crate::{
    Timestamp,
    alarm::{
        Change, ChangeKind, ConditionState, Owed, Quiet, RuleId, Severity, change::About, sight::STOOD,
        state::WHOLE_SOURCE,
    },
};

impl Run<'_> {
    /// Ends what is over by then; whether all of it.
    pub(super) fn expires(&mut self, due: Timestamp) -> bool {
        let service =
            self.state.out_of_service.iter().filter(|(_, quiet)| quiet.until.is_some_and(|until| until <= due));
        let ended: Vec<RuleId> = service.map(|(name, _)| name.clone()).collect();
        for name in ended {
            if !self.has_room() {
                return false;
            }
            self.is_in_service(&name, None);
        }
        let words =
            self.state.conditions.iter().filter(|(_, condition)| word_ends(condition).is_some_and(|at| at <= due));
        let lost = self.state.lost();
        let lives = self.state.lives.iter().filter(|(_, life)| life.due(lost).is_some_and(|at| at <= due));
        let mut ended: Vec<RuleId> = words.map(|(id, _)| id).chain(lives.map(|(id, _)| id)).cloned().collect();
        ended.sort_unstable();
        ended.dedup();
        for rule in ended {
            if !self.has_room() {
                return false;
            }
            self.ends_word(&rule, due);
            self.ends_shelf(&rule, due);
            let flap = self.state.lives.get(&rule).and_then(|life| life.flap.as_ref());
            if flap.is_some_and(|flap| !flap.stands_still(lost)) {
                self.calms(&rule, due);
            }
            self.pays(&rule, due);
        }
        true
    }

    /// Puts a rule, or the source, back into service; whoever is owed word of an alarm gets it next.
    pub(super) fn is_in_service(&mut self, name: &str, owed: Option<Owed>) {
        let Some(Quiet { since, until, .. }) = self.state.out_of_service.remove(name) else { return };
        let is_by_time = owed.is_none();
        let owed = owed.unwrap_or(Owed { at: until.unwrap_or(since), by: None, why: None });
        let about = About { alarm: "", rule: name, severity: Severity::Info, since, shadow: false };
        let detail = if is_by_time { "its time out of service is up" } else { "" };
        let change = Change::of(ChangeKind::InService, about, owed.at, detail);
        self.changes.push(Change { by: owed.by.clone(), why: owed.why.clone(), ..change.recorded() });
        for (rule, life) in &mut self.state.lives {
            if (name == WHOLE_SOURCE || name == rule) && (life.stands || life.told.is_some()) {
                life.owed = Some(owed.clone());
            }
        }
    }

    /// Somebody's word that held for some time.
    fn ends_word(&mut self, rule: &str, due: Timestamp) {
        let is_seen = self.state.unknown.is_none();
        let Some(ConditionState::Active(active)) = self.state.conditions.get_mut(rule) else { return };
        let is_over = |until: Option<Timestamp>| until.filter(|until| *until <= due);
        let Some(at) = active.acknowledged.as_ref().and_then(|word| is_over(word.until)) else { return };
        let Some(word) = active.acknowledged.take() else { return };
        let mut detail = format!("the word of {} held until now", word.by);
        if !is_seen && active.holds() {
            detail = format!("{detail}, {STOOD}");
        }
        let change = Change::of(ChangeKind::AcknowledgementExpired, active.about(rule), at, detail);
        self.announce(change, Terms::default());
    }

    fn ends_shelf(&mut self, rule: &str, due: Timestamp) {
        let Some(life) = self.state.lives.get_mut(rule) else { return };
        let ended = life.shelf.take_if(|shelf| shelf.until.is_some_and(|until| until <= due));
        if let Some(at) = ended.and_then(|shelf| shelf.until) {
            self.releases(rule, ChangeKind::Unshelved, &Ended { at, by: None, why: None });
        }
    }

    /// A rule that flapped and is calm.
    pub(super) fn calms(&mut self, rule: &str, due: Timestamp) {
        let Some(life) = self.state.lives.get_mut(rule) else { return };
        let Some(flap) = life.flap.take_if(|flap| flap.calm_at <= due) else { return };
        let ended = if life.stands { "it stands" } else { "it is over" };
        let detail = format!("{} since {}, now calm: {ended}", flap.counted(), flap.since.rfc3339());
        let change = Change::of(ChangeKind::Calmed, life.about(rule), flap.calm_at, detail);
        let (count, lasted_ms, shown_by) = (Some(flap.count), life.lasted_ms, flap.shown_by);
        let change = Change { lasted_ms, count, shown_by, told_before: life.told.is_some(), ..change };
        self.announce(change, Terms::default());
    }

    /// Tells what is owed.
    fn pays(&mut self, rule: &str, due: Timestamp) {
        let Some(life) = self.state.lives.get_mut(rule) else { return };
        if let Some(Owed { at, by, why }) = life.owed.take_if(|owed| owed.at <= due) {
            self.releases(rule, ChangeKind::InService, &Ended { at, by: by.as_deref(), why: why.as_deref() });
        }
    }
}

/// When somebody's word on an alarm ends.
fn word_ends(condition: &ConditionState) -> Option<Timestamp> {
    condition.active()?.acknowledged.as_ref()?.until
}
