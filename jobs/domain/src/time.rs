//! Instants as the store keeps them.

pub mod as_millis;
mod told;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: UTC milliseconds since 1970. RFC 3339 outside, an integer inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `later` after this one; saturates at the end of time.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(millis(later)))
    }

    /// The instant `earlier` before this one; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(millis(earlier)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Thirteen digits, so that the order of the text is the order of time (until the year 2286).
    pub fn sortable(self) -> String {
        format!("{:013}", self.0.max(0))
    }

    /// The instant that RFC 3339 text says, if it is one.
    pub fn of_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }

    /// RFC 3339 with milliseconds, in UTC.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |t| format!("{t:.3}"))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How far another clock may be from ours to be believed.
pub const CLOCKS_DIFFER: Duration = Duration::from_mins(10);
/// However short its interval, a reading is not late before this age.
const LEAST_LATENESS: Duration = Duration::from_mins(1);

/// How far ahead of our clock an instant of our own may lie: another of our machines may be a little ahead.
const AHEAD: Duration = Duration::from_secs(10);

/// Whether something at `at` is newer than what was known at `known`. An instant of ours that lies in the future was taken
/// from a clock that was set back since: were it believed, nothing would be newer until the clock is there again.
pub fn is_newer(at: Timestamp, known: Timestamp, now: Timestamp) -> bool {
    at > known || is_ahead(known, now)
}

/// Whether an instant of ours is of a clock that was set back since.
pub fn is_ahead(known: Timestamp, now: Timestamp) -> bool {
    known > now.plus(AHEAD)
}

/// The time of a reading: the one told when it lies within 10 minutes of the arrival, else the arrival.
pub fn device_time(told: Option<Timestamp>, arrived: Timestamp) -> Timestamp {
    told.filter(|&told| told.since(arrived).max(arrived.since(told)) <= CLOCKS_DIFFER).unwrap_or(arrived)
}

/// Whether a reading is too old to raise a live alarm: older than a minute and than two intervals.
pub fn is_late(at: Timestamp, now: Timestamp, interval: Duration) -> bool {
    now.since(at) > interval.saturating_mul(2).max(LEAST_LATENESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRIVED: Timestamp = Timestamp(1_795_424_466_000);

    #[test]
    fn a_device_time_within_ten_minutes_of_arrival_is_believed() {
        for millis in [-600_000, -1, 0, 600_000] {
            let told = Timestamp(ARRIVED.0 + millis);
            assert_eq!(device_time(Some(told), ARRIVED), told);
        }
    }

    #[test]
    fn any_other_device_time_gives_way_to_the_arrival() {
        for told in [
            None,
            Some(Timestamp(0)),
            Some(Timestamp(ARRIVED.0 - 600_001)),
            Some(Timestamp(i64::MIN)),
            Some(Timestamp(i64::MAX)),
        ] {
            assert_eq!(device_time(told, ARRIVED), ARRIVED);
        }
    }

    #[test]
    fn what_lies_in_the_future_is_of_a_clock_that_was_set_back_and_stands_in_nobodys_way() {
        let (now, seconds) = (ARRIVED, |secs: i64| Timestamp(ARRIVED.0 + secs * 1000));
        assert!(is_newer(seconds(0), seconds(-1), now));
        assert!(!is_newer(seconds(-1), seconds(0), now));
        assert!(!is_newer(seconds(-1), seconds(10), now), "another machine may be a little ahead");
        assert!(is_newer(seconds(-1), seconds(11), now));
    }

    #[test]
    fn a_reading_is_late_after_a_minute_or_two_intervals_whichever_is_longer() {
        let at = |secs: i64| Timestamp(ARRIVED.0 - secs * 1000);
        let late = |secs, interval| is_late(at(secs), ARRIVED, Duration::from_secs(interval));
        assert!(!late(60, 5));
        assert!(late(61, 5));
        assert!(!late(120, 60));
        assert!(late(121, 60));
        assert!(!late(-30, 5), "the future is not late");
    }
}
