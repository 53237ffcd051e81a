//! Whether people are told of a change, and what is remembered of it for the next.

use std::time::Duration;

use super::Run;
use crate::{
    Timestamp,
    alarm::{
        Change, ChangeKind, Flapping, Life, MOST_SHELVED, Rule, RuleSet, SourceState, Untold,
        change::About,
        sight::{RULE_REMOVED, STANDS, STOOD},
        state::WHOLE_SOURCE,
    },
};

/// What a rule says of the telling.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    flapping: Flapping,
    most_shelved: Duration,
    /// Whether it is seen how much it matters. Where its rule alone says so, that changes when people edit it, by which nothing comes
    /// and goes.
    may_swing: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self { flapping: Flapping::default(), most_shelved: MOST_SHELVED, may_swing: false }
    }
}

impl Terms {
    pub(super) fn of(rule: &Rule, rules: &RuleSet) -> Self {
        let most_shelved = if rule.most_shelved.is_zero() { MOST_SHELVED } else { rule.most_shelved };
        Self { flapping: rules.flapping(rule), most_shelved, may_swing: rule.condition.says_severity() }
    }
}

/// What somebody, or the time, ended.
pub(super) struct Ended<'a> {
    pub(super) at: Timestamp,
    pub(super) by: Option<&'a str>,
    pub(super) why: Option<&'a str>,
}

impl Run<'_> {
    /// Takes a change in: says whether people are told, and remembers it.
    pub(super) fn announce(&mut self, mut change: Change, terms: Terms) {
        use ChangeKind::{Cleared, Latched, Raised, Recurred, SeverityChanged};

        let (rule, at, kind) = (change.rule.clone(), change.at, change.kind);
        let quiet = self.state.quiet(&rule, at);
        let life = self.state.lives.entry(rule.clone());
        let life = life.or_insert_with(|| Life::of(change.about(), kind != Raised));
        let mut begins_to_flap = false;
        match kind {
            Raised | Recurred => {
                // What was only tried out until now was counted when it began.
                let is_known = kind == Raised && life.stands && life.alarm == change.alarm && life.occurrences > 0;
                begins_to_flap = !is_known && life.counts(&change, terms.flapping);
                let About { alarm, severity, since, shadow, .. } = change.about();
                (life.alarm, life.severity, life.since, life.shadow) = (alarm.to_owned(), severity, since, shadow);
                (life.stands, life.lasted_ms, life.most_shelved) = (true, None, terms.most_shelved);
                life.unwatched = false;
                change.count = Some(life.occurrences);
            }
            SeverityChanged => {
                begins_to_flap = terms.may_swing && life.swings(at, terms.flapping);
                life.severity = change.severity;
            }
            Cleared => {
                (life.stands, life.lasted_ms, life.unwatched) = (false, change.lasted_ms, change.is_unwatched());
            }
            _ => {}
        }
        if let Some(flap) =
            life.flap.as_mut().filter(|_| matches!(kind, Raised | Recurred | SeverityChanged | Latched | Cleared))
        {
            flap.calm_at = flap.calm_at.max(at.plus(flap.calm));
        }
        change.shown_by = change.shown_by.or_else(|| life.flap.as_ref()?.shown_by.clone());
        change.untold = change.untold.or(quiet).or_else(|| life.silences(&change, begins_to_flap));
        if change.is_told() {
            life.was_told();
        }
        let is_over = matches!(kind, Cleared | Latched);
        self.changes.push(change);
        if begins_to_flap {
            self.flaps(&rule, at);
        }
        if is_over {
            self.ends_one_shot(&rule, at);
        }
    }

    /// Says that a rule flaps: from now on it is told no more each time.
    fn flaps(&mut self, rule: &str, at: Timestamp) {
        let untold = self.state.quiet(rule, at);
        let word = self.state.conditions.get(rule).and_then(|condition| condition.active()?.acknowledged.clone());
        let Some(life) = self.state.lives.get_mut(rule) else { return };
        let Some(flap) = &mut life.flap else { return };
        flap.word = word;
        let (count, until, shown_by) = (flap.count, flap.calm_at, flap.shown_by.clone());
        let (what, since, calm) = (flap.counted(), flap.since.rfc3339(), flap.calm.as_secs());
        let detail = format!("{what} since {since}: told no more until it is calm for {calm} s");
        let change = Change::of(ChangeKind::Flapping, life.about(rule), at, detail);
        let change = Change { untold, count: Some(count), until: Some(until), shown_by, ..change };
        if change.is_told() {
            life.was_told();
        }
        self.changes.push(change);
    }

    /// A shelf that was to hold until the condition is over.
    fn ends_one_shot(&mut self, rule: &str, at: Timestamp) {
        let Some(life) = self.state.lives.get_mut(rule) else { return };
        if life.shelf.take_if(|shelf| shelf.once && shelf.covers(at)).is_some() {
            self.releases(rule, ChangeKind::Unshelved, &Ended { at, by: None, why: None });
        }
    }

    /// What spoke against telling is over: people are told how it stands, unless they know that nothing does, or something
    /// else speaks against it.
    pub(super) fn releases(&mut self, rule: &str, kind: ChangeKind, ended: &Ended<'_>) {
        let Ended { at, by, why } = *ended;
        let quiet = self.state.quiet(rule, at);
        let is_seen = self.state.unknown.is_none();
        let Some(life) = self.state.lives.get_mut(rule) else { return };
        let is_known = !life.stands && life.told.is_none();
        let detail = match life.stands {
            true if is_seen => STANDS,
            true => STOOD,
            false if life.unwatched => RULE_REMOVED,
            false => "it is over",
        };
        let change = Change::of(kind, life.about(rule), at, detail);
        // That it went says nothing while it comes and goes: how it stands is told when it is calm.
        let went = (life.flap.is_some() && !life.stands).then_some(Untold::Flapping);
        let untold = quiet.or(is_known.then_some(Untold::Record)).or(went);
        let (by, why, lasted_ms) = (by.map(str::to_owned), why.map(str::to_owned), life.lasted_ms);
        let shown_by = life.flap.as_ref().and_then(|flap| flap.shown_by.clone());
        let change = Change { untold, lasted_ms, by, why, shown_by, told_before: life.told.is_some(), ..change };
        if change.is_told() {
            life.was_told();
        }
        self.changes.push(change);
    }
}

impl Life {
    /// Why a change is not told by what is known of its rule.
    fn silences(&self, change: &Change, begins_to_flap: bool) -> Option<Untold> {
        use ChangeKind::{AcknowledgementExpired, Cleared, Latched, Raised, Recurred, SeverityChanged};

        match change.kind {
            Raised | Recurred | SeverityChanged if begins_to_flap => Some(Untold::Flapping),
            Raised | Recurred | SeverityChanged => self.damps(change.severity),
            Cleared | Latched | AcknowledgementExpired if self.flap.is_some() => Some(Untold::Flapping),
            // Nobody knows of it.
            Cleared if self.told.is_none() && !change.shadow => Some(Untold::Record),
            _ => None,
        }
    }
}

impl SourceState {
    /// Whether people know that an alarm of a rule stood, and are to be told how it is when what speaks against that is over.
    pub(super) fn owes_an_end(&self, rule: &str) -> bool {
        let is_out = [rule, WHOLE_SOURCE].into_iter().any(|name| self.out_of_service.contains_key(name));
        let life = self.lives.get(rule).filter(|life| life.told.is_some());
        life.is_some_and(|life| is_out || life.shelf.is_some() || life.owed.is_some())
    }

    /// Why nobody is told of a rule at an instant, if so.
    pub(super) fn quiet(&self, rule: &str, at: Timestamp) -> Option<Untold> {
        if self.out_of_service(rule, at).is_some() {
            return Some(Untold::OutOfService);
        }
        let shelved = self.lives.get(rule).and_then(|life| life.shelf.as_ref());
        shelved.filter(|shelf| shelf.covers(at)).map(|_| Untold::Shelved)
    }
}
