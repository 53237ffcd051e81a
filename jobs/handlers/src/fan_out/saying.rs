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
    incidents::{Earlier, Incident},
    locale::Locale,
    notices::{Notice, NoticeStatus, Way},
};

use super::{place, shares::told_elsewhere};
use crate::{
    Context,
    deliver_notice::event_of_telling,
    gate::Gate,
    words::{self, Enclosed, Reader},
};

/// A notice speaks of so many sources and counts the others.
pub(crate) const MOST_SOURCES: usize = 50;

/// What is told of an incident at once, to whomever.
pub(super) struct Said {
    source: Source,
    facts: Facts,
}

impl Said {
    /// What a telling tells these people.
    pub(super) async fn of(
        cx: &Context,
        gate: &Gate<'_>,
        (incident, telling): (&Incident, &Telling),
    ) -> Result<Self, TableError> {
        let table = cx.table.as_ref();
        let changes = if telling.news.is_empty() { open(table, telling).await? } else { news(telling) };
        let source = changes.first().map(|(source, _)| source.clone());
        let unnamed = if telling.news.is_empty() { telling.more } else { 0 };
        let sources = changes.len().saturating_add(unnamed);
        let mut facts = Facts::of_parts(parts(gate, changes));
        facts.more = u32::try_from(sources.saturating_sub(facts.parts.len())).unwrap_or(u32::MAX);
        facts.place = (sources != 1).then(|| incident.place.clone());
        speak_of_the_whole(&mut facts, telling);
        facts.rules = cx.alert_rules().await?.names_of(facts.changes().map(|change| change.rule.as_str()));
        if facts.kind == Kind::Escalated {
            facts.before = before(cx, incident, telling).await?;
        }
        Ok(Self { source: source.unwrap_or_else(|| Source::Node(incident.place.clone())), facts })
    }

    /// The notice to one person, who is spoken to like that, on one channel.
    pub(super) fn notice(&self, cx: &Context, about: (&Incident, &Telling), to: To<'_>) -> Notice {
        let (incident, telling) = about;
        let mut transitions: Vec<String> = telling.news.iter().map(|news| news.transition.clone()).collect();
        transitions.dedup();
        // The notice that a channel which can edit puts this one in the place of.
        let follows = to.follows.map(|earlier| named(incident, earlier, to));
        let previous = to.previous.map(|earlier| named(incident, earlier, to));
        let words = words::compose(&self.facts, &Reader::new(to.locale, &cx.settings.words), &Enclosed::default());
        Notice {
            id: notice_id(incident, telling, to),
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
            way: Way { event: Some(event_of_telling(telling).to_owned()), follows, previous, ..Way::default() },
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
    /// What they got of it that this is put in the place of.
    pub(super) follows: Option<Earlier>,
    /// What they were told of it before.
    pub(super) previous: Option<Earlier>,
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
pub(crate) fn raised(alarm: Alarm) -> Change {
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
        TellingKind::Escalation if telling.is_again() => facts.kind = Kind::Escalated,
        _ if facts.kind == Kind::Recovered && telling.open > 0 => facts.kind = Kind::PartlyRecovered,
        TellingKind::Escalation | TellingKind::News | TellingKind::Recovery => {}
    }
    if telling.is_again() {
        facts.since = telling.unattended.or(Some(telling.began));
        facts.count = Some(telling.sequence);
    }
    if let (TellingKind::Recovery, Some(ended)) = (telling.kind, telling.ended) {
        facts.lasted_ms = u64::try_from(ended.since(telling.began).as_millis()).ok();
    } else if telling.sequence > 1 {
        facts.open = u32::try_from(telling.open).unwrap_or(u32::MAX);
    }
}

/// Who was told of what is open before these are. Of one telling there may be several parts.
async fn before(cx: &Context, incident: &Incident, telling: &Telling) -> Result<Vec<String>, TableError> {
    let mut before = told_elsewhere(cx, incident).await?;
    before.extend(incident.people.iter().cloned());
    let now = incident.outbox.iter().filter(|outgoing| outgoing.telling.sequence == telling.sequence);
    for person in now.flat_map(|outgoing| &outgoing.people) {
        before.remove(person);
    }
    Ok(before.into_iter().collect())
}

/// The name of a notice of an incident: the same whenever it is told again.
pub(super) fn notice_id(incident: &Incident, telling: &Telling, to: To<'_>) -> String {
    named(incident, Earlier { sequence: telling.sequence, at: telling.at }, to)
}

fn named(incident: &Incident, Earlier { sequence, at }: Earlier, to: To<'_>) -> String {
    derived_id(at, &["notice", &incident.id, &sequence.to_string(), to.person, to.channel])
}
