//! What the machine remembers of a rule on a source beyond one alarm: how often it was raised, and what people know of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Acknowledged, Change, Flapping, Severity, Untold, change::About};
use crate::{Timestamp, time::as_millis};

/// How long alarms may be on the shelf, where the rule says nothing else (`MaxTimeShelved` in OPC UA Part 9).
pub const MOST_SHELVED: Duration = Duration::from_hours(24 * 7);

/// What is remembered of a rule that was raised on a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// How often it was raised.
    pub occurrences: u32,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// Its latest alarm.
    pub alarm: String,
    /// How much that matters, or did in the end.
    pub severity: Severity,
    /// When its condition began.
    pub since: Timestamp,
    /// Whether the rule was only tried out then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// Whether it stands.
    pub stands: bool,
    /// For how long its condition held, in milliseconds, where it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasted_ms: Option<u64>,
    /// Whether it is over since nothing watches for it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unwatched: bool,
    /// How much people think that it matters; none where the last that they heard is that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Severity>,
    /// When it was raised lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raises: Vec<Timestamp>,
    /// When it came to matter more, or less, lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swings: Vec<Timestamp>,
    /// How it is damped, if it flaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flap: Option<Flap>,
    /// Who put it on the shelf, if somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf: Option<Quiet>,
    /// Since when nothing speaks against telling how it stands, where that is still to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Owed>,
    /// How long it may be on the shelf.
    #[serde(rename = "most_shelved_ms", with = "as_millis")]
    pub most_shelved: Duration,
}

/// That nobody is told for a while, since somebody said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Who.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; until somebody ends it without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether it ends as soon as the condition is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
}

/// A rule that comes and goes too often to be told each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flap {
    /// When it was first raised of those that are counted.
    pub since: Timestamp,
    /// How often it was raised, or came to matter more or less, those included that showed it.
    pub count: u32,
    /// Whether some of these were no raises.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub swings: bool,
    /// The alarm that showed it, under whose name people are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_by: Option<String>,
    /// The last word of who took an alarm on meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Acknowledged>,
    /// The most that people were told it matters meanwhile: what matters more is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Severity>,
    /// When it is calm, if nothing more happens.
    pub calm_at: Timestamp,
    /// How long nothing must happen.
    #[serde(rename = "calm_ms", with = "as_millis")]
    pub calm: Duration,
}

/// That people are to be told how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Since when.
    pub at: Timestamp,
    /// Who ended what spoke against it; nobody where its time was up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Readings that came late and would have raised a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// How many.
    pub count: u32,
    /// The first of them.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// How much the worst of them matters.
    pub severity: Severity,
    /// What the worst of them said.
    pub worst: String,
}

impl Quiet {
    /// Whether it holds at an instant.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Flap {
    /// Whether it was not calm yet when nothing was known of its source any more.
    pub(super) fn stands_still(&self, lost: Option<Timestamp>) -> bool {
        lost.is_some_and(|lost| self.since <= lost && lost < self.calm_at)
    }

    /// What happened how often, in words.
    pub(super) fn counted(&self) -> String {
        let what = if self.swings { "raised or changed" } else { "raised" };
        format!("{what} {} times", self.count)
    }
}

impl Life {
    /// That of a rule of which this is heard first: an alarm that is raised, or one that was before lives were remembered.
    pub(super) fn of(about: About<'_>, stands: bool) -> Self {
        let About { alarm, severity, since, shadow, .. } = about;
        Self {
            occurrences: u32::from(stands),
            first: since,
            last: since,
            alarm: alarm.to_owned(),
            severity,
            since,
            shadow,
            stands,
            lasted_ms: None,
            unwatched: false,
            told: (stands && !shadow).then_some(severity),
            raises: Vec::new(),
            swings: Vec::new(),
            flap: None,
            shelf: None,
            owed: None,
            most_shelved: MOST_SHELVED,
        }
    }

    /// The alarm under whose name people were told of that alarm of it, if it is one of those that come and go.
    pub fn told_as(&self, begun: Timestamp) -> Option<&str> {
        let flap = self.flap.as_ref().filter(|flap| begun >= flap.since)?;
        flap.shown_by.as_deref()
    }

    /// The alarm that a change of it is about.
    pub(super) fn about<'a>(&'a self, rule: &'a str) -> About<'a> {
        let Self { severity, since, shadow, .. } = *self;
        About { alarm: &self.alarm, rule, severity, since, shadow }
    }

    /// When something of it is due, where nothing is known of its source since an instant, if so: nobody sees that it is calm then.
    pub(super) fn due(&self, lost: Option<Timestamp>) -> Option<Timestamp> {
        let shelved = self.shelf.as_ref().and_then(|shelf| shelf.until);
        let calm = self.flap.as_ref().filter(|flap| !flap.stands_still(lost)).map(|flap| flap.calm_at);
        let owed = self.owed.as_ref().map(|owed| owed.at);
        [shelved, calm, owed].into_iter().flatten().min()
    }

    /// One more raise; whether it begins to flap by it.
    pub(super) fn counts(&mut self, change: &Change, policy: Flapping) -> bool {
        let at = change.at;
        if self.occurrences == 0 {
            self.first = at;
        }
        self.occurrences = self.occurrences.saturating_add(1);
        self.last = at;
        self.raises.push(at);
        self.flaps_by(&change.alarm, (at, false), policy)
    }

    /// It came to matter more, or less; whether it begins to flap by that.
    pub(super) fn swings(&mut self, at: Timestamp, policy: Flapping) -> bool {
        self.swings.push(at);
        self.flaps_by(&self.alarm.clone(), (at, true), policy)
    }

    fn flaps_by(&mut self, alarm: &str, (at, is_swing): (Timestamp, bool), policy: Flapping) -> bool {
        if policy.more_than == 0 {
            self.flap = None;
        }
        if let Some(flap) = &mut self.flap {
            flap.count = flap.count.saturating_add(1);
            flap.swings |= is_swing;
        }
        if policy.more_than == 0 || self.flap.is_some() {
            (self.raises, self.swings) = (Vec::new(), Vec::new());
            return false;
        }
        for lately in [&mut self.raises, &mut self.swings] {
            lately.retain(|then| at.since(*then) < policy.within);
        }
        let count = self.raises.len() + self.swings.len();
        if count <= usize::from(policy.more_than) {
            return false;
        }
        let (count, swings) = (u32::try_from(count).unwrap_or(u32::MAX), !self.swings.is_empty());
        let (calm, since) = (policy.calm, self.raises.iter().chain(&self.swings).min().copied().unwrap_or(at));
        let (shown_by, word) = (Some(alarm.to_owned()), None);
        self.flap = Some(Flap { since, count, swings, shown_by, word, worst: None, calm_at: at.plus(calm), calm });
        (self.raises, self.swings) = (Vec::new(), Vec::new());
        true
    }

    /// Why a change of this severity is not told on account of flapping.
    pub(super) fn damps(&self, severity: Severity) -> Option<Untold> {
        let flap = self.flap.as_ref()?;
        (flap.worst >= Some(severity)).then_some(Untold::Flapping)
    }

    /// People were told: how it stands is what they know.
    pub(super) fn was_told(&mut self) {
        self.told = self.stands.then_some(self.severity);
        let told = self.told;
        if let Some(flap) = &mut self.flap {
            flap.worst = flap.worst.max(told);
        }
    }
}
