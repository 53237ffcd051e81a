//! What was put aside for a while.

use super::*;

#[test]
fn what_was_told_and_is_off_the_shelf_a_moment_before_its_end_is_told_as_over_and_what_was_not_is_dropped() {
    for (is_told, expected) in [(true, vec![(10, Fresh, 1, 1), (130, Recovery, 1, 0)]), (false, vec![])] {
        let mut story = Story::of(pace());
        if is_told {
            story.raised("a", Warning, 0);
        }
        story.hears(40, vec![change("a", ChangeKind::Unshelved, Warning, 40)]);
        story.cleared("a", Warning, 45);
        story.until(10_000);
        assert_eq!((story.told(), story.incident.dropped), (expected, u32::from(!is_told)));
        assert!(story.incident.closed);
    }
}

#[test]
fn what_is_raised_anew_while_the_end_before_is_on_the_way_is_told_with_its_end() {
    let mut story = Story::of(pace());
    story.hears(0, vec![numbered(1, Raised, Critical, 0)]);
    story.hears(100, vec![numbered(2, Raised, Critical, 100), numbered(2, ChangeKind::Cleared, Critical, 101)]);
    story.hears(101, vec![numbered(1, ChangeKind::Cleared, Critical, 99)]);
    story.until(10_000);
    assert_eq!(story.told.iter().map(|(_, told)| told.news.len()).sum::<usize>(), 4, "{:?}", story.told());
    assert!(story.incident.closed);
}

#[test]
fn what_ended_and_began_anew_on_the_shelf_is_open_once() {
    let mut story = Story::of(pace());
    story.hears(0, vec![numbered(1, Raised, Warning, 0)]);
    story.hears(1000, vec![numbered(2, ChangeKind::Unshelved, Warning, 1000)]);
    story.hears(2000, vec![numbered(2, ChangeKind::Cleared, Warning, 2000)]);
    story.until(10_000);
    assert_eq!(story.told(), [(10, Fresh, 1, 1), (1010, Fresh, 1, 1), (2000, Recovery, 1, 0)]);
}
