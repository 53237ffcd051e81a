//! What a notice of an incident tells of, and in whose words.

use std::collections::BTreeMap;

use domain::{
    Source,
    alarm::{About, Change, ChangeKind},
    identity::derived_id,
    routing::incident::{News, Telling, TellingKind},
};
use records::{
    Table, TableError,
    alarms::{self, Alarm},
    facts::{Facts, Kind, Part},
    incidents::Incident,
    locale::Locale,
    notices::{Notice, NoticeStatus, Way},
};

use super::place;
use crate::{
    Context,
    deliver_notice::event_of,
    gate::Gate,
    words::{self, Enclosed, Reader},
};

/// A notice speaks of so many sources and counts the others.
const MOST_SOURCES: usize = 50;

/// What is told of an incident at once, to whomever.
pub(super) struct Said {
    source: Source,
    facts: Facts,
}

impl Said {
    /// What a telling tells these people.
    pub(super) async fn of(
        table: &dyn Table,
        gate: &Gate<'_>,
        (incident, telling): (&Incident, &Telling),
        people: &[String],
    ) -> Result<Self, TableError> {
        let changes = if is_again(telling) { open(table, telling).await? } else { news(telling) };
        let source = changes.first().map(|(source, _)| source.clone());
        let sources = changes.len();
        let mut facts = Facts::of_parts(parts(gate, changes));
        facts.more = u32::try_from(sources.saturating_sub(MOST_SOURCES)).unwrap_or(u32::MAX);
        facts.place = (sources != 1).then(|| incident.place.clone());
        speak_of_the_whole(&mut facts, telling);
        if telling.kind == TellingKind::Escalation {
            facts.before = incident.people.iter().filter(|person| !people.contains(person)).cloned().collect();
        }
        Ok(Self { source: source.unwrap_or_else(|| Source::Node(incident.place.clone())), facts })
    }

    /// The notice to one person, who is spoken to like that, on one channel.
    pub(super) fn notice(&self, cx: &Context, about: (&Incident, &Telling), to: To<'_>) -> Notice {
        let (incident, telling) = about;
        let mut transitions: Vec<String> = telling.news.iter().map(|news| news.transition.clone()).collect();
        transitions.dedup();
        let changes: Vec<Change> = telling.news.iter().map(|news| news.change.clone()).collect();
        // The notice that a channel which can edit puts this one in the place of.
        let first = incident.first_told.filter(|_| telling.sequence > 1);
        let follows = first.map(|at| derived_id(at, &["notice", &incident.id, "1", to.person, to.channel]));
        let words = words::compose(&self.facts, &Reader::new(to.locale, &cx.settings.words), &Enclosed::default());
        Notice {
            id: notice_id(incident, telling, to.person, to.channel),
            user: to.person.to_owned(),
            channel: to.channel.to_owned(),
            source: self.source.clone(),
            transition: transitions.last().unwrap_or(&incident.transition).clone(),
            transitions,
            incident: incident.id.clone(),
            sequence: telling.sequence,
            subject: words.subject,
            text: words.text,
            at: telling.at,
            status: NoticeStatus::Waiting,
            attempts: Vec::new(),
            way: Way { event: Some(event_of(&changes).to_owned()), follows, ..Way::default() },
            facts: Some(self.facts.clone()),
        }
    }
}

/// To whom, and on which channel.
#[derive(Clone, Copy)]
pub(super) struct To<'a> {
    /// A user's name.
    pub(super) person: &'a str,
    /// How they are spoken to.
    pub(super) locale: &'a Locale,
    /// The channel.
    pub(super) channel: &'a str,
}

/// What is new, by its sources.
fn news(telling: &Telling) -> Vec<(Source, Vec<Change>)> {
    let mut blocks: Vec<(Source, Vec<Change>)> = Vec::new();
    for news in &telling.news {
        match blocks.iter_mut().find(|(known, _)| *known == news.source) {
            Some((_, changes)) => changes.push(news.change.clone()),
            None => blocks.push((news.source.clone(), vec![news.change.clone()])),
        }
    }
    blocks
}

/// What is open of an incident, as news to who did not hear of it.
pub(super) async fn standing(
    table: &dyn Table,
    incident: &Incident,
    telling: &Telling,
) -> Result<Vec<News>, TableError> {
    let open = open(table, telling).await?.into_iter();
    let news =
        |source: &Source, change| News { transition: incident.transition.clone(), source: source.clone(), change };
    Ok(open.flat_map(|(source, changes)| changes.into_iter().map(move |change| news(&source, change))).collect())
}

/// The alarms that are open, by their sources.
async fn open(table: &dyn Table, telling: &Telling) -> Result<Vec<(Source, Vec<Change>)>, TableError> {
    let mut blocks: BTreeMap<Source, Vec<Change>> = BTreeMap::new();
    for alarm in alarms::get_many(table, &telling.alarms).await? {
        blocks.entry(alarm.source.clone()).or_default().push(raised(alarm));
    }
    Ok(blocks.into_iter().collect())
}

/// That an alarm was raised, and stands.
fn raised(alarm: Alarm) -> Change {
    let Alarm { id, rule, severity, detail, raised_at, shadow, .. } = alarm;
    let about = About { alarm: &id, rule: &rule, severity, since: raised_at, shadow };
    Change::of(ChangeKind::Raised, about, raised_at, detail)
}

/// What is told of each source, as far as it is named.
fn parts(gate: &Gate<'_>, changes: Vec<(Source, Vec<Change>)>) -> Vec<Part> {
    let part = |(source, changes): (Source, Vec<Change>)| {
        let place = place::of(&source, gate.terminal(&source));
        Part { source, place, changes, became: None }
    };
    changes.into_iter().take(MOST_SOURCES).map(part).collect()
}

/// What is said beyond the sources.
fn speak_of_the_whole(facts: &mut Facts, telling: &Telling) {
    match telling.kind {
        TellingKind::Repeat => facts.kind = Kind::Repeat,
        TellingKind::Escalation if is_again(telling) => facts.kind = Kind::Escalated,
        _ if facts.kind == Kind::Recovered && telling.open > 0 => facts.kind = Kind::PartlyRecovered,
        TellingKind::Escalation | TellingKind::News | TellingKind::Recovery => {}
    }
    if is_again(telling) {
        facts.since = Some(telling.began);
        facts.count = Some(telling.sequence);
    }
    if let (TellingKind::Recovery, Some(ended)) = (telling.kind, telling.ended) {
        facts.lasted_ms = u64::try_from(ended.since(telling.began).as_millis()).ok();
    } else if telling.sequence > 1 {
        facts.open = u32::try_from(telling.open).unwrap_or(u32::MAX);
    }
}

/// Whether it says again what was said, to the same or to others.
fn is_again(telling: &Telling) -> bool {
    match telling.kind {
        TellingKind::Repeat => true,
        TellingKind::Escalation => telling.sequence > 1,
        TellingKind::News | TellingKind::Recovery => false,
    }
}

/// The name of a notice of an incident: the same whenever it is told again.
pub(super) fn notice_id(incident: &Incident, telling: &Telling, person: &str, channel: &str) -> String {
    derived_id(telling.at, &["notice", &incident.id, &telling.sequence.to_string(), person, channel])
}
