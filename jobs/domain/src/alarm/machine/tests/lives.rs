//! Delays, cooldowns and rules that are only tried out.

use super::*;

fn rule_of(change: impl FnOnce(&mut Rule)) -> Watched {
    let mut rule = too_hot(0);
    change(&mut rule);
    Watched::by([rule])
}

const RULE: &str = "threshold:temperature";

#[test]
fn an_alarm_ends_once_it_was_normal_for_so_long() {
    let mut source = rule_of(|rule| rule.off_delay = Duration::from_mins(1));
    assert_eq!(source.sees(1, hot(31.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(10, hot(20.0)), NOTHING);
    assert_eq!(source.sees(40, hot(31.0)), NOTHING, "it is the same alarm");
    assert_eq!(source.sees(50, hot(20.0)), NOTHING);
    assert_eq!(source.sees(109, hot(20.0)), NOTHING);
    assert_eq!(source.sees(110, Fact::Tick), [format!("-{RULE}")], "by the evidence that it was so since");
}

#[test]
fn what_cannot_be_believed_does_not_begin_the_delay_of_an_end_anew() {
    let mut source = rule_of(|rule| rule.off_delay = Duration::from_mins(1));
    source.sees(1, hot(31.0));
    source.sees(10, hot(20.0));
    assert_eq!(source.sees(40, hot(f64::NAN)), NOTHING);
    assert_eq!(source.sees(70, hot(20.0)), [format!("-{RULE}")]);
}

#[test]
fn the_next_alarm_of_a_rule_waits_for_its_cooldown_and_comes_on_time() {
    let mut source = rule_of(|rule| rule.cooldown = Duration::from_mins(5));
    assert_eq!(source.sees(10, hot(31.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(20, hot(20.0)), [format!("-{RULE}")]);
    assert_eq!(source.sees(30, hot(31.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(310)));
    assert_eq!(source.sees(40, hot(20.0)), NOTHING);
    assert_eq!(source.sees(50, hot(31.0)), NOTHING);
    let raised = source.changes(310, Fact::Tick).remove(0);
    assert_eq!((raised.kind, raised.at, raised.since), (ChangeKind::Raised, seconds(310), seconds(50)));
    source.sees(400, hot(20.0));
    assert_eq!(source.sees(620, hot(31.0)), [format!("+{RULE}")], "the cooldown is over");
}

#[test]
fn a_rule_that_is_tried_out_says_so() {
    let mut source = rule_of(|rule| rule.shadow = true);
    let tried = source.changes(1, hot(31.0)).remove(0);
    assert!(tried.shadow && tried.untold.is_none() && !tried.is_told());
    let ended = source.changes(2, hot(20.0)).remove(0);
    assert!(ended.shadow && ended.untold.is_none(), "nobody heard of its beginning");
    source.rules[0].shadow = false;
    assert!(!source.changes(3, hot(31.0))[0].shadow);
}

/// A schedule of an hour of each day, from second 3600 on.
fn hour() -> crate::calendar::Calendar {
    let hour = serde_json::json!({ "zone": "UTC", "hours": [{ "from": "01:00", "until": "02:00" }] });
    serde_json::from_value(hour).unwrap()
}

const A_DAY: i64 = 86_400;

#[test]
fn a_rule_with_a_schedule_raises_nothing_outside_it_and_ends_nothing_by_its_end() {
    let mut source = rule_of(|rule| rule.schedule = Some(hour()));
    assert_eq!(source.sees(3599, hot(31.0)), NOTHING);
    assert_eq!(source.sees(3600, hot(31.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(7200, hot(31.0)), NOTHING, "its end is no evidence");
    assert_eq!(source.sees(7300, hot(20.0)), [format!("-{RULE}")]);
    assert_eq!(source.sees(7400, hot(31.0)), NOTHING);
}

#[test]
fn a_delay_that_runs_out_outside_the_schedule_raises_when_that_begins() {
    let mut source = rule_of(|rule| {
        rule.schedule = Some(hour());
        rule.on_delay = Duration::from_mins(1);
    });
    source.sees(7190, hot(31.0));
    assert_eq!(source.sees(7250, Fact::Tick), NOTHING);
    assert_eq!(source.timer, Some(seconds(A_DAY + 3600)));
    let raised = source.changes(A_DAY + 3600, Fact::Tick).remove(0);
    assert_eq!((raised.kind, raised.at, raised.since), (ChangeKind::Raised, seconds(A_DAY + 3600), seconds(7190)));
}

#[test]
fn what_is_said_once_before_the_schedule_is_raised_when_it_begins_unless_it_is_over() {
    let no_data = Condition::NoData { after: Duration::from_mins(1) };
    for (condition, lost, back) in [
        (Condition::Lost, link_lost(), Fact::LinkSeen),
        (Condition::Away, Fact::Away { why: "away".into() }, Fact::Back { how: "back".into() }),
        (no_data, Fact::Tick, hot(20.0)),
        (Condition::Missed { more_than: 10 }, Fact::Missed { count: 11 }, hot(20.0)),
        (
            too_hot(0).condition,
            Fact::Known { values: vec![degrees(40.0)] },
            Fact::Known { values: vec![degrees(20.0)] },
        ),
    ] {
        let rule = || Rule { schedule: Some(hour()), ..rule(RULE, condition.clone(), 0) };
        let mut source = Watched::by([rule()]);
        source.sees(3500, hot(20.0));
        assert_eq!(source.sees(3590, lost.clone()), NOTHING, "{condition:?}");
        assert_eq!(source.timer, Some(seconds(3600)), "{condition:?}");
        let raised = source.changes(3700, Fact::Tick).remove(0);
        assert_eq!((raised.kind, raised.at), (ChangeKind::Raised, seconds(3600)), "{condition:?}");
        assert_eq!(source.sees(3800, back.clone()), [format!("-{RULE}")], "{condition:?}");

        let mut source = Watched::by([rule()]);
        source.sees(3500, hot(20.0));
        source.sees(3590, lost);
        assert_eq!(source.sees(3595, back), NOTHING);
        assert_eq!(source.sees(3601, Fact::Tick), NOTHING, "{condition:?} is over");
        assert!(source.state.conditions.is_empty());
    }
}

#[test]
fn a_schedule_begins_when_the_clocks_of_its_place_say_so() {
    // Clocks go on from 02:00 to 03:00 (01:00 UTC) on 2026-03-29.
    let morning = serde_json::json!({ "zone": "Europe/Berlin", "hours": [{ "from": "02:30", "until": "08:00" }] });
    let schedule = Some(serde_json::from_value(morning).unwrap());
    let mut source = Watched::by([Rule { schedule, ..offline(60) }]);
    let second = |utc: &str| utc.parse::<jiff::Timestamp>().unwrap().as_second();
    source.sees(second("2026-03-28T20:00:00Z"), link_lost());
    assert_eq!(source.timer, Some(seconds(second("2026-03-29T01:00:00Z"))));
}

#[test]
fn what_waits_for_its_schedule_is_not_written_anew_with_each_reading() {
    let mut source = rule_of(|rule| rule.schedule = Some(hour()));
    source.sees(10, hot(31.0));
    let waiting = source.state.conditions.clone();
    source.sees(20, hot(32.0));
    assert_eq!(source.state.conditions, waiting);
    assert!(!waiting.is_empty());
}

#[test]
fn what_waits_for_its_schedule_while_its_parent_is_lost_waits_for_that_too() {
    for (back, raised) in [(3000, 3600), (5000, 5000), (8000, A_DAY + 3600)] {
        let mut source = rule_of(|rule| rule.schedule = Some(hour()));
        source.sees(1000, hot(31.0));
        source.sees(2000, parent_lost());
        assert_eq!(source.timer, None);
        assert_eq!(source.sees(back - 1, Fact::Tick), NOTHING);
        assert_eq!(source.sees(back, Fact::LinkSeen), NOTHING);
        let change = source.changes(raised + 1, Fact::Tick).remove(0);
        assert_eq!((change.kind, change.at), (ChangeKind::Raised, seconds(raised)), "back at {back}");
    }
}

#[test]
fn what_waits_for_its_schedule_is_raised_when_there_is_none_any_more() {
    let mut source = rule_of(|rule| rule.schedule = Some(hour()));
    source.sees(10, hot(31.0));
    source.rules[0].schedule = None;
    assert_eq!(source.sees(20, Fact::Tick), [format!("+{RULE}")]);
}
