//! Instants as the API says and takes them.

use std::{borrow::Cow, time::Duration};

use domain::Timestamp;
use engine_http::Problem;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::ToSchema;

/// The last instant whose milliseconds have thirteen digits, as the store keeps them.
const LAST: i64 = 9_999_999_999_999;

/// An instant: RFC 3339 in UTC, with milliseconds.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-01-31T08:15:00.000Z")]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let instant = text.parse().ok().map(jiff::Timestamp::as_millisecond).filter(|at| (0..=LAST).contains(at));
        let wrong = || D::Error::custom(format!("{text:?} is not an instant: give RFC 3339 (2026-01-31T08:15:00Z)"));
        instant.map(|at| Self(Timestamp(at))).ok_or_else(wrong)
    }
}

/// Reads RFC 3339 or milliseconds since 1970; `parameter` is named when it is neither.
pub(crate) fn parse(parameter: &str, text: &str) -> Result<Timestamp, Problem> {
    let millis = text.parse().ok().or_else(|| text.parse().ok().map(jiff::Timestamp::as_millisecond));
    match millis {
        Some(millis) if (0..=LAST).contains(&millis) => Ok(Timestamp(millis)),
        _ => {
            let form = "RFC 3339 (2026-01-31T08:15:00Z, a + written as %2B) or milliseconds since 1970";
            Err(Problem::bad_request("bad-time", format!("{parameter} is not an instant: give {form}.")))
        }
    }
}

/// The time from `from` to `to`: up to now where `to` is absent, and for as long as `usual` where `from` is.
pub(crate) fn span(
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
    usual: Duration,
) -> Result<(Timestamp, Timestamp), Problem> {
    let to = to.map(|text| parse("to", text)).transpose()?.unwrap_or(now);
    let from = from.map(|text| parse("from", text)).transpose()?.unwrap_or(to.minus(usual));
    if from > to {
        return Err(Problem::bad_request("bad-time", "from lies after to: give the earlier instant as from."));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_instant() {
        let expected = Timestamp(1_700_000_000_123);
        assert_eq!(parse("from", "1700000000123").unwrap(), expected);
        assert_eq!(parse("from", "2023-11-14T22:13:20.123Z").unwrap(), expected);
        assert_eq!(parse("from", "2023-11-15T06:13:20.123+08:00").unwrap(), expected);
        assert_eq!(parse("from", &expected.rfc3339()).unwrap(), expected);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "yesterday", "2023-11-14", "-1", "99999999999999999", "1e3", "2023-11-14T22:13:20"] {
            assert!(parse("from", text).is_err(), "{text}");
        }
    }
}
