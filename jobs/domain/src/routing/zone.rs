//! Days and times of day, as the clocks of a place show them.

use jiff::{Span, civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An IANA zone: `Asia/Shanghai`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// A time of day, `08:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(Time);

/// Why a text is no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {0:?}; zones are written as Europe/Berlin")]
pub struct NoSuchZone(String);

/// Why a text is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of day such as 08:00")]
pub struct NoTimeOfDay(String);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The day on which an instant falls: `2026-11-26`.
    pub fn day(&self, at: Timestamp) -> String {
        self.zoned(at).map_or_else(|| at.sortable(), |at| at.date().to_string())
    }

    /// When that day ends: the next one's first instant.
    pub fn day_ends(&self, at: Timestamp) -> Timestamp {
        let tomorrow = self.zoned(at).and_then(|at| at.tomorrow().ok()).and_then(|day| day.start_of_day().ok());
        tomorrow.map_or_else(|| at.plus(super::A_DAY), |day| Timestamp(day.timestamp().as_millisecond()))
    }

    /// The first instant after `at` at which the clocks show that time: once each day. Where they skip it, the instant that
    /// is as long after midnight; where they show it twice, the first.
    pub fn next(&self, time: TimeOfDay, at: Timestamp) -> Timestamp {
        let instant = |days: i64| {
            let day = self.zoned(at)?.date().checked_add(Span::new().days(days)).ok()?;
            let shown = day.to_datetime(time.0).to_zoned(self.0.clone()).ok()?;
            Some(Timestamp(shown.timestamp().as_millisecond()))
        };
        (0..=2).filter_map(instant).find(|shown| *shown > at).unwrap_or_else(|| at.plus(super::A_DAY))
    }

    fn zoned(&self, at: Timestamp) -> Option<jiff::Zoned> {
        jiff::Timestamp::from_millisecond(at.0).ok().map(|at| at.to_zoned(self.0.clone()))
    }
}

impl TryFrom<String> for Zone {
    type Error = NoSuchZone;

    fn try_from(name: String) -> Result<Self, NoSuchZone> {
        TimeZone::get(&name).map(Self).map_err(|_| NoSuchZone(name))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = NoTimeOfDay;

    fn try_from(text: String) -> Result<Self, NoTimeOfDay> {
        let is_short = text.len() == "08:00".len();
        text.parse().ok().filter(|_| is_short).map(Self).ok_or(NoTimeOfDay(text))
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.0.strftime("%H:%M").to_string()
    }
}

impl TimeOfDay {
    /// That hour.
    pub const fn hour(hour: i8) -> Self {
        Self(Time::constant(hour, 0, 0, 0))
    }
}
