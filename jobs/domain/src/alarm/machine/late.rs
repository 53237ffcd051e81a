//! Readings that came too late, or after newer ones: they raise nothing, and what they would have raised is recorded.

use std::time::Duration;

use super::Run;
use crate::{
    Timestamp,
    alarm::{
        Active, Change, ChangeKind, ConditionState, Evidence, Fact, Held, Late, Memory, Rule, Severity, SourceState,
        change::About,
        condition::{Before, Look, Verdict},
    },
    identity::derived_id,
};

/// How many late readings are remembered, lest one is counted twice.
const MOST_SEEN: usize = 64;
/// Of how many instants at which conditions came to hold no more it is remembered since when they had held, lest what comes again out
/// of that time is taken for late.
const MOST_ENDS: usize = 16;
/// And of how many conditions in all, beyond those of the latest instant.
const MOST_HELD: usize = 128;

impl Run<'_> {
    /// Counts a late reading for each rule that may say so and that it would have raised.
    pub(super) fn notes_late(&mut self, evidence: &Evidence, may_say: impl Fn(&Rule) -> bool) {
        let Fact::Values { values } = &evidence.fact else { return };
        let at = evidence.at;
        if self.state.late_seen.contains(&at) {
            return;
        }
        let mut is_noted = false;
        for rule in self.rules.of_values(values).into_iter().filter(|rule| may_say(rule)) {
            if let Some((severity, words)) = would_raise(rule, evidence).filter(|_| !self.state.knows(&rule.id, at)) {
                let late = self.state.late.entry(rule.id.clone());
                late.and_modify(|late| late.counts(at, severity, &words)).or_insert(Late {
                    count: 1,
                    first: at,
                    last: at,
                    severity,
                    worst: words,
                });
                is_noted = true;
            }
        }
        if is_noted {
            let surplus = (self.state.late_seen.len() + 1).saturating_sub(MOST_SEEN);
            self.state.late_seen.drain(..surplus);
            self.state.late_seen.push(at);
        }
    }

    /// Says what came late, now that the source is heard of again.
    pub(super) fn sums_up_late(&mut self, at: Timestamp) {
        if self.state.late.is_empty() {
            return;
        }
        for rule in self.rules.rules() {
            if !self.has_room() {
                return;
            }
            let Some(Late { count, first, last, severity, worst }) = self.state.late.remove(&rule.id) else { continue };
            let alarm = derived_id(first, &["late", &self.source.to_string(), &rule.id, &first.0.to_string()]);
            let about = About { alarm: &alarm, rule: &rule.id, severity, since: first, shadow: rule.shadow };
            let change = Change::of(ChangeKind::Late, about, at, worst).over_at(last).recorded();
            self.changes.push(Change { count: Some(count), until: Some(last), ..change });
        }
    }
}

/// How much it would have mattered, and in which words: by the reading alone, since nothing is known of its time. So of a condition
/// that is concluded from several nothing can be said, nor of a value within a deadband: it depends on from which side it came.
fn would_raise(rule: &Rule, evidence: &Evidence) -> Option<(Severity, String)> {
    if rule.condition.rests_on_several() || !rule.is_watched(evidence.at) {
        return None;
    }
    match (alone(rule, evidence, true), alone(rule, evidence, false)) {
        (Verdict::Abnormal { .. }, Verdict::Abnormal { severity, words }) => {
            Some((severity.unwrap_or(rule.severity), words))
        }
        _ => None,
    }
}

/// What a reading says alone, if all of the rule was as active before.
fn alone(rule: &Rule, Evidence { fact, at, .. }: &Evidence, is_active: bool) -> Verdict {
    let before = Before::Assumed { is_active };
    let look = Look { fact, at: *at, reached: *at, before, hears_silence: false, is_unknown: false };
    rule.condition.judge(look, &mut Memory::default(), "")
}

/// A time in which a condition holds, or held.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) since: Timestamp,
    /// Until when, where it is known to be over.
    pub(super) over: Option<Timestamp>,
}

impl ConditionState {
    /// The times of it: its own, and that in which what is latched is abnormal again and waits for its delay.
    pub(super) fn times(&self) -> [Option<Time>; 2] {
        let active = self.active();
        let own = Time { since: self.since(), over: active.and_then(|active| active.over_since) };
        let again = active.and_then(|active| active.again.as_ref());
        [Some(own), again.map(|again| Time { since: again.since, over: None })]
    }
}

impl Late {
    fn counts(&mut self, at: Timestamp, severity: Severity, words: &str) {
        self.count = self.count.saturating_add(1);
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        if severity > self.severity {
            self.severity = severity;
            words.clone_into(&mut self.worst);
        }
    }
}

impl SourceState {
    /// Whether what was seen at that instant was looked at by the rule: its condition holds since before, or an alarm tells of it, or it is one
    /// of the latest times in which it held.
    fn knows(&self, rule: &str, at: Timestamp) -> bool {
        let condition = self.conditions.get(rule).filter(|condition| condition.since() <= at);
        let holds = condition.is_some_and(|condition| condition.active().is_none_or(Active::holds));
        let held = |held: &Held| held.rule == rule && held.since <= at && at <= held.until;
        holds || self.held.iter().any(held) || self.told_of(rule, at)
    }

    fn told_of(&self, rule: &str, at: Timestamp) -> bool {
        let Some(life) = self.lives.get(rule).filter(|life| life.since <= at) else { return false };
        let latched = || self.conditions.get(rule)?.active()?.over_since;
        let over = life.lasted_ms.map(|lasted| life.since.plus(Duration::from_millis(lasted))).or_else(latched);
        over.is_none_or(|over| at <= over)
    }

    /// Remembers those times of a condition that are over by what there is of it then, if a late reading may say anything of it.
    pub(super) fn remembers(
        &mut self,
        rule: &Rule,
        held: [Option<Time>; 2],
        (after, at): (Option<&ConditionState>, Timestamp),
    ) {
        let still = after.map(ConditionState::times).unwrap_or_default();
        for Time { since, over } in held.into_iter().flatten() {
            let holds = still.iter().flatten().any(|time| time.since == since);
            if !holds && !rule.condition.rests_on_several() && !rule.condition.names().is_empty() {
                self.held_until(&rule.id, since, over.unwrap_or(at));
            }
        }
    }

    /// Remembers when a rule's condition held, as long as that is of use.
    pub(super) fn held_until(&mut self, rule: &str, since: Timestamp, until: Timestamp) {
        let mut ends: Vec<Timestamp> = self.held.iter().map(|held| held.until).chain([until]).collect();
        ends.sort_unstable();
        ends.dedup();
        if let Some(&oldest) = ends.iter().rev().nth(MOST_ENDS - 1) {
            self.held.retain(|held| held.until >= oldest);
        }
        let mut surplus = (self.held.len() + 1).saturating_sub(MOST_HELD);
        self.held.retain(|held| {
            let is_surplus = surplus > 0 && held.until < until;
            surplus -= usize::from(is_surplus);
            !is_surplus
        });
        self.held.push(Held { rule: rule.to_owned(), since, until });
    }
}
