//! Times as devices and gateways tell them.

use jiff::{civil::Time, fmt::strtime, tz::Offset};

use crate::Timestamp;

impl Timestamp {
    /// Reads a time that a gateway told: JavaScript's `Mon Nov 23 2026 09:01:06 GMT+0800 (China Standard Time)`, RFC 3339
    /// with an offset, or milliseconds since 1970 as digits. The offset told is honoured, the zone's name is not read.
    pub fn parse_js_date(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self);
        }
        let instant = text.parse().ok().or_else(|| date_to_string(text))?;
        Some(Self(instant.as_millisecond()))
    }
}

impl Timestamp {
    /// Reads a time as people and carriers write it: as gateways do, or `2026-11-23 09:01:06` or `2026-11-23` by the clocks of
    /// China, where carriers are; a date alone is its end.
    pub fn parse_told(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(known) = Self::parse_js_date(text) {
            return Some(known);
        }
        let zone = Offset::constant(8).to_time_zone();
        let instant = match strtime::parse("%Y-%m-%d %H:%M:%S", text).and_then(|told| told.to_datetime()) {
            Ok(time) => time,
            Err(_) => {
                strtime::parse("%Y-%m-%d", text).ok()?.to_date().ok()?.tomorrow().ok()?.to_datetime(Time::midnight())
            }
        };
        Some(Self(instant.to_zoned(zone).ok()?.timestamp().as_millisecond()))
    }
}

/// What JavaScript's `Date.toString()` writes.
fn date_to_string(text: &str) -> Option<jiff::Timestamp> {
    let (_weekday, rest) = text.split_once(' ')?;
    let instant = rest.split_once(" (").map_or(rest, |(instant, _zone)| instant);
    strtime::parse("%b %d %Y %H:%M:%S GMT%z", instant.trim_end()).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: Timestamp = Timestamp(1_795_424_466_000);

    #[test]
    fn every_form_a_gateway_uses_is_read() {
        for text in [
            "Mon Nov 23 2026 09:01:06 GMT+0000 (Coordinated Universal Time)",
            "Mon Nov 23 2026 17:01:06 GMT+0800 (中国标准时间)",
            "Mon Nov 23 2026 04:31:06 GMT-0430",
            "2026-11-23T09:01:06Z",
            "2026-11-23T17:01:06.000+08:00",
            " 1795424466000 ",
        ] {
            assert_eq!(Timestamp::parse_js_date(text), Some(NINE), "{text}");
        }
    }

    #[test]
    fn dates_as_carriers_write_them_are_read() {
        for text in ["2026-11-23 17:01:06", "Mon Nov 23 2026 17:01:06 GMT+0800 (中国标准时间)", "1795424466000"] {
            assert_eq!(Timestamp::parse_told(text), Some(NINE), "{text}");
        }
        let end_of_day = "2026-11-24T00:00:00+08:00";
        assert_eq!(Timestamp::parse_told(" 2026-11-23 "), Timestamp::parse_js_date(end_of_day));
        for text in ["", "soon", "2026-13-01", "2026-11-23 25:00:00"] {
            assert_eq!(Timestamp::parse_told(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "Invalid Date",
            "yesterday",
            "Mon Foo 23 2026 09:01:06 GMT+0000",
            "2026-11-23T09:01:06",
            "-5",
            "99999999999999999999",
            "Mon Nov 31 2026 09:01:06 GMT+0000",
        ] {
            assert_eq!(Timestamp::parse_js_date(text), None, "{text}");
        }
    }
}
