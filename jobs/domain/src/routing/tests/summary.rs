//! What was held, told as one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::alarm::{About, Change, ChangeKind};

fn change(alarm: &str, kind: ChangeKind, second: i64, severity: Severity) -> Change {
    let about = About { alarm, rule: "threshold:temperature", severity, since: Timestamp(0), shadow: false };
    Change::of(kind, about, Timestamp(second * 1000), format!("{alarm} is hot"))
}

fn summary(changes: &[Change], active: &[&str]) -> Summary {
    let source = Source::Node("n".to_owned());
    let held = changes.iter().map(|change| Held { source: &source, place: "Cold store", change, why: Why::Silence });
    Summary::of(held, |alarm| active.contains(&alarm))
}

fn alarms(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.seen.alarm.as_str()).collect()
}

use ChangeKind::{Cleared, Raised, SeverityChanged, Unshelved};
use Severity::{Critical, Info, Warning};

#[test]
fn each_alarm_is_told_by_what_became_of_it() {
    let changes = [
        change("stands", Raised, 1, Warning),
        change("went", Raised, 1, Critical),
        change("went", Cleared, 61, Critical),
        change("told before", Cleared, 90, Info),
        change("worse", SeverityChanged, 3, Critical),
        change("removed", Raised, 4, Info),
        change("told since", SeverityChanged, 4, Info),
    ];
    let summary = summary(&changes, &["stands", "worse"]);
    assert_eq!(alarms(&summary.standing), ["worse", "stands"], "the worst first");
    assert_eq!(alarms(&summary.recovered), ["told before"]);
    assert_eq!(alarms(&summary.passed), ["went", "removed"]);
    assert_eq!(summary.severity(), Some(Critical));
    let ends = |lines: &[Line]| lines.iter().map(|line| line.ended.as_ref().map(|end| end.at)).collect::<Vec<_>>();
    assert_eq!(ends(&summary.passed), [Some(Timestamp(61_000)), None]);
    assert_eq!(ends(&summary.recovered), [None], "it is what is told");
    assert_eq!(summary.standing[1].place, "Cold store");
}

#[test]
fn what_stands_at_a_source_of_which_nothing_is_known_is_told_as_not_seen() {
    let changes = [change("stands", Raised, 1, Warning), change("went", Raised, 1, Critical)];
    let summary = summary(&changes, &["stands"]).unseen_where(|_| true);
    assert_eq!((alarms(&summary.standing), alarms(&summary.unseen)), (vec![], vec!["stands"]));
    assert_eq!((alarms(&summary.passed), summary.lines().count()), (vec!["went"], 2));
    assert_eq!(summary.severity(), Some(Warning), "as much as it did when it was seen");
}

#[test]
fn what_was_told_before_it_was_on_the_shelf_has_recovered_and_what_was_not_came_and_went() {
    let unshelved = |alarm, told_before| Change { told_before, ..change(alarm, Unshelved, 2, Warning) };
    let changes = [
        unshelved("told", true),
        change("told", Cleared, 3, Warning),
        unshelved("told, stands", true),
        change("held", Raised, 1, Warning),
        unshelved("held", true),
        change("held", Cleared, 3, Warning),
        unshelved("new", false),
        change("new", Cleared, 3, Warning),
    ];
    let summary = summary(&changes, &["told, stands"]);
    assert_eq!(alarms(&summary.recovered), ["told"]);
    assert_eq!(alarms(&summary.standing), ["told, stands"]);
    assert_eq!(alarms(&summary.passed), ["held", "new"]);
    assert_eq!(summary.passed[0].seen.kind, Raised, "by its beginning");
}

#[test]
fn what_nothing_watches_for_any_more_neither_recovered_nor_went() {
    let ended = |alarm| Change { detail: "the rule was removed".to_owned(), ..change(alarm, Cleared, 9, Warning) };
    let changes = [change("held", Raised, 1, Critical), ended("held"), ended("told before")];
    let summary = summary(&changes, &[]);
    assert_eq!(alarms(&summary.unwatched), ["held", "told before"]);
    assert_eq!((summary.recovered.len(), summary.passed.len(), summary.lines().count()), (0, 0, 2));
    assert_eq!(summary.severity(), Some(Warning), "as it mattered in the end");
    assert!(summary.unwatched[0].ended.is_some() && summary.unwatched[1].ended.is_none());
}

#[test]
fn what_holds_more_than_once_is_named_once_and_order_only_where_nothing_else_held() {
    let change = change("a", Raised, 1, Warning);
    let reasons = [Why::Silence, Why::QuietHours, Why::Silence, Why::Order];
    let source = Source::Node("n".to_owned());
    let summary = Summary::of(reasons.map(|why| Held { source: &source, place: "", change: &change, why }), |_| true);
    assert_eq!((summary.reasons, summary.standing.len()), (vec![Why::Silence, Why::QuietHours], 1));
    let alone = Held { source: &source, place: "", change: &change, why: Why::Order };
    assert_eq!(Summary::of([alone], |_| true).reasons, [Why::Order]);
    assert!(Summary::of([], |_| true).is_empty());
}

proptest! {
    /// Lives of alarms, cut anywhere into what was told before, what is held and what is told after.
    #[test]
    fn every_alarm_is_told_at_most_once_and_one_that_began_meanwhile_exactly_once(
        lives in prop::collection::vec((0..100_i64, prop::option::of(1..100_i64)), 1..30),
        cut in 0..100_i64,
    ) {
        let mut changes = Vec::new();
        let mut active = BTreeMap::new();
        for (number, (begins, lasts)) in lives.iter().enumerate() {
            let alarm = number.to_string();
            changes.push(change(&alarm, Raised, *begins, Warning));
            changes.extend(lasts.map(|lasts| change(&alarm, Cleared, begins + lasts, Warning)));
            active.insert(alarm, lasts.is_none());
        }
        changes.sort_by_key(|change| change.at);
        let held = changes.iter().filter(|change| change.at >= Timestamp(cut * 1000));
        let source = Source::Node("n".to_owned());
        let summary = Summary::of(
            held.clone().map(|change| Held { source: &source, place: "", change, why: Why::QuietHours }), |alarm| active[alarm]);
        let all: Vec<&str> = [&summary.standing, &summary.recovered, &summary.passed, &summary.unwatched].into_iter().flat_map(|lines| alarms(lines)).collect();
        let told: BTreeSet<&str> = all.iter().copied().collect();
        let concerned: BTreeSet<&str> = held.map(|change| change.alarm.as_str()).collect();
        prop_assert_eq!(all.len(), told.len());
        prop_assert_eq!(told, concerned);
    }
}
