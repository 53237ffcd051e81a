//! Alarms that stand until somebody resets them.

use super::*;

const RULE: &str = "threshold:temperature";

fn latched(change: impl FnOnce(&mut Rule)) -> Watched {
    let mut rule = Rule { latched: true, ..too_hot(0) };
    change(&mut rule);
    Watched::by([rule])
}

fn acknowledge(source: &Watched) -> Deed {
    Deed::Acknowledge { alarm: source.alarm(RULE).alarm, until: None, void_up_to: None }
}

fn reset(source: &Watched) -> Deed {
    Deed::Reset { alarm: source.alarm(RULE).alarm }
}

#[test]
fn a_latched_alarm_stands_when_it_is_over_until_it_is_acknowledged_and_reset() {
    let mut source = latched(|_| {});
    source.sees(1, hot(35.0));
    assert_eq!(source.does(2, reset(&source)), NOTHING, "it is not over");
    let over = source.changes(31, hot(20.0)).remove(0);
    assert_eq!((over.kind, over.lasted(), over.is_told()), (ChangeKind::Latched, Some(Duration::from_secs(30)), true));
    assert_eq!(source.sees(32, hot(21.0)), NOTHING);
    assert_eq!(source.does(33, reset(&source)), NOTHING, "nobody has seen it");
    source.does(34, acknowledge(&source));
    let cleared = source.acts(90, reset(&source)).remove(0);
    assert_eq!((cleared.kind, cleared.at), (ChangeKind::Cleared, seconds(90)));
    assert_eq!(cleared.lasted(), Some(Duration::from_secs(30)), "so long as it was so");
    assert_eq!((cleared.by.as_deref(), cleared.why.as_deref()), (Some("ann"), Some("on my way")));
    assert!(source.state.conditions.is_empty());
    assert_eq!(source.sees(91, hot(35.0)), [format!("+{RULE}")]);
}

#[test]
fn a_latched_alarm_that_is_abnormal_again_is_told_and_nobody_has_it_on() {
    let mut source = latched(|_| {});
    source.sees(1, hot(35.0));
    let alarm = source.alarm(RULE).alarm;
    source.does(2, acknowledge(&source));
    source.sees(3, hot(20.0));
    assert_eq!(source.sees(4, hot(29.5)), NOTHING, "it is over, so the limit counts again and not its deadband");
    let again = source.changes(5, hot(36.0)).remove(0);
    assert_eq!((again.kind, &again.alarm, again.since), (ChangeKind::Recurred, &alarm, seconds(5)));
    assert_eq!((again.count, again.is_told()), (Some(2), true));
    assert_eq!(source.alarm(RULE).acknowledged, None);
    assert!(source.alarm(RULE).holds());
    let over = source.changes(25, hot(20.0)).remove(0);
    assert_eq!((over.kind, over.lasted()), (ChangeKind::Latched, Some(Duration::from_secs(20))));
}

#[test]
fn it_is_abnormal_again_after_its_delay_only() {
    let mut source = latched(|rule| rule.on_delay = Duration::from_mins(1));
    source.sees(1, hot(35.0));
    source.sees(61, Fact::Tick);
    source.sees(70, hot(20.0));
    assert_eq!(source.sees(80, hot(35.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(140)));
    assert_eq!(source.sees(90, hot(20.0)), NOTHING);
    assert_eq!(source.timer, None);
    source.sees(100, hot(35.0));
    assert_eq!(source.sees(110, hot(36.0)), NOTHING);
    let again = source.changes(170, Fact::Tick).remove(0);
    assert_eq!((again.kind, again.at, again.since), (ChangeKind::Recurred, seconds(160), seconds(100)));
    assert_eq!(again.detail, "temperature 36 ℃, limits 10 ~ 30");
}

#[test]
fn its_recurrence_waits_for_its_cooldown_and_its_schedule() {
    let mut source = latched(|rule| rule.cooldown = Duration::from_mins(5));
    source.sees(10, hot(35.0));
    source.sees(20, hot(20.0));
    assert_eq!(source.sees(30, hot(35.0)), NOTHING);
    assert_eq!(source.sees(310, Fact::Tick), [format!("{RULE} recurred")]);
    source.sees(320, hot(20.0));
    source.sees(330, hot(35.0));
    assert_eq!(source.timer, Some(seconds(610)), "each of them begins it anew");

    let hour = serde_json::json!({ "zone": "UTC", "hours": [{ "from": "01:00", "until": "02:00" }] });
    let mut source = latched(|rule| rule.schedule = Some(serde_json::from_value(hour).unwrap()));
    source.sees(3600, hot(35.0));
    source.sees(3700, hot(20.0));
    assert_eq!(source.sees(7300, hot(35.0)), NOTHING);
    assert_eq!(source.alarm(RULE).over_since, Some(seconds(3700)));
    assert_eq!(source.timer, Some(seconds(86_400 + 3600)));
    assert_eq!(source.sees(86_400 + 3600, Fact::Tick), [format!("{RULE} recurred")]);
}

#[test]
fn what_rests_on_silence_does_not_recur_once_the_silence_is_explained() {
    let mut source = Watched::by([Rule { latched: true, ..silent(60) }]);
    source.sees(1, Fact::Missed { count: 11 });
    source.sees(61, Fact::Tick);
    source.sees(70, values([]));
    source.sees(80, Fact::Missed { count: 11 });
    assert_eq!(source.timer, Some(seconds(140)));
    source.sees(90, parent_lost());
    assert_eq!((source.timer, source.sees(200, Fact::Tick)), (None, vec![]));
}

#[test]
fn a_latched_alarm_has_its_off_delay_first() {
    let mut source = latched(|rule| rule.off_delay = Duration::from_mins(1));
    source.sees(1, hot(35.0));
    assert_eq!(source.sees(10, hot(20.0)), NOTHING);
    let over = source.changes(70, hot(20.0)).remove(0);
    assert_eq!((over.kind, over.lasted()), (ChangeKind::Latched, Some(Duration::from_secs(9))), "normal from then on");
    assert_eq!(source.alarm(RULE).over_since, Some(seconds(10)));
}

#[test]
fn an_alarm_whose_rule_is_latched_no_more_ends_when_it_is_next_seen_well() {
    let mut source = latched(|_| {});
    source.sees(1, hot(35.0));
    source.sees(5, hot(20.0));
    source.rules[0].latched = false;
    let cleared = source.changes(9, hot(20.0)).remove(0);
    assert_eq!((cleared.kind, cleared.lasted()), (ChangeKind::Cleared, Some(Duration::from_secs(4))));
}

#[test]
fn a_latched_alarm_whose_rule_is_gone_ends() {
    let mut source = latched(|_| {});
    source.sees(1, hot(35.0));
    source.sees(5, hot(20.0));
    source.rules.clear();
    assert_eq!(source.sees(6, Fact::Tick), NOTHING);
    assert_eq!(source.sees(9, hot(20.0)), [format!("-{RULE}")]);
    assert!(source.state.conditions.is_empty());
}

#[test]
fn what_is_on_the_shelf_once_is_off_when_the_latched_alarm_is_over() {
    let mut source = latched(|_| {});
    source.sees(1, hot(35.0));
    source.does(2, Deed::Shelve { rule: RULE.into(), until: None, once: true });
    assert_eq!(source.sees(3, hot(20.0)), [format!("({RULE} latched)"), format!("{RULE} unshelved")]);
}
