//! The types of events that a notice can tell of.

use domain::alarm::{Change, ChangeKind};

/// Alarms were raised.
pub(crate) const RAISED: &str = "alarm.raised";
/// Alarms were cleared, and nothing else happened.
const CLEARED: &str = "alarm.cleared";
/// Something else happened to alarms: they came to matter more, or less.
pub(super) const CHANGED: &str = "alarm.changed";
/// An endpoint is disabled.
pub(super) const DISABLED: &str = "channel.disabled";

/// Somebody tests a channel.
pub const TEST_EVENT: &str = "notice.test";

/// The types that somebody may choose among.
pub const EVENTS: [&str; 4] = [RAISED, CLEARED, CHANGED, DISABLED];

/// The type of the event that a transition's changes are.
pub(crate) fn event_of(changes: &[Change]) -> &'static str {
    let is = |kind: ChangeKind| move |change: &Change| change.kind == kind;
    if changes.iter().any(is(ChangeKind::Raised)) {
        RAISED
    } else if !changes.is_empty() && changes.iter().all(is(ChangeKind::Cleared)) {
        CLEARED
    } else {
        CHANGED
    }
}
