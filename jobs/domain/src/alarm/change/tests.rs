use ChangeKind::{
    Acknowledged, AcknowledgementExpired, Calmed, Cleared, Flapping, InService, Latched, Late, OutOfService, Raised,
    Recurred, SeverityChanged, Shelved, Unshelved,
};

use super::*;

const EVERY_KIND: [ChangeKind; 14] = [
    Raised,
    SeverityChanged,
    Cleared,
    Latched,
    Recurred,
    Acknowledged,
    AcknowledgementExpired,
    Shelved,
    Unshelved,
    OutOfService,
    InService,
    Flapping,
    Calmed,
    Late,
];

fn of(kind: ChangeKind, alarm: &str, lasted_ms: Option<u64>) -> Change {
    let about = About { alarm, rule: "r", severity: Severity::Warning, since: Timestamp(0), shadow: false };
    Change { lasted_ms, ..Change::of(kind, about, Timestamp(1000), "") }
}

/// Of those of an alarm which may be over, or of a source: the kinds for which it holds.
fn kinds(alarm: &str, lasted_ms: Option<u64>, holds: impl Fn(&Change) -> bool) -> Vec<ChangeKind> {
    EVERY_KIND.into_iter().filter(|kind| holds(&of(*kind, alarm, lasted_ms))).collect()
}

#[test]
fn an_alarm_begins_when_it_is_raised_recurs_or_still_stands_after_nobody_was_told() {
    assert_eq!(kinds("a", None, Change::begins), [Raised, Recurred, Unshelved, InService, Calmed]);
    assert_eq!(kinds("a", Some(5), Change::begins), [Raised, Recurred]);
}

#[test]
fn an_alarm_ends_when_it_is_cleared_or_was_over_before_anybody_may_be_told_again() {
    assert_eq!(kinds("a", None, Change::ends), [Cleared]);
    assert_eq!(kinds("a", Some(5), Change::ends), [Cleared, Unshelved, InService, Calmed]);
}

#[test]
fn a_source_that_is_in_service_again_begins_and_ends_no_alarm() {
    assert_eq!(kinds("", None, Change::begins), [Raised, Recurred]);
    assert_eq!(kinds("", Some(5), Change::ends), [Cleared]);
}

#[test]
fn a_change_is_told_unless_its_rule_is_tried_out_or_something_speaks_against_it() {
    let raised = of(Raised, "a", None);
    assert!(raised.is_told());
    assert!(!Change { shadow: true, ..raised.clone() }.is_told());
    assert!(!raised.recorded().is_told());
}

#[test]
fn what_comes_and_goes_is_told_under_the_name_of_the_one_that_showed_it_until_it_is_calm() {
    let shown = |kind| Change { shown_by: Some("first".into()), ..of(kind, "second", None) };
    let names = |change: &Change| (change.flaps(), change.told_as().to_owned(), change.goes_on_as().to_owned());
    let both = |flaps, told: &str, goes_on: &str| (flaps, told.to_owned(), goes_on.to_owned());
    assert_eq!(names(&shown(Raised)), both(true, "first", "first"));
    assert_eq!(names(&shown(Flapping)), both(true, "first", "first"));
    assert_eq!(names(&shown(Calmed)), both(false, "first", "second"));
    assert_eq!(names(&of(Flapping, "second", None)), both(true, "second", "second"));
    assert_eq!(names(&of(Raised, "second", None)), both(false, "second", "second"));
    assert_eq!(names(&of(Calmed, "second", None)), both(false, "second", "second"));
}
