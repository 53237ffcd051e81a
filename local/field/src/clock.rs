//! The gateway's own clock, read where the real program reads its own.

use jiff::{Timestamp, tz::TimeZone};

/// Now, in the form that JavaScript gives a date: `Mon Nov 23 2026 09:01:06 GMT+0000 (Coordinated Universal Time)`.
#[expect(
    clippy::disallowed_methods,
    reason = "a gateway stamps its results with its own clock, whatever the server's says"
)]
pub(crate) fn javascript_now() -> String {
    javascript_date(Timestamp::now())
}

fn javascript_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a %b %d %Y %H:%M:%S GMT%z (Coordinated Universal Time)").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_as_javascript_prints_it() {
        let at = Timestamp::from_second(1_795_424_466).unwrap();
        assert_eq!(javascript_date(at), "Mon Nov 23 2026 09:01:06 GMT+0000 (Coordinated Universal Time)");
    }
}
