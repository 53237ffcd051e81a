//! The types of events that a notice can tell of.

use domain::{
    alarm::Change,
    routing::incident::{Telling, TellingKind},
};
use records::facts::Facts;

/// Alarms were raised, or stand and are said again.
pub(crate) const RAISED: &str = "alarm.raised";
/// Alarms are over, and nothing else happened.
const CLEARED: &str = "alarm.cleared";
/// Something else happened to alarms: they came to matter more, or less.
pub(super) const CHANGED: &str = "alarm.changed";
/// An endpoint is disabled.
pub(super) const DISABLED: &str = "channel.disabled";

/// Somebody tests a channel.
pub const TEST_EVENT: &str = "notice.test";

/// The types that somebody may choose among.
pub const EVENTS: [&str; 4] = [RAISED, CLEARED, CHANGED, DISABLED];

/// The type of the event that a telling is. What is said again, or to others, stands: it begins for whoever hears of it there.
pub(crate) fn event_of_telling(telling: &Telling) -> &'static str {
    let is_again = matches!(telling.kind, TellingKind::Escalation | TellingKind::Repeat) && telling.news.is_empty();
    if is_again { RAISED } else { event_of(&telling.news.iter().map(|news| &news.change).collect::<Vec<_>>()) }
}

/// The type of the event that what was held back is.
pub(crate) fn event_of_held(facts: &Facts) -> &'static str {
    let stands = facts.held.as_ref().is_some_and(|held| held.standing + held.unseen > 0);
    if stands { RAISED } else { event_of(&facts.changes().collect::<Vec<_>>()) }
}

pub(super) fn event_of(changes: &[&Change]) -> &'static str {
    if changes.iter().any(|change| change.begins()) {
        RAISED
    } else if !changes.is_empty() && changes.iter().all(|change| change.ends()) {
        CLEARED
    } else {
        CHANGED
    }
}
