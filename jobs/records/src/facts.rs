//! What a notice tells of, before it is put into words.

mod joined;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Source, Timestamp,
    alarm::{Change, ChangeKind, RuleId, Sight},
    routing::{Summary, Why},
};
use serde::{Deserialize, Serialize};

/// What a notice tells of. It is kept with the notice, so that the words are made for who reads them, when they are sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// What kind of thing.
    pub kind: Kind,
    /// Each source that it tells of.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Of how many parts more it does not tell.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: u32,
    /// What people called the rules that they made, by their ids, of those that it tells of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<RuleId, String>,
    /// What people call the place of all of them, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// How often: an alarm came and went, a notice was repeated; how many notices were held back, or are in a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How long all of it lasted, in milliseconds, where all is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasted_ms: Option<u64>,
    /// How many alarms of it are open yet, where that is news.
    #[serde(default, skip_serializing_if = "is_none")]
    pub open: u32,
    /// Who was told before and did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// What became of what was held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldBack>,
    /// What did not take it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Instead>,
    /// What is not sent to any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<DisabledEndpoint>,
}

/// What a notice tells of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The source.
    pub source: Source,
    /// What people call it.
    pub place: String,
    /// What changed.
    pub changes: Vec<Change>,
    /// Of what was held back: what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became: Option<Became>,
}

impl Part {
    /// Whether all that it tells of is over by what it says.
    pub fn is_over(&self) -> bool {
        match self.became {
            Some(Became::Standing | Became::Unseen) => false,
            Some(Became::Recovered | Became::Passed | Became::Unwatched) => true,
            None => standing(&self.changes.iter().collect::<Vec<_>>()).is_empty(),
        }
    }

    /// Whether anything of it ended since nothing watches for it any more: how that is, nobody knows.
    pub fn is_unwatched(&self) -> bool {
        self.changes.iter().any(Change::is_unwatched)
    }
}

/// The alarms that changes say have not ended, each once.
fn standing<'a>(changes: &[&'a Change]) -> BTreeSet<&'a str> {
    let ended = changes.iter().filter(|change| change.ends()).map(|change| change.alarm.as_str());
    let ended: BTreeSet<&str> = ended.collect();
    changes.iter().map(|change| change.alarm.as_str()).filter(|alarm| !ended.contains(alarm)).collect()
}

/// What became of an alarm while it was held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It stands.
    Standing,
    /// It stood when it was last seen: nothing is known of it at present.
    Unseen,
    /// It was told before, and is over.
    Recovered,
    /// It came and went.
    Passed,
    /// Nothing watches for it any more.
    Unwatched,
}

/// What became of what was held back, in alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// What held it.
    pub reasons: Vec<Why>,
    /// How many stand.
    pub standing: u32,
    /// How many stood when they were last seen, of which nothing is known at present.
    #[serde(default)]
    pub unseen: u32,
    /// How many were told before and are over.
    pub recovered: u32,
    /// How many came and went.
    pub passed: u32,
    /// How many nothing watches for any more.
    #[serde(default)]
    pub unwatched: u32,
    /// How many of all are critical.
    pub critical: u32,
    /// How many of all are warnings.
    pub warning: u32,
    /// How many of all are good to know.
    pub info: u32,
}

/// What did not take a notice that comes here instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instead {
    /// Who could not be told, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// By which channel.
    pub channel: String,
    /// Whether it is tried there still: it was not taken in time.
    pub is_late: bool,
    /// What was said there.
    pub said: String,
}

/// An endpoint that is not sent to any more: it is in none of the parts, since nothing is wrong with a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisabledEndpoint {
    /// What its owner calls it.
    pub name: String,
    /// What it said last.
    pub said: String,
}

/// What kind of thing a notice tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something is wrong.
    #[default]
    Raised,
    /// It matters more, or less; or something else became of it.
    Changed,
    /// It is over.
    Recovered,
    /// A part of it is over.
    PartlyRecovered,
    /// It was wrong, and is over.
    AlarmAndRecovery,
    /// Nothing watches for it any more: whether it is over, nobody knows.
    Unwatched,
    /// Nobody has it on any more.
    AcknowledgementExpired,
    /// It comes and goes, and is told of less often from now on.
    Flapping,
    /// Others were told, and nobody took it on.
    Escalated,
    /// It is wrong still.
    Repeat,
    /// What was held back, when nothing holds it any more.
    HeldBack,
    /// Nothing is wrong: somebody tries the channel.
    Test,
    /// What happened in the last time, together.
    Digest,
    /// A channel is not sent to any more.
    ChannelDisabled,
}

impl Kind {
    /// What changes come to, taken together.
    pub fn of(changes: &[Change]) -> Self {
        let ends: Vec<&Change> = changes.iter().filter(|change| change.ends()).collect();
        let ended: BTreeSet<&str> = ends.iter().map(|change| change.alarm.as_str()).collect();
        // What an alarm mattered before its end is no news beside that.
        let has = |kind: ChangeKind| {
            changes.iter().any(|change| change.kind == kind && !ended.contains(change.alarm.as_str()))
        };
        let begun: Vec<&Change> = changes.iter().filter(|change| change.begins()).collect();
        let unwatched = ends.iter().filter(|change| change.is_unwatched()).count();
        match begun.as_slice() {
            [] if has(ChangeKind::SeverityChanged) => Self::Changed,
            [] if !ended.is_empty() && unwatched == ends.len() => Self::Unwatched,
            [] if unwatched > 0 => Self::PartlyRecovered,
            [] if !ended.is_empty() => Self::Recovered,
            [] if has(ChangeKind::AcknowledgementExpired) => Self::AcknowledgementExpired,
            [] if has(ChangeKind::Flapping) => Self::Flapping,
            [] => Self::Changed,
            begun if begun.iter().all(|change| ended.contains(change.alarm.as_str())) => {
                if unwatched > 0 {
                    Self::Unwatched
                } else {
                    Self::AlarmAndRecovery
                }
            }
            _ => Self::Raised,
        }
    }
}

impl Facts {
    /// What changed of one source.
    pub fn of_source(source: Source, place: String, changes: Vec<Change>) -> Self {
        Self::of_parts(vec![Part { source, place, changes, became: None }])
    }

    /// What changed of several.
    pub fn of_parts(parts: Vec<Part>) -> Self {
        let changes: Vec<Change> = parts.iter().flat_map(|part| part.changes.iter().cloned()).collect();
        let flapping = changes.iter().find(|change| change.kind == ChangeKind::Flapping);
        let (count, since) = (flapping.and_then(|change| change.count), flapping.map(flaps_since));
        Self { kind: Kind::of(&changes), parts, count, since, ..Self::default() }
    }

    /// Of what was held back in so many notices, the first of them at `since`: at most so many alarms by name.
    pub fn of_held(summary: Summary, notices: usize, since: Timestamp, most: usize) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let of = |severity| count(summary.lines().filter(|line| line.seen.severity == severity).count());
        let held = HeldBack {
            standing: count(summary.standing.len()),
            unseen: count(summary.unseen.len()),
            recovered: count(summary.recovered.len()),
            passed: count(summary.passed.len()),
            unwatched: count(summary.unwatched.len()),
            critical: of(domain::alarm::Severity::Critical),
            warning: of(domain::alarm::Severity::Warning),
            info: of(domain::alarm::Severity::Info),
            reasons: summary.reasons,
        };
        let kind = if held.reasons == [Why::Digest] { Kind::Digest } else { Kind::HeldBack };
        let groups = [
            (Became::Standing, summary.standing),
            (Became::Unseen, summary.unseen),
            (Became::Recovered, summary.recovered),
            (Became::Passed, summary.passed),
            (Became::Unwatched, summary.unwatched),
        ];
        let mut parts: Vec<Part> = Vec::new();
        for (became, lines) in groups {
            parts.extend(lines.into_iter().map(|line| Part {
                source: line.source,
                place: line.place,
                changes: [line.seen].into_iter().chain(line.ended).collect(),
                became: Some(became),
            }));
        }
        let more = count(parts.len().saturating_sub(most));
        parts.truncate(most);
        Self { kind, parts, more, count: Some(count(notices)), since: Some(since), held: Some(held), ..Self::default() }
    }

    /// Forgets what people call the place of all sources where there is one alone.
    pub fn has_a_place_of_several(&mut self) {
        if self.parts.len() <= 1 && self.more == 0 {
            self.place = None;
        }
    }

    /// The alarms that it says have not ended, each once.
    pub fn standing(&self) -> BTreeSet<&str> {
        standing(&self.changes().collect::<Vec<_>>())
    }

    /// The alarms that it names, each once.
    pub fn alarms(&self) -> BTreeSet<&str> {
        self.changes().map(|change| change.alarm.as_str()).filter(|alarm| !alarm.is_empty()).collect()
    }

    /// All that changed.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.parts.iter().flat_map(|part| &part.changes)
    }
}

/// When what flaps was first raised of the times that are told.
fn flaps_since(change: &Change) -> Timestamp {
    let told = change.sights().into_iter().find_map(|sight| match sight {
        Sight::Flaps { since, .. } => Timestamp::of_rfc3339(&since?),
        _ => None,
    });
    told.unwrap_or(change.since)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_none(count: &u32) -> bool {
    *count == 0
}
