//! What an audience is told at once.

use serde::{Deserialize, Serialize};

use super::News;
use crate::{
    Timestamp,
    alarm::{Change, ChangeKind, Severity},
};

/// One notice's worth, to all who hear it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    /// Which of the incident's it is, 1 for the first.
    pub sequence: u32,
    /// Why it is told.
    pub kind: TellingKind,
    /// What is new in it, oldest first.
    pub news: Vec<News>,
    /// How many alarms are open.
    pub open: usize,
    /// Some of those that nobody has on, by their ids, the gravest first.
    pub alarms: Vec<String>,
    /// How many sources there are of the others that nobody has on.
    #[serde(default)]
    pub more: usize,
    /// How much it matters.
    pub severity: Severity,
    /// When the first alarm began.
    pub began: Timestamp,
    /// When the last one ended, where all is over.
    pub ended: Option<Timestamp>,
    /// How many steps of an escalation are told: with [`TellingKind::Escalation`] the last of them alone is.
    pub level: usize,
    /// When.
    pub at: Timestamp,
    /// Since when nobody has it on, where nobody has.
    #[serde(default)]
    pub unattended: Option<Timestamp>,
    /// Whether something came to matter more.
    #[serde(default)]
    pub rose: bool,
    /// How many steps without delay are taken with it: it is told to whom they name as well, and nothing beside it.
    #[serde(default)]
    pub at_once: usize,
    /// How many steps were taken before it, since nobody has it on.
    #[serde(default)]
    pub taken: usize,
}

impl Telling {
    /// Whether people heard of it before, or should have: it is said once more, or to others.
    pub fn is_again(&self) -> bool {
        match self.kind {
            TellingKind::Repeat => true,
            // Whom a first step without delay names hear when those do who see it.
            TellingKind::Escalation => {
                self.sequence > 1 || self.at_once == 0 && self.unattended.is_some_and(|since| since < self.at)
            }
            TellingKind::News | TellingKind::Recovery => false,
        }
    }

    /// Whether somebody is to look up: not where something ended, was taken on, or matters less.
    pub fn asks_for_attention(&self) -> bool {
        let stirs = |change: &Change| {
            change.begins() || matches!(change.kind, ChangeKind::Flapping | ChangeKind::AcknowledgementExpired)
        };
        match self.kind {
            TellingKind::Repeat | TellingKind::Escalation => true,
            TellingKind::News => self.rose || self.news.iter().any(|news| stirs(&news.change)),
            TellingKind::Recovery => false,
        }
    }
}

/// Why something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TellingKind {
    /// Something began, or changed.
    News,
    /// All of it is over.
    Recovery,
    /// Nobody took it on since it was told.
    Repeat,
    /// Nobody took it on, and others are to hear.
    Escalation,
}
