//! What a notice says.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Source, Timestamp,
    alarm::{Change, ChangeKind},
    identity::derived_id,
    routing::incident::{News, Telling, TellingKind},
};
use records::{
    Table, TableError,
    alarms::{self, Alarm},
    incidents::Incident,
    notices::{Notice, NoticeStatus, Way},
    terminals,
};

use super::place;
use crate::deliver_notice::event_of;

/// A notice speaks of so many sources and counts the others.
const MOST_SOURCES: usize = 50;

/// What is said of an incident at once, to whomever.
pub(super) struct Words {
    source: Source,
    subject: String,
    text: String,
}

impl Words {
    /// The words for a telling.
    pub(super) async fn of(table: &dyn Table, incident: &Incident, telling: &Telling) -> Result<Self, TableError> {
        let mut blocks: Vec<(Source, Vec<String>)> = Vec::new();
        for News { source, change, .. } in &telling.news {
            match blocks.iter_mut().find(|(known, _)| known == source) {
                Some((_, lines)) => lines.push(line(change)),
                None => blocks.push((source.clone(), vec![line(change)])),
            }
        }
        if is_again(telling) {
            blocks = open(table, telling).await?;
        }
        let mut places = Vec::new();
        let mut text = String::new();
        for (source, lines) in blocks.iter().take(MOST_SOURCES) {
            let place = called(table, source).await?;
            text.extend([place.as_str(), "\n", &lines.join("\n"), "\n", &source.to_string(), "\n"]);
            places.push(place);
        }
        if blocks.len() > MOST_SOURCES {
            let more = (blocks.len() - MOST_SOURCES).to_string();
            text.extend(["and ", &more, " more\n"]);
        }
        text.push_str(&closing(telling));
        let place = match places.as_slice() {
            [place] => place.clone(),
            _ => format!("{} ({})", incident.place, blocks.len()),
        };
        let source = blocks.into_iter().next().map(|(source, _)| source);
        Ok(Self {
            subject: format!("{}: {place}", heading(telling)),
            text,
            source: source.unwrap_or_else(|| Source::Node(incident.place.clone())),
        })
    }

    /// The notice to one person on one channel.
    pub(super) fn notice(&self, incident: &Incident, telling: &Telling, person: &str, channel: &str) -> Notice {
        let mut transitions: Vec<String> = telling.news.iter().map(|news| news.transition.clone()).collect();
        transitions.dedup();
        let changes: Vec<Change> = telling.news.iter().map(|news| news.change.clone()).collect();
        // The notice that a channel which can edit puts this one in the place of.
        let first = incident.first_told.filter(|_| telling.sequence > 1);
        let follows = first.map(|at| notice_id(incident, 1, at, person, channel));
        Notice {
            id: notice_id(incident, telling.sequence, telling.at, person, channel),
            user: person.to_owned(),
            channel: channel.to_owned(),
            source: self.source.clone(),
            transition: transitions.last().unwrap_or(&incident.transition).clone(),
            transitions,
            incident: incident.id.clone(),
            sequence: telling.sequence,
            subject: self.subject.clone(),
            text: self.text.clone(),
            at: telling.at,
            status: NoticeStatus::Waiting,
            attempts: Vec::new(),
            way: Way { event: Some(event_of(&changes).to_owned()), follows, ..Way::default() },
        }
    }
}

async fn called(table: &dyn Table, source: &Source) -> Result<String, TableError> {
    let terminal = match source.mac() {
        Some(mac) => terminals::get(table, mac).await?,
        None => None,
    };
    Ok(place::of(source, terminal.as_ref()))
}

/// The alarms that are open, by their sources.
async fn open(table: &dyn Table, telling: &Telling) -> Result<Vec<(Source, Vec<String>)>, TableError> {
    let mut alarms: Vec<Alarm> = alarms::get_many(table, &telling.alarms).await?;
    alarms.sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
    let mut blocks: Vec<(Source, Vec<String>)> = Vec::new();
    for alarm in alarms {
        let line = format!("{} since {}: {}", alarm.severity, alarm.raised_at.rfc3339(), alarm.detail);
        match blocks.last_mut().filter(|(source, _)| *source == alarm.source) {
            Some((_, lines)) => lines.push(line),
            None => blocks.push((alarm.source, vec![line])),
        }
    }
    Ok(blocks)
}

/// Whether it says again what was said, to the same or to others.
fn is_again(telling: &Telling) -> bool {
    match telling.kind {
        TellingKind::Repeat => true,
        TellingKind::Escalation => telling.sequence > 1,
        TellingKind::News | TellingKind::Recovery => false,
    }
}

fn heading(telling: &Telling) -> &'static str {
    match telling.kind {
        TellingKind::Repeat => return "Still open",
        TellingKind::Escalation if is_again(telling) => return "Not acknowledged",
        TellingKind::Escalation | TellingKind::News | TellingKind::Recovery => {}
    }
    let of = |kind: ChangeKind| telling.news.iter().map(|news| &news.change).filter(move |change| change.kind == kind);
    let changes = || telling.news.iter().map(|news| &news.change);
    let cleared: BTreeSet<&str> =
        changes().filter(|change| change.ends()).map(|change| change.alarm.as_str()).collect();
    let raised: Vec<&Change> = changes().filter(|change| change.begins()).collect();
    match raised.as_slice() {
        [] if of(ChangeKind::SeverityChanged).next().is_some() => "Alarm changed",
        [] if telling.open > 0 => "Partly recovered",
        [] => "Recovered",
        raised if raised.iter().all(|change| cleared.contains(change.alarm.as_str())) => "Alarm and recovery",
        _ => "Alarm",
    }
}

fn line(change: &Change) -> String {
    let kind = match change.kind {
        ChangeKind::Raised => "raised",
        ChangeKind::SeverityChanged => {
            return format!("now {} {}: {}", change.severity, change.at.rfc3339(), change.detail);
        }
        ChangeKind::Cleared => "cleared",
        ChangeKind::Latched => "over, stands until it is reset",
        ChangeKind::Recurred => "raised again",
        ChangeKind::Acknowledged => "acknowledged",
        ChangeKind::AcknowledgementExpired => "nobody has it on any more",
        ChangeKind::Shelved => "on the shelf",
        ChangeKind::Unshelved => "off the shelf",
        ChangeKind::OutOfService => "out of service",
        ChangeKind::InService => "in service again",
        ChangeKind::Flapping => "flapping",
        ChangeKind::Calmed => "calm",
        ChangeKind::Late => "heard of too late",
    };
    format!("{kind} {}: {}", change.at.rfc3339(), change.detail)
}

/// What is said of the whole.
fn closing(telling: &Telling) -> String {
    match (telling.kind, telling.ended) {
        (TellingKind::Recovery, Some(ended)) => format!("lasted {}\n", lasted(telling.began, ended)),
        _ if telling.sequence > 1 && telling.open > 0 => format!("open: {}\n", telling.open),
        _ => String::new(),
    }
}

fn lasted(began: Timestamp, ended: Timestamp) -> String {
    let lasted = ended.since(began);
    let (hours, minutes, seconds) = (lasted.as_secs() / 3600, lasted.as_secs() / 60 % 60, lasted.as_secs() % 60);
    match lasted {
        short if short < Duration::from_mins(1) => format!("{seconds} s"),
        short if short < Duration::from_hours(1) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// The name of a notice of an incident: the same whenever it is told again.
pub(super) fn notice_id(incident: &Incident, sequence: u32, at: Timestamp, person: &str, channel: &str) -> String {
    derived_id(at, &["notice", &incident.id, &sequence.to_string(), person, channel])
}
