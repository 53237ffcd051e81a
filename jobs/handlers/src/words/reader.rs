//! Who reads: in which language, by which clocks.

use domain::Timestamp;
use jiff::tz::TimeZone;
use records::locale::{Language, Locale};

use crate::settings::WordSettings;

/// Who reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Reader {
    /// Their language.
    pub language: Language,
    zone: TimeZone,
}

impl Reader {
    /// Somebody who is spoken to like that. What they did not choose is as the operator chose.
    pub fn new(locale: &Locale, settings: &WordSettings) -> Self {
        let zone =
            locale.zone.as_deref().and_then(zone_of).or_else(|| zone_of(&settings.zone)).unwrap_or(TimeZone::UTC);
        Self { language: locale.language.unwrap_or(settings.language), zone }
    }

    /// The time that their clocks show: `2026-11-26 20:37:05`.
    pub fn time(&self, at: Timestamp) -> String {
        let shown = jiff::Timestamp::from_millisecond(at.0).map(|at| self.zone.to_datetime(at));
        shown.map_or_else(|_| at.rfc3339(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// The same of an instant as RFC 3339 has it. What is none stays as it is.
    pub(super) fn time_of(&self, told: &str) -> String {
        Timestamp::of_rfc3339(told).map_or_else(|| told.to_owned(), |at| self.time(at))
    }

    /// What their zone is called.
    pub(super) fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}

/// The zone of that name, if there is one.
fn zone_of(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}
