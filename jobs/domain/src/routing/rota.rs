//! Who is on call: people in turns, as the clocks of a place show them.

use jiff::{
    Span,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    calendar::{instant, utc},
};

/// People who are on call in turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RotaDocument", into = "RotaDocument")]
pub struct Rota {
    zone: TimeZone,
    people: Vec<String>,
    turn: Turn,
    hand_over: Time,
    since: Date,
    overrides: Vec<Override>,
}

/// How long a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// A day.
    Daily,
    /// Seven days.
    Weekly,
}

/// Somebody who is on call whoever's turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Who.
    pub person: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when; no more at that instant.
    pub until: Timestamp,
}

/// A rota as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotaDocument {
    /// An IANA zone: `Europe/Berlin`.
    zone: String,
    /// Users' names, in the order of their turns.
    people: Vec<String>,
    turn: Turn,
    /// When a turn ends and the next begins: `08:00`.
    hand_over: String,
    /// The day on which the first turn begins: `2026-01-05`. With weekly turns, its day of the week is that of each hand-over.
    since: String,
    /// The later one wins where two are of the same time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<OverrideDocument>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverrideDocument {
    person: String,
    /// RFC 3339: `2026-12-24T12:00:00Z`.
    from: String,
    until: String,
}

/// Why a rota cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRota {
    /// There is no such zone.
    #[error("zone: there is no time zone {0:?}; zones are written as Europe/Berlin")]
    Zone(String),
    /// Nobody is in it, or too many are.
    #[error("people: there are none, or more than {MOST_PEOPLE}")]
    People,
    /// It is no time of day.
    #[error("hand_over: {0:?} is no time of day such as 08:00")]
    HandOver(String),
    /// It is no day.
    #[error("since: {0:?} is no day such as 2026-01-05")]
    Since(String),
    /// It is no instant.
    #[error("overrides[{0}].{1}: {2:?} is no instant such as 2026-12-24T12:00:00Z")]
    Instant(usize, &'static str, String),
    /// They are too many, or one ends before it begins.
    #[error("overrides: there are more than {MOST_OVERRIDES}, or one ends before it begins")]
    Overrides,
}

/// The most people in a rota.
const MOST_PEOPLE: usize = 100;
/// The most overrides in a rota.
const MOST_OVERRIDES: usize = 200;

impl Rota {
    /// Who is on call; nobody before the first turn.
    ///
    /// A hand-over at a time that the clocks skip is when they go on; at one that they show twice, it is the first.
    pub fn on_call(&self, at: Timestamp) -> Option<&str> {
        let is_of = |over: &&Override| (over.from..over.until).contains(&at);
        if let Some(over) = self.overrides.iter().rev().find(is_of) {
            return Some(&over.person);
        }
        let days = self.days_since(at)?;
        let turns = match self.turn {
            Turn::Daily => days,
            Turn::Weekly => days / 7,
        };
        self.people.get(turns % self.people.len()).map(String::as_str)
    }

    /// When the person on call is another one by turn, or by an override, at the earliest.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(utc(at)?).date();
        let days = (-1..=8).filter_map(|days| today.checked_add(Span::new().days(days)).ok());
        let hand_overs = days.filter_map(|day| self.hand_over_of(day));
        let overrides = self.overrides.iter().flat_map(|over| [over.from, over.until]);
        let now = self.on_call(at);
        hand_overs.chain(overrides).filter(|change| *change > at && self.on_call(*change) != now).min()
    }

    /// Everybody who may be on call.
    pub fn everybody(&self) -> impl Iterator<Item = &str> {
        self.people.iter().chain(self.overrides.iter().map(|over| &over.person)).map(String::as_str)
    }

    /// How many whole days, hand-over to hand-over, went by since the first turn began.
    fn days_since(&self, at: Timestamp) -> Option<usize> {
        let today = self.zone.to_datetime(utc(at)?).date();
        let is_begun = self.hand_over_of(today)? <= at;
        let day = if is_begun { today } else { today.yesterday().ok()? };
        usize::try_from(self.since.until(day).ok()?.get_days()).ok()
    }

    fn hand_over_of(&self, day: Date) -> Option<Timestamp> {
        let shown = self.zone.to_ambiguous_timestamp(day.to_datetime(self.hand_over));
        shown.compatible().ok().map(instant)
    }
}

impl TryFrom<RotaDocument> for Rota {
    type Error = BadRota;

    fn try_from(told: RotaDocument) -> Result<Self, BadRota> {
        let zone = TimeZone::get(&told.zone).map_err(|_| BadRota::Zone(told.zone))?;
        if told.people.is_empty() || told.people.len() > MOST_PEOPLE {
            return Err(BadRota::People);
        }
        let is_short = told.hand_over.len() == "08:00".len();
        let hand_over = told.hand_over.parse::<Time>().ok().filter(|_| is_short);
        let hand_over = hand_over.ok_or(BadRota::HandOver(told.hand_over))?;
        let since = told.since.parse::<Date>().map_err(|_| BadRota::Since(told.since))?;
        let overrides = told.overrides.into_iter().enumerate().map(|(place, over)| over.read(place));
        let overrides: Vec<Override> = overrides.collect::<Result<_, _>>()?;
        if overrides.len() > MOST_OVERRIDES || overrides.iter().any(|over| over.from >= over.until) {
            return Err(BadRota::Overrides);
        }
        let (people, turn) = (told.people, told.turn);
        Ok(Self { zone, people, turn, hand_over, since, overrides })
    }
}

impl OverrideDocument {
    fn read(self, place: usize) -> Result<Override, BadRota> {
        let read = |field, text: String| match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(instant(at)),
            Err(_) => Err(BadRota::Instant(place, field, text)),
        };
        Ok(Override { person: self.person, from: read("from", self.from)?, until: read("until", self.until)? })
    }
}

impl From<Rota> for RotaDocument {
    fn from(rota: Rota) -> Self {
        Self {
            zone: rota.zone.iana_name().unwrap_or("UTC").to_owned(),
            people: rota.people,
            turn: rota.turn,
            hand_over: rota.hand_over.strftime("%H:%M").to_string(),
            since: rota.since.to_string(),
            overrides: rota.overrides.into_iter().map(OverrideDocument::from).collect(),
        }
    }
}

impl From<Override> for OverrideDocument {
    fn from(over: Override) -> Self {
        Self { person: over.person, from: over.from.rfc3339(), until: over.until.rfc3339() }
    }
}

#[cfg(test)]
mod tests;
