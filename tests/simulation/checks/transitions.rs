//! What is recorded of an alarm's life is its life: it is raised once, after its delay, and cleared once if it was.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Source,
    alarm::{Change, ChangeKind},
};
use records::alarms::{self, Alarm, Which};

use super::letters;
use crate::simulation::{
    faults::LEASE,
    world::{DEBOUNCE_MS, World, at_once},
};

/// How much longer than usual a terminal may stay away that its gateway reboots.
const REBOOT: Duration = Duration::from_secs(90);

pub(super) fn check(world: &World) -> Vec<String> {
    let mut changes: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    let mut found = Vec::new();
    for transition in letters::transitions(world) {
        for change in transition.changes {
            if change.at > transition.at.plus(LEASE) || is_hasty(&transition.source, &change) {
                found.push(format!("{} {} was {:?} too early", transition.source, change.rule, change.kind));
            }
            changes.entry(change.alarm.clone()).or_default().push(change);
        }
    }
    for alarm in at_once(alarms::list(world.table.as_ref(), Which::All, 1000, None)).unwrap().items {
        let lived = changes.remove(&alarm.id).unwrap_or_default();
        if !is_life_of(&alarm, &lived) {
            found.push(format!("the life of {} {} is recorded as {lived:?}", alarm.source, alarm.rule));
        }
    }
    found.extend(changes.keys().map(|alarm| format!("a transition changes {alarm}, which is not there")));
    found
}

fn is_hasty(source: &Source, change: &Change) -> bool {
    let has_delay = !matches!(source, Source::Device(_)) && change.kind == ChangeKind::Raised;
    let due = change.since.plus(Duration::from_millis(DEBOUNCE_MS));
    // A terminal of which every device missed ten times may stay away for longer: its gateway reboots it.
    let is_rebooted = matches!(source, Source::Terminal(_)) && change.at == due.plus(REBOOT);
    has_delay && change.at != due && !is_rebooted
}

fn is_life_of(alarm: &Alarm, lived: &[Change]) -> bool {
    if alarm.life.late_readings.is_some() {
        return lived.len() == 1 && lived[0].kind == ChangeKind::Late && alarm.cleared_at.is_some();
    }
    let of = |kind| lived.iter().filter(move |change| change.kind == kind).collect::<Vec<_>>();
    let (raised, cleared) = (of(ChangeKind::Raised), of(ChangeKind::Cleared));
    let began_so = raised.len() == 1 && raised[0].since == alarm.raised_at;
    let ended_so = match alarm.cleared_at {
        Some(at) => cleared.len() == 1 && cleared[0].at == at,
        None => cleared.is_empty(),
    };
    began_so && ended_so
}
