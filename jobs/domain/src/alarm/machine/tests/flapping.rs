//! Rules that come and go too often to be told each time.

use super::*;

const RULE: &str = "threshold:temperature";

fn damped(more_than: u16) -> Watched {
    let (within, calm) = (Duration::from_mins(10), Duration::from_mins(5));
    Watched::by([Rule { flapping: Some(Flapping { more_than, within, calm }), ..too_hot(0) }])
}

/// Raised every twenty seconds, for ten each time; what was seen of the last raise and its end.
fn flaps(source: &mut Watched, times: std::ops::RangeInclusive<i64>) -> Vec<String> {
    let mut seen = Vec::new();
    for time in times {
        seen = source.sees(time * 20, hot(35.0));
        seen.extend(source.sees(time * 20 + 10, hot(20.0)));
    }
    seen
}

#[test]
fn what_comes_and_goes_is_told_once_as_that_and_once_when_it_is_calm() {
    let mut source = damped(3);
    assert_eq!(flaps(&mut source, 1..=3), [format!("+{RULE}"), format!("-{RULE}")]);
    let begun = source.changes(80, hot(35.0));
    assert_eq!(begun[0].untold, Some(Untold::Flapping));
    assert_eq!((begun[1].kind, begun[1].count, begun[1].is_told()), (ChangeKind::Flapping, Some(4), true));
    assert_eq!(begun[1].until, Some(seconds(380)));
    assert_eq!(
        begun[1].detail,
        "raised 4 times since 1970-01-01T00:00:20.000Z: told no more until it is calm for 300 s"
    );
    assert_eq!(source.sees(90, hot(20.0)), [format!("(-{RULE})")]);
    assert_eq!(flaps(&mut source, 5..=7), [format!("(+{RULE})"), format!("(-{RULE})")]);
    assert_eq!(source.timer, Some(seconds(450)), "five minutes after the last end");
    let calm = source.changes(500, Fact::Tick).remove(0);
    assert_eq!((calm.kind, calm.at, calm.count), (ChangeKind::Calmed, seconds(450), Some(7)));
    assert_eq!(calm.detail, "raised 7 times since 1970-01-01T00:00:20.000Z, now calm: it is over");
    assert_eq!((calm.is_told(), calm.lasted_ms), (true, Some(10_000)));
    assert_eq!(flaps(&mut source, 30..=32), [format!("+{RULE}"), format!("-{RULE}")], "counted anew");
}

#[test]
fn what_began_to_flap_long_ago_and_was_not_looked_at_is_calm_at_once_and_the_same_again_changes_nothing() {
    let (within, calm) = (Duration::from_mins(10), Duration::from_mins(5));
    let mut source = Watched::by([Rule { flapping: Some(Flapping { more_than: 3, within, calm }), ..too_hot(5) }]);
    flaps(&mut source, 1..=3);
    source.sees(80, hot(35.0));
    let all = source.changes(2000, Fact::Tick);
    let kinds: Vec<ChangeKind> = all.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Raised, ChangeKind::Flapping, ChangeKind::Calmed]);
    assert_eq!((all[0].since, all[2].at), (seconds(80), seconds(385)));
    assert_eq!((source.timer, source.sees(2000, Fact::Tick)), (None, vec![]));
}

#[test]
fn what_stands_when_it_is_calm_is_told_as_standing_and_its_end_is_told() {
    let mut source = damped(3);
    flaps(&mut source, 1..=4);
    source.sees(100, hot(35.0));
    let calm = source.changes(700, hot(36.0)).remove(0);
    assert_eq!((calm.kind, calm.at, &calm.alarm), (ChangeKind::Calmed, seconds(400), &source.alarm(RULE).alarm));
    assert!(calm.detail.ends_with("now calm: it stands"));
    assert_eq!(source.sees(710, hot(20.0)), [format!("-{RULE}")]);
}

#[test]
fn it_is_calm_when_it_was_seen_for_long_enough_that_nothing_happens() {
    let mut source = damped(3);
    flaps(&mut source, 1..=4);
    source.sees(100, hot(35.0));
    assert_eq!(source.timer, Some(seconds(400)));
    source.sees(200, parent_lost());
    assert_eq!((source.timer, source.sees(900, Fact::Tick)), (None, vec![]), "nobody sees whether it is calm");
    assert_eq!(source.sees(1000, hot(35.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(1200)));
    assert_eq!(source.sees(1200, Fact::Tick), [format!("{RULE} calmed")]);
}

#[test]
fn the_end_of_what_flaps_is_told_when_its_rule_is_removed_whether_it_stands_or_not() {
    let mut source = damped(3);
    flaps(&mut source, 1..=4);
    source.rules.clear();
    let over = source.changes(100, hot(20.0)).remove(0);
    assert_eq!((over.kind, over.is_told(), over.at), (ChangeKind::Calmed, true, seconds(100)));
    assert!(source.state.lives.is_empty());

    let mut source = damped(3);
    flaps(&mut source, 1..=4);
    source.sees(100, hot(35.0));
    source.rules.clear();
    assert_eq!(source.sees(110, hot(35.0)), [format!("-{RULE}")]);
    assert!(source.state.lives.is_empty());
}

#[test]
fn only_so_many_raises_within_so_long_are_flapping() {
    let mut source = damped(3);
    for time in [0, 200, 400, 600, 800] {
        assert_eq!(source.sees(1000 + time, hot(35.0)), [format!("+{RULE}")]);
        assert_eq!(source.sees(1100 + time, hot(20.0)), [format!("-{RULE}")]);
    }
}

#[test]
fn a_rule_is_damped_as_the_installation_says_where_it_says_nothing() {
    let rules = || RuleSet::from_iter([too_hot(0)]);
    let told = |rules: RuleSet| {
        let (mut state, mut told) = (SourceState::default(), 0);
        for second in 0..40 {
            let at = seconds(second * 10);
            let evidence =
                Evidence::new(second.to_string(), device(), at, hot(if second % 2 == 0 { 35.0 } else { 20.0 }));
            let step = step(&state, &rules, &evidence, at);
            state = step.state;
            told += step.changes.iter().filter(|change| change.is_told()).count();
        }
        told
    };
    assert_eq!(told(rules()), 11, "five raises and ends, and that it flaps");
    assert_eq!(told(rules().damped(Flapping { more_than: 0, ..Flapping::default() })), 40);
    assert_eq!(told(rules().damped(Flapping { more_than: 2, ..Flapping::default() })), 5);
}

#[test]
fn what_matters_more_than_people_know_is_told_while_it_flaps() {
    let mut source = two_levels(3);
    flaps(&mut source, 1..=5);
    assert_eq!(source.sees(120, hot(35.0)), [format!("(+{RULE})")]);
    assert_eq!(source.sees(121, hot(55.0)), [format!("{RULE} critical")]);
    assert_eq!(source.sees(122, hot(20.0)), [format!("(-{RULE})")]);
    assert_eq!(source.sees(123, hot(55.0)), [format!("(+{RULE})")], "that is known");
}

#[test]
fn what_flaps_on_the_shelf_is_told_when_it_is_off() {
    let mut source = damped(3);
    flaps(&mut source, 1..=1);
    source.does(35, Deed::Shelve { rule: RULE.into(), until: Some(seconds(200)), once: false });
    assert_eq!(flaps(&mut source, 2..=3), [format!("(+{RULE})"), format!("(-{RULE})")]);
    assert_eq!(source.sees(80, hot(35.0)), [format!("(+{RULE})"), format!("({RULE} flapping)")]);
    assert_eq!(source.sees(200, Fact::Tick), [format!("{RULE} unshelved")], "it stands");
    assert_eq!(source.sees(210, hot(20.0)), [format!("(-{RULE})")]);
    assert_eq!(source.sees(510, Fact::Tick), [format!("{RULE} calmed")]);
}

#[test]
fn the_first_raise_after_the_shelf_is_told_though_it_flaps() {
    let mut source = damped(3);
    flaps(&mut source, 1..=1);
    source.does(35, Deed::Shelve { rule: RULE.into(), until: Some(seconds(200)), once: false });
    flaps(&mut source, 2..=5);
    assert_eq!(source.sees(201, hot(35.0)), [format!("({RULE} unshelved)"), format!("+{RULE}")]);
    assert_eq!(source.sees(210, hot(20.0)), [format!("(-{RULE})")]);
    assert_eq!(source.sees(220, hot(35.0)), [format!("(+{RULE})")]);
}

#[test]
fn a_rule_that_is_damped_no_more_is_told_again() {
    let mut source = damped(3);
    flaps(&mut source, 1..=4);
    source.rules[0].flapping = Some(Flapping { more_than: 0, ..Flapping::default() });
    assert_eq!(source.sees(120, hot(35.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(130, hot(20.0)), [format!("-{RULE}")]);
    assert_eq!(source.timer, None);
}

#[test]
fn a_word_that_expires_while_it_flaps_is_not_told_apart() {
    let mut source = damped(3);
    flaps(&mut source, 1..=4);
    source.sees(100, hot(35.0));
    let alarm = source.alarm(RULE).alarm;
    source.does(101, Deed::Acknowledge { alarm, until: Some(seconds(110)), void_up_to: None });
    assert_eq!(source.sees(110, Fact::Tick), [format!("({RULE} acknowledgement_expired)")]);
}

/// A rule with two levels, neither with a deadband.
fn two_levels(more_than: u16) -> Watched {
    let above = [30.0, 50.0].into_iter().zip([Severity::Warning, Severity::Critical]);
    let above = above.map(|(limit, severity)| crate::alarm::Level { limit, severity, deadband: 0.0 }).collect();
    let mut source = damped(more_than);
    source.rules[0].condition = Condition::Levels { name: "temperature".into(), above, below: Vec::new() };
    source
}

#[test]
fn what_matters_more_and_less_all_the_time_is_told_once_as_that_and_once_when_it_is_calm() {
    let mut source = two_levels(3);
    assert_eq!(source.sees(0, hot(49.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(10, hot(51.0)), [format!("{RULE} critical")]);
    assert_eq!(source.sees(20, hot(49.0)), [format!("{RULE} warning")]);
    let begun = source.changes(30, hot(51.0));
    assert_eq!((begun[0].kind, begun[0].untold), (ChangeKind::SeverityChanged, Some(Untold::Flapping)));
    assert_eq!((begun[1].kind, begun[1].count, begun[1].is_told()), (ChangeKind::Flapping, Some(4), true));
    assert_eq!((begun[1].severity, begun[1].until), (Severity::Critical, Some(seconds(330))));
    assert_eq!(
        begun[1].detail,
        "raised or changed 4 times since 1970-01-01T00:00:00.000Z: told no more until it is calm for 300 s"
    );
    for round in 2..40 {
        assert_eq!(source.sees(round * 20, hot(49.0)), [format!("({RULE} warning)")]);
        assert_eq!(source.sees(round * 20 + 10, hot(51.0)), [format!("({RULE} critical)")]);
    }
    let calm = source.changes(2000, hot(51.0)).remove(0);
    assert_eq!((calm.kind, calm.at, calm.severity), (ChangeKind::Calmed, seconds(1090), Severity::Critical));
    assert!(
        calm.detail.starts_with("raised or changed 80 times since ") && calm.detail.ends_with("now calm: it stands")
    );
    assert_eq!(source.sees(2010, hot(20.0)), [format!("-{RULE}")]);
}

#[test]
fn raises_and_changes_of_severity_are_counted_together() {
    let mut source = two_levels(3);
    assert_eq!(source.sees(0, hot(35.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(10, hot(55.0)), [format!("{RULE} critical")]);
    assert_eq!(source.sees(20, hot(20.0)), [format!("-{RULE}")]);
    assert_eq!(source.sees(30, hot(35.0)), [format!("+{RULE}")]);
    assert_eq!(source.sees(40, hot(55.0)), [format!("({RULE} critical)"), format!("{RULE} flapping")]);
}

#[test]
fn what_came_to_matter_less_when_it_began_to_flap_is_told_once_when_it_matters_more() {
    let mut source = two_levels(2);
    source.sees(0, hot(35.0));
    source.sees(10, hot(55.0));
    assert_eq!(source.sees(20, hot(35.0)), [format!("({RULE} warning)"), format!("{RULE} flapping")]);
    assert_eq!(source.sees(30, hot(55.0)), [format!("{RULE} critical")]);
    assert_eq!(source.sees(40, hot(35.0)), [format!("({RULE} warning)")]);
    assert_eq!(source.sees(50, hot(55.0)), [format!("({RULE} critical)")]);
}

#[test]
fn an_alarm_that_comes_and_goes_is_told_under_the_name_of_the_one_that_showed_it() {
    let mut source = damped(3);
    flaps(&mut source, 1..=3);
    let first = source.changes(80, hot(35.0)).remove(0).alarm;
    flaps(&mut source, 5..=6);
    let life = source.state.lives[RULE].clone();
    assert_eq!(life.told_as(seconds(20)), Some(&*first), "the flapping began with the first of those that are counted");
    assert_eq!(life.told_as(seconds(120)), Some(&*first));
    assert_eq!(life.told_as(seconds(19)), None, "it was before");
    source.sees(700, Fact::Tick);
    assert_eq!(source.state.lives[RULE].told_as(seconds(120)), None, "it is calm");
}

#[test]
fn it_is_said_whether_what_flaps_only_came_and_went_or_came_to_matter_more_too() {
    let mut source = two_levels(3);
    flaps(&mut source, 1..=3);
    let begun = source.changes(80, hot(35.0)).remove(1);
    assert!(begun.detail.starts_with("raised 4 times"), "{}", begun.detail);
    source.sees(90, hot(20.0));
    for (second, celsius) in [(100, 35.0), (105, 55.0), (110, 20.0)] {
        source.sees(second, hot(celsius));
    }
    let all = source.changes(2000, Fact::Tick);
    let calm = all.iter().find(|change| change.kind == ChangeKind::Calmed).unwrap();
    assert!(calm.detail.starts_with("raised or changed 6 times"), "{}", calm.detail);
}
