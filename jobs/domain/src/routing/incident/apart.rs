//! The alarms of an incident beyond those that it remembers itself: they are remembered apart, and come back when there is room.

use std::collections::{BTreeMap, BTreeSet};

use super::{Incident, Known, MOST_OPEN, News, Open, Pace};
use crate::{Timestamp, alarm::Severity};

/// So many come back at once that one step can store that.
pub const MOST_RECALLED: usize = 15;

/// What a step changes of what is remembered apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Apart {
    /// The alarms to be remembered, by their ids.
    pub put: BTreeMap<String, Open>,
    /// Those that are no more.
    pub taken: BTreeSet<String>,
}

/// Of alarms that are remembered apart those that somebody waits for, the gravest, as many as one step takes.
pub fn waited_for(
    apart: BTreeMap<String, Open>,
    known: &BTreeMap<String, Known>,
    pace: &Pace,
    now: Timestamp,
) -> BTreeMap<String, Open> {
    let is_had_on = |alarm: &String, open: &Open| {
        let known = known.get(alarm).copied().unwrap_or_default();
        known.gone || known.is_had_on(open, pace, now)
    };
    let is_waited_for = |(alarm, open): &(String, Open)| pace.concerns(open.severity) && !is_had_on(alarm, open);
    let mut waited_for: Vec<(String, Open)> = apart.into_iter().filter(is_waited_for).collect();
    waited_for.sort_by_key(|(_, open)| std::cmp::Reverse(open.severity));
    waited_for.into_iter().take(MOST_RECALLED).collect()
}

impl Incident {
    /// Whether none of its alarms is open.
    pub fn is_over(&self) -> bool {
        self.open.is_empty() && self.apart == 0
    }

    /// How many of its alarms are open.
    pub fn open_count(&self) -> usize {
        self.open.len().saturating_add(usize::try_from(self.apart).unwrap_or(usize::MAX))
    }

    /// Whether so many of those that are remembered apart are to be given to the next step.
    pub fn has_room_for(&self, count: usize) -> bool {
        self.apart > 0 && self.open.len().saturating_add(count) <= MOST_OPEN
    }

    /// Whether nobody waits for what it remembers itself, and there is no room for more: what somebody waits for of the others is to be
    /// given to the next step.
    pub fn asks_for_who_waits(&self) -> bool {
        self.apart > 0 && self.waiting.is_none() && !self.has_room_for(MOST_RECALLED)
    }

    /// An alarm is open, here or apart.
    pub(super) fn opens(&mut self, news: &News, apart: &mut BTreeMap<String, Open>) {
        let (change, name, flaps) = (&news.change, news.change.goes_on_as(), news.change.flaps());
        let (source, rule) = (news.source.clone(), change.rule.clone());
        let is_apart = apart.contains_key(name);
        let has_room = self.open.len() < MOST_OPEN || self.open.contains_key(name);
        let to = if has_room && !is_apart { &mut self.open } else { apart };
        let since = to.get(name).filter(|_| flaps).map_or(change.since, |before| before.since.min(change.since));
        to.insert(name.to_owned(), Open { source, rule, severity: change.severity, since, flaps });
    }

    /// What would lie apart takes the place of what ranks lower: what lies apart is neither escalated nor said again.
    pub(super) fn keeps_the_first(
        &mut self,
        apart: &mut BTreeMap<String, Open>,
        rank: impl Fn(&String, &Open) -> (bool, Severity),
    ) {
        let all: Vec<String> = apart.keys().cloned().collect();
        for alarm in all {
            let least = self.open.iter().map(|(id, open)| (rank(id, open), id)).min();
            let Some(open) = apart.get(&alarm) else { continue };
            let Some(id) = least.filter(|(least, _)| *least < rank(&alarm, open)).map(|(_, id)| id.clone()) else {
                continue;
            };
            apart.extend(self.open.remove_entry(&id));
            self.open.extend(apart.remove_entry(&alarm));
        }
    }

    /// Takes back what was remembered apart, as far as there is room; says what becomes of the rest.
    pub(super) fn recalls(&mut self, before: &BTreeMap<String, Open>, mut apart: BTreeMap<String, Open>) -> Apart {
        let count = |apart: &BTreeMap<String, Open>| u32::try_from(apart.len()).unwrap_or(u32::MAX);
        while self.open.len() < MOST_OPEN
            && let Some((alarm, open)) = apart.pop_first()
        {
            self.open.insert(alarm, open);
        }
        self.apart = self.apart.saturating_add(count(&apart)).saturating_sub(count(before));
        let taken = before.keys().filter(|alarm| !apart.contains_key(*alarm)).cloned().collect();
        apart.retain(|alarm, open| before.get(alarm) != Some(open));
        Apart { put: apart, taken }
    }
}
