//! What is raised after a delay, and by whose clock.

use super::*;

#[test]
fn a_delayed_condition_is_raised_by_a_tick_when_it_is_due() {
    let mut source = Watched::by([too_hot(60)]);
    assert_eq!(source.sees(10, hot(31.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(70)));
    assert_eq!(source.sees(69, Fact::Tick), NOTHING);
    let raised = source.changes(75, Fact::Tick).remove(0);
    assert_eq!((raised.at, raised.since), (seconds(70), seconds(10)), "however late the tick");
    assert_eq!(source.timer, None);
    assert_eq!(source.sees(76, Fact::Tick), NOTHING);
}

#[test]
fn a_tick_looks_at_our_clock_however_long_it_lay_in_a_queue() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(10, hot(31.0));
    let tick = Evidence::new("tick", device(), seconds(40), Fact::Tick);
    assert_eq!(step(&source.state, &source.set(), &tick, seconds(70)).changes.len(), 1);
}

#[test]
fn a_delayed_condition_is_raised_by_evidence_when_no_tick_came() {
    let mut source = Watched::by([too_hot(60)]);
    assert_eq!(source.sees(10, hot(31.0)), NOTHING);
    assert_eq!(source.sees(40, hot(33.0)), NOTHING);
    let raised = source.changes(70, hot(32.0)).remove(0);
    assert_eq!((raised.at, raised.since), (seconds(70), seconds(10)));
    assert_eq!(raised.detail, "temperature 32 ℃, limits 10 ~ 30");
}

#[test]
fn a_condition_that_ends_the_very_instant_it_is_due_is_never_told() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(10, hot(31.0));
    assert_eq!(source.sees(70, hot(20.0)), NOTHING);
}

#[test]
fn a_condition_that_ends_before_it_is_due_is_never_told() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(10, hot(31.0));
    assert_eq!(source.sees(69, hot(30.0)), NOTHING, "a pending condition needs no deadband");
    assert_eq!(source.timer, None);
    assert_eq!(source.sees(80, Fact::Tick), NOTHING);
}

#[test]
fn it_does_not_matter_whether_a_tick_came_in_time() {
    let mut ticked = Watched::by([too_hot(60)]);
    let mut missed = Watched::by([too_hot(60)]);
    ticked.sees(10, hot(31.0));
    missed.sees(10, hot(31.0));
    let mut changes = ticked.changes(70, Fact::Tick);
    changes.extend(ticked.changes(90, hot(20.0)));
    assert_eq!(changes.len(), 2);
    assert_eq!(missed.changes(90, hot(20.0)), changes);
}

#[test]
fn a_clock_ahead_of_ours_does_not_shorten_a_delay() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(10, hot(31.0));
    let ahead = Evidence::new("ahead", device(), seconds(300), hot(32.0));
    let step = step(&source.state, &source.set(), &ahead, seconds(11));
    assert_eq!((step.changes, step.timer), (vec![], Some(seconds(70))));
}

#[test]
fn what_has_no_delay_is_raised_at_once_by_a_clock_ahead_of_ours() {
    let ahead = Evidence::new("ahead", device(), seconds(300), hot(35.0));
    let step = step(&SourceState::default(), &Watched::by([too_hot(0)]).set(), &ahead, seconds(299));
    assert_eq!((step.changes.len(), step.timer), (1, None));
}

#[test]
fn a_link_that_is_expected_back_may_stay_away_longer() {
    let mut source = Watched::by([offline(60)]);
    let lost = Fact::LinkLost { cause: "rebooted".into(), grace: Duration::from_secs(90) };
    assert_eq!(source.sees(10, lost), NOTHING);
    assert_eq!(source.timer, Some(seconds(160)));
    assert_eq!(source.sees(72, Fact::LinkSeen), NOTHING);
    assert_eq!(source.timer, None);
}
