//! What waits for somebody, and how a notice names it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Incident, Known, Open, Pace, Telling};
use crate::{Source, Timestamp};

/// Of so many alarms that are open a notice tells by their names.
const MOST_NAMED: usize = 20;

/// The alarms that are open and wait.
pub(super) struct Waits {
    /// For somebody: they are said again.
    pub(super) nobodys: BTreeSet<String>,
    /// Until they are seen again.
    pub(super) unseen: BTreeSet<String>,
}

impl Waits {
    pub(super) fn of(
        open: &BTreeMap<String, Open>,
        known: impl Fn(&String) -> Known,
        pace: &Pace,
        now: Timestamp,
    ) -> Self {
        let those = |is: &dyn Fn(Known, &Open) -> bool| {
            open.iter().filter(|(alarm, open)| is(known(alarm), open)).map(|(alarm, _)| alarm.clone()).collect()
        };
        let waits = |known: Known, open: &Open| !known.is_had_on(open, pace, now);
        Self {
            nobodys: those(&waits),
            unseen: those(&|known, open| known.unknown && waits(Known { unknown: false, ..known }, open)),
        }
    }
}

impl Incident {
    /// Has a telling name some of those that nobody has on, the gravest first, and count the rest.
    pub(super) fn names(&mut self, waits: &Waits, telling: &mut Telling) {
        let mut nobodys: Vec<(&String, &Open)> =
            self.open.iter().filter(|(alarm, _)| waits.nobodys.contains(*alarm)).collect();
        nobodys.sort_by_key(|(_, open)| Reverse(open.severity));
        let (named, rest) = nobodys.split_at(nobodys.len().min(MOST_NAMED));
        telling.alarms = named.iter().map(|(alarm, _)| (*alarm).clone()).collect();
        let named: BTreeSet<&Source> = named.iter().map(|(_, open)| &open.source).collect();
        let rest: BTreeSet<&Source> = rest.iter().map(|(_, open)| &open.source).collect();
        // Those that somebody waits for are kept first: where all of these are, so are those that are remembered apart.
        let apart = if nobodys.len() == self.open.len() { self.open_count() - self.open.len() } else { 0 };
        telling.more = rest.difference(&named).count().saturating_add(apart);
        if telling.news.is_empty() {
            self.spared.retain(|alarm| !waits.nobodys.contains(alarm));
        }
    }
}
