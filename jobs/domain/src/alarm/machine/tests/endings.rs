//! How alarms end that must be seen to be normal for some time.

use proptest::prelude::*;

use super::*;
use crate::alarm::Comparison;

const MINUTE: Duration = Duration::from_mins(1);

fn above(to: f64) -> Condition {
    Condition::Compare { name: "x".into(), is: Comparison::Greater, to, deadband: 1.0 }
}

fn x(number: f64) -> Fact {
    values([observed("x", Datum::Number(number), &Datum::Number(number).text(), "")])
}

/// A rule that is above 30, ended after a minute below; its alarm is raised in second 1 and seen to be normal in second 10.
fn ending() -> Watched {
    let mut source = Watched::by([Rule { off_delay: MINUTE, ..rule("r", above(30.0), 0) }]);
    source.sees(1, x(35.0));
    assert_eq!(source.sees(10, x(20.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(70)));
    source
}

#[test]
fn an_alarm_ends_when_it_was_normal_for_long_enough_though_nothing_more_comes() {
    let mut source = ending();
    assert_eq!(source.sees(69, Fact::Tick), NOTHING);
    let cleared = source.changes(75, Fact::Tick).remove(0);
    assert_eq!((cleared.kind, cleared.at), (ChangeKind::Cleared, seconds(70)), "however late the tick");
    assert_eq!((cleared.lasted_ms, cleared.detail.as_str()), (Some(9000), "x 20, alarm if > 30"));
    assert_eq!((source.timer, source.state.conditions.len()), (None, 0));
}

#[test]
fn it_ends_then_by_what_comes_later_too() {
    for (fact, told) in [(x(20.0), vec!["-r"]), (x(35.0), vec!["-r", "+r"]), (Fact::Missed { count: 1 }, vec!["-r"])] {
        let mut source = ending();
        let changes = source.changes(90, fact.clone());
        assert_eq!(changes.iter().map(shown).collect::<Vec<_>>(), told, "{fact:?}");
        assert_eq!(changes[0].at, seconds(70));
    }
}

#[test]
fn what_is_abnormal_at_that_very_instant_keeps_it() {
    let mut source = ending();
    assert_eq!(source.sees(70, x(35.0)), NOTHING);
    assert_eq!(source.timer, None);
    assert_eq!(source.sees(80, x(20.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(140)), "it begins anew");
}

#[test]
fn a_value_in_the_deadband_does_not_hold_it_up() {
    let mut source = ending();
    assert_eq!(source.sees(30, x(29.5)), NOTHING);
    assert_eq!(source.sees(70, Fact::Tick), ["-r"]);
}

#[test]
fn time_alone_does_not_end_it_once_nobody_knows_whether_it_is_normal_still() {
    let bad = values([Observed { quality: Quality::Bad, ..observed("x", Datum::Number(1.0), "1", "") }]);
    for doubt in [bad, Fact::Missed { count: 1 }, link_lost()] {
        let mut source = ending();
        assert_eq!(source.sees(30, doubt.clone()), NOTHING);
        assert_eq!(source.timer, None, "{doubt:?}");
        assert_eq!(source.sees(100, Fact::Tick), NOTHING);
        assert_eq!(source.changes(110, x(20.0)).remove(0).at, seconds(110), "{doubt:?}");
        let mut source = ending();
        source.sees(30, doubt.clone());
        assert_eq!(source.sees(40, x(20.0)), NOTHING);
        assert_eq!(source.sees(70, Fact::Tick), ["-r"], "good evidence came again: {doubt:?}");
    }
}

#[test]
fn it_does_not_matter_in_which_order_a_miss_and_a_reading_before_it_came() {
    let evidence = |at: i64, fact: Fact| Evidence::new(format!("e{at}"), device(), seconds(at), fact);
    let said = [evidence(10, x(20.0)), evidence(20, Fact::Missed { count: 1 })];
    let after = |order: [usize; 2]| {
        let mut source = Watched::by([Rule { off_delay: MINUTE, ..rule("r", above(30.0), 0) }]);
        source.sees(1, x(35.0));
        for number in order {
            source.state = step(&source.state, &source.set(), &said[number], seconds(21)).state;
        }
        source.state
    };
    assert_eq!(after([0, 1]), after([1, 0]));
}

#[test]
fn the_time_in_which_nothing_is_known_is_none_in_which_it_was_normal() {
    let mut source = ending();
    source.sees(20, parent_lost());
    assert_eq!(source.timer, None);
    assert_eq!(source.sees(200, Fact::Tick), NOTHING);
    assert_eq!(source.sees(220, Fact::LinkSeen), NOTHING);
    assert_eq!(source.sees(300, Fact::Tick), NOTHING, "it was not seen to be well since");
    assert_eq!(source.sees(301, x(20.0)), ["-r"]);
    let mut source = ending();
    source.sees(20, parent_lost());
    assert_eq!(source.sees(220, x(20.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(270)), "ten seconds of the minute had passed");
}

#[test]
fn a_latched_alarm_is_over_by_time_and_stands() {
    let mut source = Watched::by([Rule { off_delay: MINUTE, latched: true, ..rule("r", above(30.0), 0) }]);
    source.sees(1, x(35.0));
    source.sees(10, x(20.0));
    assert_eq!(source.sees(70, Fact::Tick), ["r latched"]);
    assert_eq!((source.alarm("r").over_since, source.timer), (Some(seconds(10)), None));
}

#[test]
fn what_was_seen_to_be_normal_before_its_end_was_dated_ends_with_the_next_good_evidence() {
    let mut source = ending();
    let mut stored = serde_json::to_value(&source.state).unwrap();
    stored["conditions"]["r"].as_object_mut().unwrap().remove("ending").unwrap();
    source.state = serde_json::from_value(stored).unwrap();
    assert_eq!(source.state.timer(), None);
    assert_eq!(source.sees(30, x(20.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(70)));
}

/// What the rule of a model calls active, second by second: the last reading is what is.
fn active_by_model(readings: &[(i64, f64)], on: i64, off: i64, until: i64) -> Vec<bool> {
    let (mut pending, mut normal, mut is_active, mut last) = (None, None, false, 0.0);
    let mut all = Vec::new();
    for second in 0..until {
        last = readings.iter().find(|(at, _)| *at == second).map_or(last, |(_, value)| *value);
        if last > 30.0 {
            (normal, pending) = (None, Some(pending.unwrap_or(second)));
            is_active |= pending.is_some_and(|since| second - since >= on);
        } else {
            pending = None;
            normal = normal.or(is_active.then_some(second));
            if normal.is_some_and(|since| second - since >= off) {
                (is_active, normal) = (false, None);
            }
        }
        all.push(is_active);
    }
    all
}

proptest! {
    #[test]
    fn an_alarm_is_active_in_each_second_in_which_that_is_so_whether_a_reading_comes_in_it_or_not(
        readings in prop::collection::vec((1_i64..20, prop_oneof![Just(20.0), Just(35.0)]), 1..40),
        on in 0_u8..40,
        off in 0_u8..40,
        ticks_in_time in any::<bool>(),
    ) {
        let mut at = 0;
        let readings: Vec<(i64, f64)> = readings.into_iter().map(|(after, value)| { at += after; (at, value) }).collect();
        let until = at + 100;
        let [on_delay, off_delay] = [on, off].map(|delay| Duration::from_secs(delay.into()));
        let condition = Condition::Compare { name: "x".into(), is: Comparison::Greater, to: 30.0, deadband: 0.0 };
        let mut source = Watched::by([Rule { on_delay, off_delay, ..rule("r", condition, 0) }]);
        let mut active = vec![false; usize::try_from(until).unwrap()];
        let mut heed = |changes: Vec<Change>| {
            for change in changes.iter().filter(|change| matches!(change.kind, ChangeKind::Raised | ChangeKind::Cleared)) {
                let from = usize::try_from(change.at.0 / 1000 - 1000).unwrap();
                active[from..].fill(change.kind == ChangeKind::Raised);
            }
        };
        for (at, value) in &readings {
            while let Some(due) = source.timer.filter(|due| ticks_in_time && *due < seconds(1000 + at)) {
                heed(source.changes(due.0 / 1000, Fact::Tick));
            }
            heed(source.changes(1000 + at, x(*value)));
        }
        heed(source.changes(1000 + until - 1, Fact::Tick));
        prop_assert_eq!(active, active_by_model(&readings, on.into(), off.into(), until));
    }
}
