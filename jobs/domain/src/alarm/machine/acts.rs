//! What people do about alarms.

use super::{
    Run,
    late::Time,
    take_note,
    telling::{Ended, Terms},
};
use crate::{
    Timestamp,
    alarm::{
        Acknowledged, Act, Active, Change, ChangeKind, Deed, Evidence, Life, Owed, Quiet, RuleId, Severity,
        change::About, condition::Pause, state::WHOLE_SOURCE,
    },
};

impl Run<'_> {
    /// Does what somebody did, after what was over before; whether all of it is done.
    pub(super) fn hears_act(&mut self, act: &Act, evidence: &Evidence, reached: Timestamp) -> bool {
        if !self.is_over_by(reached) {
            return false;
        }
        self.does(act, evidence.at);
        let is_whole = self.is_over_by(reached);
        if is_whole {
            let _: Option<Pause> = take_note(&mut self.state, evidence);
        }
        is_whole
    }

    /// Ends what is over by then; whether all of it. What waits for a rule's delay is left to what comes next.
    pub(super) fn is_over_by(&mut self, reached: Timestamp) -> bool {
        while let Some(due) = self.state.expiry().filter(|due| *due <= reached) {
            if !self.expires(due) {
                return false;
            }
        }
        true
    }

    fn does(&mut self, act: &Act, at: Timestamp) {
        match &act.deed {
            Deed::Acknowledge { alarm, until, void_up_to } => {
                self.acknowledges(act, alarm, (*until, *void_up_to), at);
            }
            Deed::Reset { alarm } => self.resets(act, alarm, at),
            Deed::Shelve { rule, until, once } => self.shelves(act, rule, (*until, *once), at),
            Deed::Unshelve { rule } => self.unshelves(act, rule, at),
            Deed::TakeOut { rule, until } => self.takes_out(act, rule.as_deref(), *until, at),
            Deed::PutBack { rule } => {
                let owed = Owed { at, by: Some(act.by.clone()), why: act.why.clone() };
                self.is_in_service(rule.as_deref().unwrap_or(WHOLE_SOURCE), Some(owed));
            }
        }
    }

    /// The first word stands, unless it matters more since, or the word is void.
    fn acknowledges(
        &mut self,
        act: &Act,
        alarm: &str,
        (until, void_up_to): (Option<Timestamp>, Option<Timestamp>),
        at: Timestamp,
    ) {
        let is_void = |word: &Acknowledged| void_up_to.is_some_and(|then| word.at <= then);
        let is_free = |active: &Active| !active.is_taken_on() || active.acknowledged.as_ref().is_some_and(is_void);
        let Some((rule, active)) = self.active(alarm).filter(|(_, active)| is_free(active)) else {
            return;
        };
        let by_rule = (!active.acknowledged_for.is_zero()).then(|| at.plus(active.acknowledged_for));
        let until = until.or(by_rule);
        let severity = Some(active.severity);
        let word = Acknowledged { by: act.by.clone(), at, until, severity };
        active.acknowledged = Some(word.clone());
        let change =
            Change::of(ChangeKind::Acknowledged, active.about(&rule), at, "").done(&act.by, act.why.as_deref());
        // Of what comes and goes it is meant for what comes next as well.
        if let Some(flap) = self.state.lives.get_mut(&rule).and_then(|life| life.flap.as_mut()) {
            flap.word = Some(word);
        }
        self.announce(Change { until, ..change.recorded() }, Terms::default());
    }

    fn resets(&mut self, act: &Act, alarm: &str, at: Timestamp) {
        let is_ready = |active: &Active| active.acknowledged.is_some() && !active.holds();
        let Some((rule, active)) = self.active(alarm).filter(|(_, active)| is_ready(active)) else { return };
        let over = active.over_since.unwrap_or(at);
        let change = Change::of(ChangeKind::Cleared, active.about(&rule), at, "reset").over_at(over);
        let change = change.done(&act.by, act.why.as_deref());
        // Whoever acts may not know the rules.
        let held = self.state.conditions.remove(&rule).map(|condition| condition.times()).unwrap_or_default();
        for Time { since, over } in held.into_iter().flatten() {
            self.state.held_until(&rule, since, over.unwrap_or(at));
        }
        self.announce(change, Terms::default());
    }

    fn shelves(&mut self, act: &Act, rule: &RuleId, (until, once): (Option<Timestamp>, bool), at: Timestamp) {
        let active = self.state.conditions.get(rule).and_then(|condition| condition.active());
        let begun = active.map(|active| Life::of(active.about(rule), true));
        let lives = &mut self.state.lives;
        if let Some(begun) = begun {
            lives.entry(rule.clone()).or_insert(begun);
        }
        let Some(life) = lives.get_mut(rule) else { return };
        let most = at.plus(life.most_shelved);
        let until = Some(until.map_or(most, |until| until.min(most)));
        life.shelf = Some(Quiet { by: act.by.clone(), why: act.why.clone(), since: at, until, once });
        let detail = if once { "until it is over" } else { "" };
        let change = Change::of(ChangeKind::Shelved, life.about(rule), at, detail).done(&act.by, act.why.as_deref());
        self.announce(Change { until, ..change.recorded() }, Terms::default());
    }

    fn unshelves(&mut self, act: &Act, rule: &RuleId, at: Timestamp) {
        let Some(life) = self.state.lives.get_mut(rule) else { return };
        if life.shelf.take().is_some() {
            let ended = Ended { at, by: Some(&act.by), why: act.why.as_deref() };
            self.releases(rule, ChangeKind::Unshelved, &ended);
        }
    }

    fn takes_out(&mut self, act: &Act, rule: Option<&str>, until: Option<Timestamp>, at: Timestamp) {
        let name = rule.unwrap_or(WHOLE_SOURCE).to_owned();
        let about = About { alarm: "", rule: &name, severity: Severity::Info, since: at, shadow: false };
        let change = Change::of(ChangeKind::OutOfService, about, at, "").done(&act.by, act.why.as_deref());
        self.changes.push(Change { until, ..change.recorded() });
        let quiet = Quiet { by: act.by.clone(), why: act.why.clone(), since: at, until, once: false };
        self.state.out_of_service.insert(name, quiet);
    }

    /// The active alarm of that id, and its rule.
    fn active(&mut self, alarm: &str) -> Option<(RuleId, &mut Active)> {
        let rule = self.state.alarm(alarm)?.0.clone();
        let active = self.state.conditions.get_mut(&rule)?.active_mut()?;
        Some((rule, active))
    }
}
