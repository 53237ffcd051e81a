//! Rules that are gone while their alarms are put aside: whoever heard of the beginning hears of the end.

use super::*;

const RULE: &str = "threshold:temperature";
const REMOVED: &str = "the rule was removed";

fn shelve(until: i64) -> Deed {
    Deed::Shelve { rule: RULE.into(), until: Some(seconds(until)), once: false }
}

fn take_out(until: i64) -> Deed {
    Deed::TakeOut { rule: None, until: Some(seconds(until)) }
}

/// Told in second 1, put aside in second 2 until second 60.
fn aside(deed: Deed) -> Watched {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(1, hot(35.0));
    source.does(2, deed);
    source
}

#[test]
fn what_is_put_aside_when_its_rule_goes_is_told_as_watched_no_longer_when_that_is_over() {
    for (deed, kind) in [(shelve(60), ChangeKind::Unshelved), (take_out(60), ChangeKind::InService)] {
        let mut source = aside(deed);
        source.rules.clear();
        assert_eq!(source.sees(10, hot(35.0)), [format!("(-{RULE})")]);
        assert_eq!(source.sees(20, hot(20.0)), NOTHING);
        let told: Vec<Change> = source.changes(60, Fact::Tick).into_iter().filter(Change::is_told).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].kind, told[0].at, told[0].detail.as_str()), (kind, seconds(60), REMOVED));
        assert!(told[0].ends() && told[0].is_unwatched());
        assert_eq!(source.sees(70, hot(20.0)), NOTHING);
        assert!(source.state.lives.is_empty(), "nobody is owed anything");
    }
}

#[test]
fn what_was_over_before_its_rule_went_is_told_as_over() {
    let mut source = aside(shelve(60));
    source.sees(10, hot(20.0));
    source.rules.clear();
    source.sees(20, hot(20.0));
    let told = source.changes(60, Fact::Tick).remove(0);
    assert_eq!((told.is_told(), told.is_unwatched(), told.detail.as_str()), (true, false, "it is over"));
}

#[test]
fn what_nobody_knew_of_is_forgotten_with_its_rule() {
    let mut source = aside(Deed::Unshelve { rule: RULE.into() });
    source.sees(5, hot(20.0));
    source.does(6, shelve(60));
    source.rules.clear();
    assert_eq!(source.sees(20, hot(35.0)), NOTHING);
    assert!(source.state.lives.is_empty());
}
