//! The whole chain of an alarm: what came over the line, what was read, by which rule it changed, who was told, and what became of
//! that. It is made of the records that are there; nothing is stored for it.

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    alarm::SourceState,
    identity::{least_id_of, time_of},
    time::CLOCKS_DIFFER,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    Table, TableError,
    alarms::{self, Alarm, Transition},
    notices::{self, EVERYBODY, Notice},
    users::{self, Role},
};

/// The most transitions of an alarm that are shown, from the first.
pub const MOST_STEPS: usize = 100;
/// The most people whose notices are looked through.
pub const MOST_PEOPLE: usize = 200;

/// So many transitions of the source are looked through for those of the alarm.
const MOST_LOOKED_AT: usize = 2000;
const PAGE: usize = 200;
/// How many people's notices are read at a time.
const AT_A_TIME: usize = 16;
/// So many notices of each person are looked through from each step on.
const NOTICES_AFTER_A_STEP: usize = 200;

/// An alarm, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The alarm.
    pub alarm: Alarm,
    /// What is remembered of its source.
    pub state: SourceState,
    /// What changed it, oldest first. Those whose transition is not kept any more are missing.
    pub steps: Vec<ExplainedStep>,
    /// Whether nothing was left out for being too much.
    pub is_whole: bool,
}

/// A transition as far as it is about one alarm, and who was told.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedStep {
    /// The transition, with the alarm's changes and its rule alone.
    pub transition: Transition,
    /// The notices that told of it, oldest first.
    pub notices: Vec<Notice>,
}

/// Explains an alarm, with the notices of these people, at most [`MOST_PEOPLE`].
pub async fn explain(table: &dyn Table, alarm: Alarm, people: &[String]) -> Result<Explanation, TableError> {
    let (transitions, mut is_whole) = transitions(table, &alarm).await?;
    is_whole &= people.len() <= MOST_PEOPLE;
    let of = (alarm.id.as_str(), transitions.as_slice());
    let reads: Vec<_> = people.iter().take(MOST_PEOPLE).map(|person| notices_of(table, person, of)).collect();
    let found: Vec<(Vec<Notice>, bool)> = stream::iter(reads).buffered(AT_A_TIME).try_collect().await?;
    is_whole &= found.iter().all(|(_, are_all)| *are_all);
    let mut told: Vec<Notice> = found.into_iter().flat_map(|(notices, _)| notices).collect();
    told.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let steps_of: Vec<Vec<String>> = told.iter().map(|notice| steps_of(notice, &alarm.id, &transitions)).collect();
    let steps = transitions.into_iter().map(|transition| {
        let of_it = told.iter().zip(&steps_of).filter(|(_, steps)| steps.contains(&transition.id));
        let notices = of_it.map(|(notice, _)| notice.clone()).collect();
        ExplainedStep { transition, notices }
    });
    let steps = steps.collect();
    let state = alarms::watch(table, &alarm.source).await?.value.state;
    Ok(Explanation { alarm, state, steps, is_whole })
}

/// Whoever could hear of an alarm: those who see it, then those whom policies and rules may name, and [`EVERYBODY`]. Of what a
/// person's own rule raised, that person.
pub async fn could_hear(table: &dyn Table, alarm: &Alarm) -> Result<Vec<String>, TableError> {
    if let Some(owner) = alarm.owner() {
        return Ok(vec![owner]);
    }
    let bound: BTreeSet<String> = match alarm.source.mac() {
        Some(mac) => users::of_terminal(table, mac).await?.into_iter().collect(),
        None => BTreeSet::new(),
    };
    let (seers, others): (Vec<_>, Vec<_>) =
        users::list(table).await?.into_iter().partition(|user| user.role == Role::Admin || bound.contains(&user.user));
    let people = seers.into_iter().chain(others).map(|user| user.user);
    Ok([EVERYBODY.to_owned()].into_iter().chain(people).collect())
}

/// The transitions that changed an alarm, oldest first; and whether those are all.
async fn transitions(table: &dyn Table, alarm: &Alarm) -> Result<(Vec<Transition>, bool), TableError> {
    let (mut found, mut after, mut looked_at): (Vec<Transition>, _, _) = (Vec::new(), None, 0);
    loop {
        let page = alarms::transitions(table, &alarm.source, alarm.raised_at, PAGE, after).await?;
        looked_at += page.items.len();
        let before = found.len();
        found.extend(page.items.into_iter().filter_map(|transition| of_alarm(transition, &alarm.id)));
        // What is over changes hardly any more: a page without it is taken for the end.
        let is_past = alarm.cleared_at.is_some() && !found.is_empty() && found.len() == before;
        after = page.next;
        let is_at_the_end = after.is_none() || is_past;
        if is_at_the_end || found.len() >= MOST_STEPS || looked_at >= MOST_LOOKED_AT {
            let is_whole = is_at_the_end && found.len() <= MOST_STEPS;
            found.truncate(MOST_STEPS);
            found.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
            return Ok((found, is_whole));
        }
    }
}

/// A transition as far as it is about an alarm.
fn of_alarm(mut transition: Transition, alarm: &str) -> Option<Transition> {
    transition.changes.retain(|change| change.alarm == alarm);
    let cause = transition.cause.take();
    transition.cause = cause.map(|cause| cause.about(&transition.changes));
    (!transition.changes.is_empty()).then_some(transition)
}

/// Which of an alarm's transitions a notice tells of. What is said again, or was held back, tells of how the alarm stood by then,
/// whichever transition its incident heard of last.
fn steps_of(notice: &Notice, alarm: &str, transitions: &[Transition]) -> Vec<String> {
    let ids = || transitions.iter().map(|transition| &transition.id);
    let told: Vec<String> = ids().filter(|id| notice.transitions.contains(id)).cloned().collect();
    if !told.is_empty() || !notice.transitions.is_empty() {
        return told;
    }
    let Some(facts) = &notice.facts else { return ids().filter(|id| notice.tells_of(id)).cloned().collect() };
    if facts.changes().any(|change| change.alarm == alarm) {
        let before = transitions.iter().rfind(|transition| transition.at <= notice.at).or(transitions.first());
        return before.map(|transition| transition.id.clone()).into_iter().collect();
    }
    // It tells of more than it names.
    ids().filter(|id| facts.more > 0 && notice.tells_of(id)).cloned().collect()
}

/// A person's notices of these transitions; and whether those are all. What they were told is looked through from each
/// transition on, and not between: between two there may be a year.
async fn notices_of(
    table: &dyn Table,
    person: &str,
    (alarm, transitions): (&str, &[Transition]),
) -> Result<(Vec<Notice>, bool), TableError> {
    let (mut found, mut is_whole): (Vec<Notice>, _) = (Vec::new(), true);
    let mut reached: Option<String> = None;
    for transition in transitions {
        let since = began(transition).minus(CLOCKS_DIFFER);
        is_whole &= reached.as_ref().is_none_or(|reached| *reached >= least_id_of(since));
        let page = notices::list_since(table, person, since, NOTICES_AFTER_A_STEP, reached).await?;
        let tells = |notice: &Notice| !steps_of(notice, alarm, transitions).is_empty();
        found.extend(page.items.into_iter().filter(tells));
        if page.next.is_none() {
            return Ok((found, is_whole));
        }
        reached = page.next;
    }
    Ok((found, transitions.is_empty()))
}

/// The earlier of when its evidence was so and when it was decided.
fn began(transition: &Transition) -> Timestamp {
    time_of(&transition.id).map_or(transition.at, |at| at.min(transition.at))
}
