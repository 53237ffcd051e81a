//! What a notice tells of, before it is put into words.

use std::collections::BTreeSet;

use domain::{
    Source, Timestamp,
    alarm::{Change, ChangeKind},
};
use serde::{Deserialize, Serialize};

/// What a notice tells of. It is kept with the notice, so that the words are made for who reads them, when they are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What kind of thing.
    pub kind: Kind,
    /// Each source that it tells of.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// How often: an alarm came and went, a notice was repeated; how many notices were held back, or are in a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Who was told before and did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
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
}

/// What kind of thing a notice tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something is wrong.
    Raised,
    /// It matters more, or less.
    Changed,
    /// It is over.
    Recovered,
    /// It was wrong, and is over.
    AlarmAndRecovery,
    /// It comes and goes, and is told of less often from now on.
    Flapping,
    /// Others were told, and nobody took it on.
    Escalated,
    /// It is wrong still.
    Repeat,
    /// Notices that were not sent, since there were too many.
    HeldBack,
    /// Nothing is wrong: somebody tries the channel.
    Test,
    /// What happened in the last time, together.
    Digest,
}

impl Kind {
    /// What changes come to, taken together.
    pub fn of(changes: &[Change]) -> Self {
        let is = |kind: ChangeKind| move |change: &&Change| change.kind == kind;
        let cleared: BTreeSet<&str> =
            changes.iter().filter(is(ChangeKind::Cleared)).map(|change| change.alarm.as_str()).collect();
        let raised: Vec<&Change> = changes.iter().filter(is(ChangeKind::Raised)).collect();
        match raised.as_slice() {
            [] if changes.iter().any(|change| change.kind == ChangeKind::SeverityChanged) => Self::Changed,
            [] => Self::Recovered,
            raised if raised.iter().all(|change| cleared.contains(change.alarm.as_str())) => Self::AlarmAndRecovery,
            _ => Self::Raised,
        }
    }
}

impl Facts {
    /// What changed of one source.
    pub fn of_source(source: Source, place: String, changes: Vec<Change>) -> Self {
        let kind = Kind::of(&changes);
        Self { kind, parts: vec![Part { source, place, changes }], count: None, since: None, before: Vec::new() }
    }

    /// The alarms that it says have not ended, each once.
    pub fn standing(&self) -> BTreeSet<&str> {
        let ended = |change: &&Change| change.kind == ChangeKind::Cleared;
        let cleared: BTreeSet<&str> = self.changes().filter(ended).map(|change| change.alarm.as_str()).collect();
        self.changes().map(|change| change.alarm.as_str()).filter(|alarm| !cleared.contains(alarm)).collect()
    }

    /// All that changed.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.parts.iter().flat_map(|part| &part.changes)
    }
}
