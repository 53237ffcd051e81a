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
    source.rules[0].shadow = false;
    let ended = source.changes(2, hot(20.0)).remove(0);
    assert!(ended.shadow && ended.untold.is_none(), "nobody heard of its beginning");
    assert!(!source.changes(3, hot(31.0))[0].shadow);
}

#[test]
fn a_rule_with_a_schedule_raises_nothing_outside_it_and_ends_nothing_by_its_end() {
    // A day of an hour's watch, from second 3600 on.
    let hour = serde_json::json!({ "zone": "UTC", "hours": [{ "from": "01:00", "until": "02:00" }] });
    let mut source = rule_of(|rule| rule.schedule = Some(serde_json::from_value(hour).unwrap()));
    assert_eq!(source.sees(3599, hot(31.0)), NOTHING);
    assert_eq!(source.sees(3600, hot(31.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(7200, hot(31.0)), NOTHING, "its end is no evidence");
    assert_eq!(source.sees(7300, hot(20.0)), [format!("-{RULE}")]);
    assert_eq!(source.sees(7400, hot(31.0)), NOTHING);
}

#[test]
fn a_delay_that_runs_out_outside_the_schedule_raises_nothing() {
    let hour = serde_json::json!({ "zone": "UTC", "hours": [{ "from": "01:00", "until": "02:00" }] });
    let mut source = rule_of(|rule| {
        rule.schedule = Some(serde_json::from_value(hour).unwrap());
        rule.on_delay = Duration::from_mins(1);
    });
    source.sees(7190, hot(31.0));
    assert_eq!(source.sees(7250, Fact::Tick), NOTHING);
    assert!(source.state.conditions.is_empty());
}
