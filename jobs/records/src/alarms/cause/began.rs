//! What began conditions that have to hold, or to be over, for some time: it is why they are raised, and why they end, long after
//! it was seen.

use domain::{
    Timestamp,
    alarm::{ConditionState, Fact, Rule, SourceState},
};

use super::{CausingFact, Grounds, room::Room};

/// The most bytes of JSON that are remembered of one source: they lie in its watch.
pub(super) const MOST_REMEMBERED: usize = 4 * 1024;

/// What is to be remembered of what began conditions whose delay runs, after a step by these grounds: once they are raised, it
/// is what they were raised by.
pub(in crate::alarms) fn remembered(
    began: Vec<CausingFact>,
    grounds: Grounds<'_>,
    state: &SourceState,
) -> Vec<CausingFact> {
    let pending: Vec<(&str, Timestamp)> = state.conditions.iter().filter_map(begun).collect();
    let is_waited_for = |fact: &CausingFact| pending.iter().any(|(_, since)| *since == fact.at);
    let mut began: Vec<CausingFact> = began.into_iter().filter(is_waited_for).collect();
    for evidence in grounds.seen() {
        let by_it = pending.iter().filter(|(_, since)| *since == evidence.at);
        let rules: Vec<&Rule> = by_it.filter_map(|(id, _)| grounds.rules.get(id).map(AsRef::as_ref)).collect();
        let is_known = began.iter().any(|fact| fact.at == evidence.at);
        if !rules.is_empty() && !is_known && evidence.fact != Fact::Tick {
            let names = rules.iter().flat_map(|rule| rule.condition.names()).collect();
            began.extend(CausingFact::of(evidence, &names).beside(&began));
        }
    }
    began
}

/// A condition that waits until its delay is over, and since when.
fn begun<'a>((rule, condition): (&'a String, &'a ConditionState)) -> Option<(&'a str, Timestamp)> {
    let since = match condition {
        ConditionState::Pending(pending) => pending.since,
        ConditionState::Active(active) => match (&active.again, &active.ending) {
            (Some(again), _) => again.since,
            (None, ending) => ending.as_ref().and(active.normal_since)?,
        },
    };
    Some((rule, since))
}

impl CausingFact {
    /// The same, as what began something, as far as there is room for it beside what is remembered already.
    fn beside(self, remembered: &[Self]) -> Option<Self> {
        let mut room = Room::of(MOST_REMEMBERED);
        for fact in remembered {
            room.take(fact);
        }
        let (fact, frames) = Self { began: true, ..self }.with_values_for(&mut room);
        let fact = fact.with_frames_for(frames, &mut room);
        (!room.is_overfull()).then_some(fact)
    }
}
