//! Times that come again every week, as the clocks of a place show them.

use jiff::{
    Span,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Hours of a week, as the clocks of a place show them: an hour that the clocks skip is in no calendar that day, one that they show
/// twice is twice in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CalendarDocument", into = "CalendarDocument")]
pub struct Calendar {
    zone: TimeZone,
    hours: Vec<Hours>,
}

/// Some hours of some days.
#[derive(Debug, Clone, PartialEq)]
struct Hours {
    days: Vec<Weekday>,
    from: Time,
    /// Before `from`: of the next day. The same as `from`: a whole day.
    until: Time,
}

/// A calendar as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarDocument {
    /// An IANA zone: `Asia/Shanghai`.
    zone: String,
    hours: Vec<HoursDocument>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoursDocument {
    /// `mon` to `sun`; every day without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<String>,
    /// `22:00`.
    from: String,
    until: String,
}

/// Why a calendar cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCalendar {
    /// There is no such zone.
    #[error("zone: there is no time zone {0:?}; zones are written as Europe/Berlin")]
    Zone(String),
    /// It is of no use.
    #[error("hours: there are none, or more than {MOST_HOURS}")]
    Hours,
    /// It is no day.
    #[error("hours[{0}].days: {1:?} is none of {DAYS:?}")]
    Day(usize, String),
    /// It is no time of day.
    #[error("hours[{0}].{1}: {2:?} is no time of day such as 22:00")]
    Time(usize, &'static str, String),
}

/// The most entries.
const MOST_HOURS: usize = 50;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Within so many days something changes, if anything ever does: the clocks may skip the hours of one week.
const TWO_WEEKS: i64 = 15;

impl Calendar {
    /// Whether an instant is in it.
    pub fn covers(&self, at: Timestamp) -> bool {
        let Some(local) = self.local(at) else { return false };
        let (today, now) = (local.date(), local.time());
        let is_day = |hours: &Hours, day: Date| hours.days.contains(&day.weekday());
        self.hours.iter().any(|hours| {
            if hours.from < hours.until {
                return is_day(hours, today) && (hours.from..hours.until).contains(&now);
            }
            let since_yesterday = today.yesterday().is_ok_and(|day| is_day(hours, day)) && now < hours.until;
            (is_day(hours, today) && now >= hours.from) || since_yesterday
        })
    }

    /// The first instant after this one at which that is otherwise; none when it never is.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let is_covered = self.covers(at);
        let mut changes: Vec<Timestamp> = self.boundaries(at).into_iter().filter(|change| *change > at).collect();
        changes.sort_unstable();
        changes.into_iter().find(|change| self.covers(*change) != is_covered)
    }

    /// Where something may change in the next two weeks: hours begin and end, days do, and clocks are set.
    fn boundaries(&self, at: Timestamp) -> Vec<Timestamp> {
        let Some(local) = self.local(at) else { return Vec::new() };
        let days = (-1..=TWO_WEEKS).filter_map(|days| local.date().checked_add(Span::new().days(days)).ok());
        let times: Vec<Time> =
            self.hours.iter().flat_map(|hours| [hours.from, hours.until]).chain([Time::midnight()]).collect();
        let mut instants = Vec::new();
        for day in days {
            for time in &times {
                let shown = self.zone.to_ambiguous_timestamp(day.to_datetime(*time));
                instants.extend([shown.earlier(), shown.later()].into_iter().flatten().map(instant));
            }
        }
        if let Some(from) = utc(at) {
            instants.extend(self.zone.following(from).take(2).map(|set| instant(set.timestamp())));
        }
        instants
    }

    fn local(&self, at: Timestamp) -> Option<jiff::civil::DateTime> {
        utc(at).map(|at| self.zone.to_datetime(at))
    }
}

pub(crate) fn utc(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(at.0).ok()
}

pub(crate) fn instant(at: jiff::Timestamp) -> Timestamp {
    Timestamp(at.as_millisecond())
}

impl TryFrom<CalendarDocument> for Calendar {
    type Error = BadCalendar;

    fn try_from(told: CalendarDocument) -> Result<Self, BadCalendar> {
        let zone = TimeZone::get(&told.zone).map_err(|_| BadCalendar::Zone(told.zone.clone()))?;
        if told.hours.is_empty() || told.hours.len() > MOST_HOURS {
            return Err(BadCalendar::Hours);
        }
        let hours = told.hours.iter().enumerate().map(|(place, hours)| hours.read(place));
        Ok(Self { zone, hours: hours.collect::<Result<_, _>>()? })
    }
}

impl HoursDocument {
    fn read(&self, place: usize) -> Result<Hours, BadCalendar> {
        let time = |field, text: &String| {
            let is_short = text.len() == "22:00".len();
            let read = text.parse::<Time>().ok().filter(|_| is_short);
            read.ok_or_else(|| BadCalendar::Time(place, field, text.clone()))
        };
        let days = self.days.iter().map(|day| weekday(day).ok_or_else(|| BadCalendar::Day(place, day.clone())));
        let mut days = days.collect::<Result<Vec<_>, _>>()?;
        if days.is_empty() {
            days = DAYS.iter().filter_map(|day| weekday(day)).collect();
        }
        Ok(Hours { days, from: time("from", &self.from)?, until: time("until", &self.until)? })
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    let place = DAYS.iter().position(|day| *day == name)?;
    Weekday::from_monday_zero_offset(i8::try_from(place).ok()?).ok()
}

impl From<Calendar> for CalendarDocument {
    fn from(calendar: Calendar) -> Self {
        let name = |day: &Weekday| {
            let place = usize::try_from(day.to_monday_zero_offset()).unwrap_or(0);
            DAYS[place].to_owned()
        };
        let hours = calendar.hours.iter().map(|hours| HoursDocument {
            days: if hours.days.len() == DAYS.len() { Vec::new() } else { hours.days.iter().map(name).collect() },
            from: hours.from.strftime("%H:%M").to_string(),
            until: hours.until.strftime("%H:%M").to_string(),
        });
        let zone = calendar.zone.iana_name().unwrap_or("UTC").to_owned();
        Self { zone, hours: hours.collect() }
    }
}

#[cfg(test)]
mod tests;
