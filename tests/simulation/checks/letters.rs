//! Everybody who may hear of a transition is told of it once on each of their channels, and nobody else is. A letter comes
//! again only where the run that sent it could not store that it was taken, and then under the same id, or in the one that tells it with
//! what came after it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Source,
    alarm::{Change, ChangeKind, Severity, owner},
};
use jobs::ports::Address;
use records::{
    Range, Table,
    alarms::{self, Transition},
    notices::{self, EVERYBODY, Notice, NoticeStatus},
};

use crate::simulation::{
    site::{NODE, PEOPLE, Person, TERMINALS, may_see},
    world::{Sent, World, at_once},
};

/// One transition, one address.
type To = (String, String);

pub(super) fn check(world: &World) -> Vec<String> {
    let mut transitions = transitions(world);
    for transition in &mut transitions {
        transition.changes.retain(Change::is_told);
    }
    let mut topics = BTreeMap::new();
    let expected: BTreeSet<To> =
        transitions.iter().flat_map(|transition| hearers(world, transition, &mut topics)).collect();
    let mut told: BTreeMap<To, Vec<Sent>> = BTreeMap::new();
    for sent in world.sent() {
        for transition in sent.letter.data["transitions"].as_array().into_iter().flatten() {
            let transition = transition.as_str().unwrap_or_default().to_owned();
            told.entry((transition, shown(&sent.letter.address))).or_default().push(sent.clone());
        }
    }
    let mut found = Vec::new();
    let untold = expected.iter().filter(|to| !told.contains_key(*to) && !is_known(to, &transitions, &told));
    found.extend(untold.map(|to| format!("nobody told {to:?}")));
    found.extend(
        told.keys().filter(|to| !expected.contains(*to)).map(|to| format!("{to:?} was told, who is not to be")),
    );
    found.extend(told.iter().filter_map(|(to, sent)| told_too_often(world, to, sent)));
    found.extend(PEOPLE.iter().filter_map(|person| not_sent(world, person.name)));
    found
}

/// Whether it says alone that what comes and goes stands by now, and its end was told there, which is news enough.
fn is_known((id, address): &To, transitions: &[Transition], told: &BTreeMap<To, Vec<Sent>>) -> bool {
    let is_told = |transition: &&Transition| told.contains_key(&(transition.id.clone(), address.clone()));
    let told = transitions.iter().filter(is_told).flat_map(|transition| &transition.changes);
    let over: BTreeSet<&str> = told.filter(|change| change.ends()).map(|change| change.alarm.as_str()).collect();
    let is_calm = |change: &Change| change.kind == ChangeKind::Calmed && over.contains(change.alarm.as_str());
    transitions.iter().any(|transition| transition.id == *id && transition.changes.iter().all(is_calm))
}

/// The transitions that are stored.
pub(super) fn transitions(world: &World) -> Vec<Transition> {
    let macs = TERMINALS.iter().map(|(mac, pids)| (mac.parse().unwrap(), *pids));
    let of_terminals = macs.flat_map(|(mac, pids): (domain::Mac, _)| {
        let devices = pids.iter().map(|pid| Source::Device(domain::DeviceId { mac: mac.clone(), pid: *pid }));
        devices.chain([Source::Terminal(mac.clone())]).collect::<Vec<_>>()
    });
    let sources = of_terminals.chain([Source::Node(NODE.to_owned())]);
    sources.flat_map(|source| of_source(world, &source)).collect()
}

fn of_source(world: &World, source: &Source) -> Vec<Transition> {
    let table = world.table.as_ref();
    let page = at_once(table.query(&Range::all(format!("transition#{source}"), 1000))).unwrap();
    assert!(page.next.is_none(), "a source with so many transitions");
    let stored = page.items.iter().map(|item| at_once(alarms::transition(table, source, &item.key.sk)).unwrap());
    stored.map(Option::unwrap).collect()
}

/// Of which alarms the topics of which severities told.
type Topics = BTreeMap<String, BTreeSet<Severity>>;

/// Who is to hear of a transition, after those of its source before it.
fn hearers(world: &World, transition: &Transition, topics: &mut Topics) -> Vec<To> {
    let concerned = PEOPLE.iter().filter(|person| {
        may_see(person, &transition.source) && transition.changes.iter().any(|change| concerns(person, change))
    });
    let addresses = concerned.flat_map(|person| person.channels.iter().map(|channel| address(person, channel)));
    let common = transition.changes.iter().filter(|change| owner(&change.rule).is_none());
    let common = common.filter(|_| world.settings.notices.topics);
    let told: BTreeSet<Severity> = common.flat_map(|change| topics_of(change, topics)).collect();
    let told = told.into_iter().map(|severity| shown(&Address::Topic { severity }));
    addresses.chain(told).map(|address| (transition.id.clone(), address)).collect()
}

/// The topics that tell of a change: those that told of its alarm, and that of how much it matters, unless it is over there.
fn topics_of(change: &Change, topics: &mut Topics) -> BTreeSet<Severity> {
    let told = topics.entry(change.alarm.clone()).or_default();
    if told.is_empty() || !change.ends() {
        told.insert(change.severity);
    }
    told.clone()
}

/// Of the common rule in whose place somebody has their own they hear nothing.
fn concerns(person: &Person, change: &Change) -> bool {
    match change.rule.strip_prefix("user:") {
        Some(rule) => rule.strip_prefix(person.name).is_some_and(|rule| rule.starts_with(':')),
        None => person.own_most.is_none() || change.rule != "threshold:temperature",
    }
}

fn address(person: &Person, channel: &str) -> String {
    match channel {
        "email" => format!("{}@example.org", person.name),
        _ => format!("https://example.org/{}", person.name),
    }
}

fn shown(address: &Address) -> String {
    match address {
        Address::Email { to } | Address::Sms { to } | Address::WeChat { to } => to.clone(),
        Address::Webhook { url, .. } | Address::Heartbeat { url } => url.clone(),
        Address::Chat(chat) => chat.url.clone(),
        Address::Topic { severity: Severity::Critical } => "critical".to_owned(),
        Address::Topic { severity: Severity::Warning } => "warning".to_owned(),
        Address::Topic { severity: Severity::Info } => "info".to_owned(),
    }
}

fn told_too_often(world: &World, to: &To, sent: &[Sent]) -> Option<String> {
    let ids: BTreeSet<String> = sent.iter().map(|sent| told_under(world, &sent.letter.id)).collect();
    let (_, earlier) = sent.split_last()?;
    let may_come_again = |sent: &Sent| !sent.has_receipt && world.is_interrupted(sent.run);
    let runs: Vec<u64> = sent.iter().map(|sent| sent.run).collect();
    (ids.len() > 1 || !earlier.iter().all(may_come_again))
        .then(|| format!("{to:?} was told {} times, under {ids:?}, by the runs {runs:?}", sent.len()))
}

/// Under which id it is told in the end: what was not known to be taken may be told together with what came after it.
fn told_under(world: &World, id: &str) -> String {
    let names = PEOPLE.iter().map(|person| person.name).chain([EVERYBODY]);
    let mut found = names.filter_map(|name| at_once(notices::get(world.table.as_ref(), name, id)).unwrap());
    let by = found.next().and_then(|notice| notice.value.way.told_by);
    by.map_or_else(|| id.to_owned(), |by| told_under(world, &by))
}

/// In the ledger every notice stands as sent, be it by a later one that told what this one was to.
fn not_sent(world: &World, user: &str) -> Option<String> {
    let rows = at_once(notices::list(world.table.as_ref(), user, 1000, None)).unwrap().items;
    let is_there = |id: &String| rows.iter().any(|row| row.id == *id);
    let is_told = |row: &&Notice| row.status == NoticeStatus::Sent || row.way.told_by.as_ref().is_some_and(is_there);
    let open = rows.iter().find(|row| !is_told(row))?;
    Some(format!("the notice {} of {user} stands as {:?}", open.id, open.status))
}
