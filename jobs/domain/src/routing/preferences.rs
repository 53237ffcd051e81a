//! What a person wants to be told of, on which channels, and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    limits::SMS_A_DAY,
    silence::Subject,
    zone::{TimeOfDay, Zone},
};
use crate::{
    Source,
    alarm::{Change, Severity, unowned},
    calendar::Calendar,
};

/// The channel that everybody has: nothing is sent, so nothing wakes anybody.
pub const INBOX: &str = "inbox";
/// The channels of which a person's first is used where one is enough.
const ONE_IS_ENOUGH: [&str; 3] = ["wechat", "sms", "email"];
const SMS: &str = "sms";
const MORNING: TimeOfDay = TimeOfDay::hour(8);

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// What devices measure.
    Alarms,
    /// That a device does not answer, or a terminal or node is away.
    Connections,
    /// That any of it is over.
    Recoveries,
    /// That a terminal came or went.
    Presence,
    /// What the platform itself lacks.
    Platform,
    /// Reports.
    Reports,
}

/// How a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// At once.
    Now,
    /// Once a day, with all else.
    Digest,
    /// Not at all.
    Off,
}

/// When a person is left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// Then; of a night that begins on one day and ends on the next, too.
    pub calendar: Calendar,
    /// What matters so much is told all the same; nothing is where it is null.
    #[serde(default = "critical")]
    pub passes: Option<Severity>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn critical() -> Option<Severity> {
    Some(Severity::Critical)
}

/// What a person chose; the default where they chose nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// Where their days begin and end; as the operator chose where they do not say.
    pub zone: Option<Zone>,
    /// When they are left alone.
    pub quiet: Option<Quiet>,
    /// When their digest is told; at 08:00 where they do not say.
    pub digest_at: Option<TimeOfDay>,
    /// How they are told of a category, by channel.
    pub ways: BTreeMap<Category, BTreeMap<String, Way>>,
    /// How many text messages they get a day, where that is fewer than everybody gets.
    pub sms_a_day: Option<u32>,
}

impl Category {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Alarms, Self::Connections, Self::Recoveries, Self::Presence, Self::Platform, Self::Reports];

    /// What an alarm is about.
    pub fn of(subject: &Subject<'_>) -> Self {
        let kind = unowned(subject.rule);
        match subject.source {
            Source::Platform(_) => Self::Platform,
            Source::Device(_) | Source::Terminal(_) | Source::Node(_) if matches!(kind, "timeout" | "offline") => {
                Self::Connections
            }
            Source::Device(_) | Source::Terminal(_) | Source::Node(_) => Self::Alarms,
        }
    }
}

impl Preferences {
    /// How they are told of an alarm, or of its end, on a channel. `reachable` are the channels they have an address for.
    pub fn way(&self, subject: &Subject<'_>, is_end: bool, channel: &str, reachable: &[&str]) -> Way {
        let way = self.way_of(Category::of(subject), channel, reachable);
        if is_end { way.max(self.way_of(Category::Recoveries, channel, reachable)) } else { way }
    }

    /// Whether nothing of what happened there is told on a channel, as its user chose.
    pub fn is_off(&self, happened: &[(&Source, &Change)], channel: &str, reachable: &[&str]) -> bool {
        let is_off = |(source, change): &(&Source, &Change)| {
            let subject = Subject { source, node: None, rule: &change.rule, severity: change.severity };
            self.way(&subject, change.ends(), channel, reachable) == Way::Off
        };
        !happened.is_empty() && happened.iter().all(is_off)
    }

    /// How they are told of a category on a channel: as they chose; else of values everywhere, of silence and absence where
    /// they are reached first, and of comings and goings and reports where it costs nothing.
    pub fn way_of(&self, category: Category, channel: &str, reachable: &[&str]) -> Way {
        if let Some(way) = self.ways.get(&category).and_then(|ways| ways.get(channel)) {
            return *way;
        }
        let is_told = match category {
            Category::Alarms | Category::Recoveries | Category::Platform => true,
            Category::Connections => {
                let first = ONE_IS_ENOUGH.into_iter().find(|channel| reachable.contains(channel));
                !ONE_IS_ENOUGH.contains(&channel) || first.is_none_or(|first| first == channel)
            }
            Category::Presence => matches!(channel, INBOX | "wechat"),
            Category::Reports => matches!(channel, INBOX | "email"),
        };
        if is_told { Way::Now } else { Way::Off }
    }

    /// Where their days begin and end; UTC where nobody said.
    pub fn zone(&self) -> Zone {
        self.zone.clone().unwrap_or_default()
    }

    /// When their digest is told.
    pub fn digest_at(&self) -> TimeOfDay {
        self.digest_at.unwrap_or(MORNING)
    }

    /// How many notices an address of theirs gets a day on a channel; none where it is not counted.
    pub fn most_a_day(&self, channel: &str, sms_a_day: Option<u32>) -> Option<u32> {
        let most = sms_a_day.unwrap_or(SMS_A_DAY);
        (channel == SMS).then(|| self.sms_a_day.map_or(most, |own| own.min(most)))
    }
}
