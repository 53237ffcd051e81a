//! The alarms that are active are those that the truth demands. Whatever order things were looked at in, the alarms of a rule
//! follow one another: each begins with something abnormal and ends with something normal that is later.

use std::collections::{BTreeMap, BTreeSet};

use domain::{DeviceId, Source, Timestamp};
use records::alarms::{self, Alarm, Which};

use super::sources;
use crate::simulation::{
    site::{NODE, PEOPLE, Person, may_see},
    truth::{Demand, DeviceTruth, LinkTruth, Truth},
    world::{World, at_once},
};

/// What is watched on a source, and what the truth says of it.
struct Watched {
    demand: Demand,
    /// When it may have begun.
    abnormal: BTreeSet<Timestamp>,
    /// When it may have ended.
    normal: BTreeSet<Timestamp>,
}

pub(super) fn check(world: &World, truth: &Truth) -> Vec<String> {
    let mut watched = BTreeMap::new();
    for source in sources(truth) {
        for (rule, of_rule) in of_source(truth, &source) {
            watched.insert((source.to_string(), rule), of_rule);
        }
    }
    let mut stored: BTreeMap<(String, String), Vec<Alarm>> = BTreeMap::new();
    let all = at_once(alarms::list(world.table.as_ref(), Which::All, 1000, None)).unwrap().items;
    // What was heard of too late was never one.
    for alarm in all.into_iter().filter(|alarm| alarm.life.late_readings.is_none()) {
        stored.entry((alarm.source.to_string(), alarm.rule.clone())).or_default().push(alarm);
    }
    let unknown = stored.keys().filter(|key| !watched.contains_key(key)).map(|key| format!("nobody watches {key:?}"));
    let mut found: Vec<String> = unknown.collect();
    for (key, of_rule) in &watched {
        let mut alarms = stored.remove(key).unwrap_or_default();
        alarms.sort_by_key(|alarm| alarm.raised_at);
        let complaints = compare(of_rule, &alarms).into_iter();
        found
            .extend(complaints.map(|complaint| format!("{} {}: {complaint}: {}", key.0, key.1, shown(world, &alarms))));
    }
    found.extend(listed(world));
    found
}

fn compare(watched: &Watched, alarms: &[Alarm]) -> Vec<String> {
    let mut found = Vec::new();
    let is_active = alarms.iter().any(|alarm| alarm.cleared_at.is_none());
    match watched.demand {
        Demand::Active if !is_active => found.push("it is not active".to_owned()),
        Demand::Quiet if is_active => found.push("it is active".to_owned()),
        _ => {}
    }
    let mut before = Some(Timestamp::default());
    for alarm in alarms {
        if before.is_none_or(|ended| alarm.raised_at <= ended) {
            found.push("one began before the one before it was over".to_owned());
        }
        if !watched.abnormal.contains(&alarm.raised_at) {
            found.push("one began with nothing abnormal".to_owned());
        }
        if alarm.cleared_at.is_some_and(|at| at <= alarm.raised_at || !watched.normal.contains(&at)) {
            found.push("one ended with nothing normal".to_owned());
        }
        before = alarm.cleared_at;
    }
    found
}

/// The list of active alarms is that of the alarms that are active.
fn listed(world: &World) -> Option<String> {
    let ids = |which| {
        let alarms = at_once(alarms::list(world.table.as_ref(), which, 1000, None)).unwrap().items.into_iter();
        alarms.filter(|alarm| alarm.cleared_at.is_none()).map(|alarm| alarm.id).collect::<BTreeSet<_>>()
    };
    let active = at_once(alarms::list(world.table.as_ref(), Which::Active, 1000, None)).unwrap().items.len();
    (ids(Which::All) != ids(Which::Active) || active != ids(Which::Active).len())
        .then(|| "the list of active alarms is not that of the alarms that are active".to_owned())
}

fn of_source(truth: &Truth, source: &Source) -> Vec<(String, Watched)> {
    match source {
        Source::Device(device) => of_device(&truth.devices[device], device),
        Source::Terminal(mac) => vec![offline(truth.offline(mac), &truth.terminals[mac].1)],
        Source::Node(name) => {
            assert_eq!(name, NODE);
            vec![offline(if truth.is_connected { Demand::Quiet } else { Demand::Active }, &truth.node)]
        }
        // Nothing of the platform is away in these worlds.
        Source::Platform(_) => Vec::new(),
    }
}

fn offline(demand: Demand, link: &LinkTruth) -> (String, Watched) {
    ("offline".to_owned(), Watched { demand, abnormal: link.lost.clone(), normal: link.seen.clone() })
}

fn of_device(said: &DeviceTruth, device: &DeviceId) -> Vec<(String, Watched)> {
    let answered = said.readings.iter().filter(|(_, told)| !told.is_overtaken).map(|(asked, _)| *asked).collect();
    let timeout = Watched { demand: said.timeout, abnormal: said.misses.clone(), normal: answered };
    let common = limits(said, |tenths| !(100..=300).contains(&tenths), |tenths| (110..=290).contains(&tenths));
    let mut rules = vec![("timeout".to_owned(), timeout), ("threshold:temperature".to_owned(), common)];
    let owners = PEOPLE.iter().filter(|person| may_see(person, &Source::Device(device.clone())));
    rules.extend(owners.filter_map(|person| own(said, person)));
    rules
}

/// What somebody's own rule demands.
fn own(said: &DeviceTruth, person: &Person) -> Option<(String, Watched)> {
    let most = person.own_most?;
    let is_over = |tenths: i16| f64::from(tenths) / 10.0 > most;
    Some((format!("user:{}:threshold:temperature", person.name), limits(said, is_over, |tenths| !is_over(tenths))))
}

/// What is neither abnormal nor normal lies in the deadband: what it leaves behind hangs on what was known.
fn limits(said: &DeviceTruth, is_abnormal: impl Fn(i16) -> bool, is_normal: impl Fn(i16) -> bool) -> Watched {
    let demand = match said.latest().map(|told| told.tenths) {
        Some(tenths) if is_abnormal(tenths) => Demand::Active,
        Some(tenths) if !is_normal(tenths) => Demand::Either,
        _ => Demand::Quiet,
    };
    let watched = || said.readings.iter().filter(|(_, told)| !told.is_overtaken);
    let abnormal = watched().filter(|(_, told)| is_abnormal(told.tenths)).map(|(asked, _)| *asked).collect();
    let normal = watched().filter(|(_, told)| is_normal(told.tenths)).map(|(asked, _)| *asked).collect();
    Watched { demand, abnormal, normal }
}

fn shown(world: &World, alarms: &[Alarm]) -> String {
    let at = |at| world.trace.shown(at);
    let shown = |alarm: &Alarm| format!("{} to {}", at(alarm.raised_at), alarm.cleared_at.map_or("now".to_owned(), at));
    alarms.iter().map(shown).collect::<Vec<_>>().join(", ")
}
