//! The machine's one step.

mod acts;
mod edited;
mod ending;
mod expiry;
mod late;
mod pause;
mod telling;
mod weighing;

use std::collections::BTreeSet;

use super::{Aspect, Change, ConditionState, Evidence, Fact, RuleId, RuleSet, Seen, SourceState, condition::Pause};
use crate::{Source, Timestamp, identity::derived_id, time::is_ahead};

use self::{telling::Terms, weighing::Looking};

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

/// What one rule can bring: the end of a delay raises an alarm and shows that it flaps, and the fact itself ends both it and
/// what was to hold until then.
const MOST_OF_A_RULE: usize = 5;

/// Looks at one fact.
///
/// Evidence that is not newer than the newest one changes nothing. A condition whose delay ran out by then (by the
/// evidence's time, never later than `now`) is raised before the fact itself is weighed, and what holds for some time only
/// ends in its order, so that it does not matter whether a tick came in time. An act needs no rules.
pub fn step(state: &SourceState, rules: &RuleSet, evidence: &Evidence, now: Timestamp) -> Step {
    let mut run = Run { state: state.clone(), rules, source: &evidence.source, changes: Vec::new() };
    run.state.newest.retain(|_, seen| !is_ahead(seen.at, now));
    let is_whole = run.hears(evidence, now);
    let timer = run.state.timer();
    Step { state: run.state, changes: run.changes, timer, is_whole }
}

/// One step under way.
struct Run<'a> {
    state: SourceState,
    rules: &'a RuleSet,
    source: &'a Source,
    changes: Vec<Change>,
}

impl Run<'_> {
    /// Looks at one fact, and at what became due before it; whether all of that is done.
    fn hears(&mut self, evidence: &Evidence, now: Timestamp) -> bool {
        if evidence.late {
            self.notes_late(evidence, |_| true);
            return true;
        }
        if !is_news(&self.state, evidence) {
            if is_overtaken(&self.state, evidence) {
                // It may be one that was looked at, by what the rules said then.
                self.notes_late(evidence, |rule| rule.changed_at.is_none_or(|changed| changed <= evidence.at));
            }
            return true;
        }
        let reached = reached(evidence, now);
        if let Fact::Acted { act } = &evidence.fact {
            return self.hears_act(act, evidence, reached);
        }
        let mut looked_at = None;
        while let Some(due) = self.due_before(evidence, (looked_at, reached)) {
            let tick = Evidence::new("", self.source.clone(), due, Fact::Tick);
            if !self.looks(&tick, due) || !self.expires(due) {
                return false;
            }
            looked_at = Some(due);
        }
        let is_whole = self.looks(evidence, reached);
        if is_whole && evidence.is_reading() {
            self.sums_up_late(evidence.at);
        }
        // A delay that ran out long ago may have begun what is over by now.
        is_whole && self.is_over_by(reached)
    }

    /// When the first of what is over before a fact was over, but for what was looked at. What is due at its very instant is for the fact
    /// to say, and what was not heard of before a parent's loss is explained by that.
    fn due_before(
        &self,
        evidence: &Evidence,
        (looked_at, reached): (Option<Timestamp>, Timestamp),
    ) -> Option<Timestamp> {
        let is_explained = matches!(evidence.fact, Fact::ParentLost { .. });
        let is_before = |due: &Timestamp| *due < evidence.at && Some(*due) > looked_at && !is_explained;
        let delays = self.state.delays().filter(is_before);
        self.state.expiry().into_iter().chain(delays).min().filter(|due| *due <= reached)
    }

    /// Weighs one fact by the rules that it concerns; whether by all of them.
    fn looks(&mut self, evidence: &Evidence, reached: Timestamp) -> bool {
        let (newest, rules) = (self.state.newest.clone(), self.rules);
        self.state.forgets_others(rules, evidence.at);
        let is_latest = is_latest(&self.state, evidence);
        if let Some(pause) = take_note(&mut self.state, evidence) {
            self.state.resumes(pause, rules);
        }
        let memories = self.state.memories.clone();
        let (unknown, lost) = (self.state.unknown.is_some(), self.state.lost());
        let looking = Looking { evidence, is_latest, reached, unknown, lost };
        let mut is_whole = true;
        for rule in rules.concerned(&evidence.fact, &self.state) {
            if !self.has_room() {
                is_whole = false;
                break;
            }
            let current = self.state.conditions.remove(&rule.id);
            let held = current.as_ref().map(ConditionState::times).unwrap_or_default();
            let mut changes = Vec::new();
            let after = looking.advance(rule, current, &mut self.state, &mut changes);
            self.state.remembers(rule, held, (after.as_ref(), evidence.at));
            self.state.conditions.extend(after.map(|condition| (rule.id.clone(), condition)));
            self.state.is_judged_by(rule, rules);
            let terms = Terms::of(rule, rules);
            for change in changes {
                self.announce(change, terms);
            }
        }
        is_whole = self.follows_edits(&looking) && self.forgets_removed(&looking) && is_whole;
        if !is_whole {
            // What was not weighed against every rule is still to come.
            (self.state.newest, self.state.memories) = (newest, memories);
        }
        is_whole
    }

    /// Forgets what was remembered of rules that are gone, and ends their alarms once the source is heard of; whether of all.
    fn forgets_removed(&mut self, looking: &Looking<'_>) -> bool {
        let rules = self.rules;
        let is_there = |id: &RuleId| rules.get(id).is_some();
        self.state.memories.retain(|id, _| is_there(id));
        self.state.raised.retain(|id, _| is_there(id));
        self.state.late.retain(|id, _| is_there(id));
        let removed: Vec<RuleId> = self.state.conditions.keys().filter(|id| !is_there(id)).cloned().collect();
        for id in removed {
            if !self.has_room() {
                return false;
            }
            let Some(condition) = self.state.conditions.remove(&id) else { continue };
            let mut changes = Vec::new();
            if let Some(kept) = looking.removed(&id, condition, &mut changes) {
                self.state.conditions.insert(id, kept);
            } else if let Some(life) = self.state.lives.get_mut(&id) {
                // Nothing will say that it is calm.
                life.flap = None;
            }
            for change in changes {
                self.announce(change, Terms::default());
            }
        }
        let SourceState { lives, conditions, .. } = &self.state;
        let flaps =
            lives.iter().filter(|(id, life)| life.flap.is_some() && !is_there(id) && !conditions.contains_key(*id));
        let flaps: Vec<RuleId> = flaps.map(|(id, _)| id.clone()).collect();
        for id in flaps {
            if !self.has_room() {
                return false;
            }
            if let Some(flap) = self.state.lives.get_mut(&id).and_then(|life| life.flap.as_mut()) {
                flap.calm_at = flap.calm_at.min(looking.evidence.at);
            }
            self.calms(&id, looking.evidence.at);
        }
        let Self { state, .. } = self;
        state.judged_by.retain(|id, _| is_there(id));
        let owing = state.lives.keys().filter(|id| state.owes_an_end(id)).cloned().collect::<BTreeSet<RuleId>>();
        state.lives.retain(|id, _| is_there(id) || state.conditions.contains_key(id) || owing.contains(id));
        true
    }

    /// Whether what one rule can bring would still be stored together with the rest.
    fn has_room(&self) -> bool {
        self.changes.len() + MOST_OF_A_RULE <= MOST_CHANGES
    }
}

/// Whether a fact was not looked at before, nor anything newer of its aspect. A tick says nothing about the source, so it is
/// always news.
fn is_news(state: &SourceState, evidence: &Evidence) -> bool {
    let is_newer = |seen: &Seen| evidence.at > seen.at && evidence.id != seen.id;
    evidence.fact.aspect().is_none_or(|aspect| state.newest.get(&aspect).is_none_or(is_newer))
}

/// Whether a reading comes after one that is newer than it, or of the same instant.
fn is_overtaken(state: &SourceState, evidence: &Evidence) -> bool {
    let is_newer = |seen: &Seen| evidence.at <= seen.at && evidence.id != seen.id;
    evidence.is_reading() && state.newest.get(&Aspect::Values).is_some_and(is_newer)
}

/// Whether nothing newer is known of the source in any aspect. What people do says nothing of it.
fn is_latest(state: &SourceState, evidence: &Evidence) -> bool {
    state.newest.iter().all(|(aspect, seen)| *aspect == Aspect::Acts || evidence.at >= seen.at)
}

/// Remembers what the fact says of the source as a whole, unless something newer said otherwise; the time that is over in which
/// nothing was known of it. A silence says neither, however new it is: what comes after it in its own order counts all the same.
fn take_note(state: &mut SourceState, evidence: &Evidence) -> Option<Pause> {
    let aspect = evidence.fact.aspect()?;
    let lost = state.lost();
    let newest = |state: &SourceState, aspect| state.newest.get(&aspect).map(|seen: &Seen| seen.at);
    let (spoke, linked) = (newest(state, Aspect::Values), newest(state, Aspect::Link));
    state.newest.insert(aspect, Seen { id: evidence.id.clone(), at: evidence.at });
    match &evidence.fact {
        Fact::Values { .. } if linked.is_some_and(|linked| linked > evidence.at) => {}
        Fact::ParentLost { .. } if spoke.is_some_and(|spoke| spoke >= evidence.at) => {}
        Fact::Values { .. } | Fact::LinkSeen | Fact::LinkLost { .. } => {
            (state.unknown, state.unknown_since) = (None, None);
            return lost.map(|lost| Pause { lost, seen: evidence.at });
        }
        Fact::ParentLost { parent } => {
            (state.unknown, state.unknown_since) = (Some(parent.clone()), Some(lost.unwrap_or(evidence.at)));
        }
        Fact::Known { .. }
        | Fact::Missed { .. }
        | Fact::Away { .. }
        | Fact::Back { .. }
        | Fact::Acted { .. }
        | Fact::Tick => {}
    }
    None
}

/// The time up to which delays have run out.
fn reached(evidence: &Evidence, now: Timestamp) -> Timestamp {
    if evidence.fact == Fact::Tick { now } else { evidence.at.min(now) }
}

/// Names an alarm by its source, its rule and the time of the evidence that began it, so that the same evidence always
/// names the same alarm. A source has one evidence of one time: what is not newer is not looked at.
fn alarm_id(source: &Source, rule: &RuleId, since: Timestamp) -> String {
    derived_id(since, &["alarm", &source.to_string(), rule, &since.0.to_string()])
}

#[cfg(test)]
mod tests;
