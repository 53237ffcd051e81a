//! What there is of a device's alarms.

use serde_json::Value;

/// What is on record of answers that came too late to raise an alarm, and would have: all from the first to the last.
pub(super) struct CameLate {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) count: usize,
}

/// An alarm of a device.
pub(super) struct Span {
    pub(super) raised: String,
    pub(super) cleared: Option<String>,
    /// Whether what began it may have been looked at after what is newer.
    pub(super) may_be_late: bool,
}

impl CameLate {
    /// What this alarm puts on record, if it is none that was raised.
    pub(super) fn on(alarm: &Value) -> Option<Self> {
        let count = usize::try_from(alarm["late_readings"].as_u64()?).ok()?;
        let (first, last) = (alarm["raised_at"].as_str()?.to_owned(), alarm["over_at"].as_str()?.to_owned());
        Some(Self { first, last, count })
    }

    /// Whether that instant lies in it.
    pub(super) fn holds(&self, at: &str) -> bool {
        *self.first <= *at && *at <= *self.last
    }
}

impl Span {
    /// Whether it tells of that instant.
    pub(super) fn tells_of(&self, at: &str) -> bool {
        *self.raised <= *at && self.cleared.as_deref().is_none_or(|cleared| *at <= *cleared)
    }

    pub(super) fn holds(&self, at: &str) -> bool {
        *self.raised < *at && self.cleared.as_deref().is_none_or(|cleared| *at < *cleared)
    }
}
