//! What each condition calls abnormal.

use super::*;
use crate::alarm::{BadRule, Comparison, Figure, Level, Wrong};

const MINUTE: Duration = Duration::from_mins(1);

fn watched(condition: Condition) -> Watched {
    let rule = rule("r", condition, 0);
    assert_eq!(rule.check(), Ok(()));
    Watched::by([rule])
}

fn number(name: &str, number: f64) -> Observed {
    observed(name, Datum::Number(number), &Datum::Number(number).text(), "")
}

fn bad(name: &str) -> Observed {
    Observed { quality: Quality::Bad, ..number(name, 0.0) }
}

fn above(name: &str, to: f64) -> Condition {
    Condition::Compare { name: name.into(), is: Comparison::Greater, to, deadband: 0.0 }
}

/// Tells `x` minute by minute; says after each whether the alarm is active.
fn active(condition: Condition, numbers: &[f64]) -> String {
    let mut source = watched(condition);
    let told = numbers.iter().zip(1..).map(|(x, minute)| {
        source.sees(minute * 60, values([number("x", *x)]));
        if source.state.conditions.is_empty() { '-' } else { '#' }
    });
    told.collect()
}

#[test]
fn a_value_compares_with_a_number() {
    for (is, expected) in [
        (Comparison::Greater, "--#-"),
        (Comparison::AtLeast, "-##-"),
        (Comparison::Less, "#---"),
        (Comparison::AtMost, "##--"),
        (Comparison::Equal, "-#--"),
        (Comparison::Other, "#-#-"),
    ] {
        let last = if matches!(is, Comparison::Less | Comparison::AtMost) { 6.0 } else { 5.0 };
        let last = if matches!(is, Comparison::AtLeast) { 4.0 } else { last };
        let last = if is == Comparison::Equal { 4.0 } else { last };
        let condition = Condition::Compare { name: "x".into(), is, to: 5.0, deadband: 0.0 };
        assert_eq!(active(condition, &[4.0, 5.0, 6.0, last]), expected, "{is:?}");
    }
}

#[test]
fn a_comparison_has_its_deadband() {
    let condition = |is| Condition::Compare { name: "x".into(), is, to: 5.0, deadband: 1.0 };
    assert_eq!(active(condition(Comparison::Greater), &[4.5, 5.1, 4.5, 4.0, 4.5]), "-##--");
    assert_eq!(active(condition(Comparison::Less), &[5.5, 4.9, 5.5, 6.0, 5.5]), "-##--");
}

#[test]
fn a_value_may_be_where_it_should_not() {
    let condition = Condition::Between { name: "x".into(), min: 3.0, max: 5.0 };
    assert_eq!(active(condition, &[2.9, 3.0, 5.0, 5.1]), "-##-");
    let condition = Condition::In { name: "x".into(), states: vec!["1".into(), "2".into()] };
    assert_eq!(active(condition, &[0.0, 1.0, 2.0, 3.0]), "-##-");
}

#[test]
fn a_bit_of_a_number_or_of_a_row_of_flags_is_not_as_it_should() {
    let condition = |normal| Condition::Bit { name: "x".into(), bit: 2, normal };
    assert_eq!(active(condition(false), &[3.0, 4.0, 7.0, 8.0]), "-##-");
    assert_eq!(active(condition(true), &[3.0, 4.0]), "#-");
    // 0x8004, 0x8000 and 0xfffb of a word that is read as a signed one.
    assert_eq!(active(condition(false), &[3.0, -32764.0, -32768.0, 4.0, -5.0]), "-#-#-");
    let mut source = watched(condition(false));
    let flags = |flags: &str| values([observed("x", Datum::Text(flags.into()), flags, "")]);
    assert_eq!(source.sees(1, flags("00000100")), ["+r"]);
    assert_eq!(source.sees(2, flags("junk")), NOTHING);
    assert_eq!(source.sees(3, flags("11111011")), ["-r"]);
    assert_eq!(source.sees(4, values([number("x", 4.5)])), NOTHING, "no whole number");
}

#[test]
fn an_alarm_matters_more_and_less_as_its_value_passes_its_levels() {
    let level = |limit, severity| Level { limit, severity, deadband: 1.0 };
    let mut source = watched(Condition::Levels {
        name: "temperature".into(),
        above: vec![level(30.0, Severity::Warning), level(40.0, Severity::Critical)],
        below: vec![level(5.0, Severity::Info)],
    });
    for (second, degrees, changes) in [
        (1, 30.0, &[][..]),
        (2, 31.0, &["+r"]),
        (3, 41.0, &["r critical"]),
        (4, 39.5, &[]),
        (5, 39.0, &["r warning"]),
        (6, 29.5, &[]),
        (7, 29.0, &["-r"]),
        (8, 50.0, &["+r"]),
        (9, 4.0, &["r info"]),
        (10, 5.5, &[]),
        (11, 6.0, &["-r"]),
    ] {
        assert_eq!(source.sees(second, hot(degrees)), changes, "{degrees} ℃");
    }
    let raised = source.changes(12, hot(45.0)).remove(0);
    assert_eq!((raised.severity, raised.detail.as_str()), (Severity::Critical, "temperature 45 ℃, at most 40"));
}

#[test]
fn the_deadband_of_one_side_holds_nothing_that_came_from_the_other() {
    let level = |limit, severity| Level { limit, severity, deadband: 3.0 };
    let levels = Condition::Levels {
        name: "temperature".into(),
        above: vec![level(30.0, Severity::Warning), level(40.0, Severity::Critical)],
        below: vec![level(20.0, Severity::Warning)],
    };
    let mut source = watched(levels.clone());
    for (second, degrees, changes) in [
        (1, 45.0, &["+r"][..]),
        (2, 22.0, &["-r"]),
        (3, 18.0, &["+r"]),
        (4, 22.0, &[]),
        (5, 28.0, &["-r"]),
        (6, 45.0, &["+r"]),
        (7, 39.0, &[]),
        (8, 18.0, &["r warning"]),
        (9, 39.0, &[]),
        (10, 28.0, &[]),
        (11, 22.0, &["-r"]),
    ] {
        assert_eq!(source.sees(second, hot(degrees)), changes, "{degrees} ℃ in second {second}");
    }
    // What was remembered before the sides were told apart.
    let mut source = watched(levels);
    source.sees(1, hot(45.0));
    let memory = serde_json::json!({ "!": { "known": { "abnormal": true, "severity": "critical", "words": "" } } });
    source.state.memories.insert("r".into(), serde_json::from_value(memory).unwrap());
    assert_eq!(source.sees(2, hot(38.0)), NOTHING);
    assert_eq!(source.sees(3, hot(22.0)), ["-r"]);
}

#[test]
fn a_value_may_rise_or_fall_too_fast() {
    let condition = |rising, falling| Condition::Rate { name: "x".into(), rising, falling, per: MINUTE };
    assert_eq!(active(condition(Some(2.0), None), &[0.0, 2.0, 5.0, 6.0, 0.0]), "--#--");
    assert_eq!(active(condition(None, Some(2.0)), &[0.0, 5.0, 2.0, 0.0]), "--#-");
    let mut source = watched(condition(Some(2.0), None));
    source.sees(0, values([number("x", 0.0)]));
    assert_eq!(source.sees(600, values([number("x", 19.0)])), NOTHING, "ten minutes later");
}

#[test]
fn so_many_times_in_the_last_time() {
    let condition = Condition::Count { of: Box::new(above("x", 5.0)), at_least: 3, within: MINUTE * 4 };
    assert_eq!(active(condition.clone(), &[9.0, 9.0, 0.0, 9.0, 0.0, 0.0, 9.0]), "---#---");
    let mut source = watched(condition);
    for second in [10, 20, 30] {
        source.sees(second, values([number("x", 9.0)]));
    }
    assert_eq!(source.state.conditions.len(), 1);
    assert_eq!(source.sees(1000, values([number("y", 1.0)])), NOTHING, "it is not spoken of");
    assert_eq!(source.sees(1001, values([number("x", 1.0)])), ["-r"]);
}

#[test]
fn figures_over_the_last_time() {
    let over = |figure, is, to| Condition::Window { name: "x".into(), figure, within: MINUTE * 3, is, to };
    let numbers = [1.0, 8.0, 8.0, 8.0, 1.0, 1.0, 1.0];
    assert_eq!(active(over(Figure::Mean, Comparison::Greater, 5.5), &numbers), "--###--");
    assert_eq!(active(over(Figure::Max, Comparison::Greater, 5.5), &numbers), "-#####-");
    assert_eq!(active(over(Figure::Min, Comparison::Greater, 5.5), &numbers), "---#---");
}

#[test]
fn a_counter_that_stopped() {
    let condition = Condition::Stuck { name: "x".into(), after: MINUTE * 2 };
    assert_eq!(active(condition, &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 3.0]), "--##---");
}

/// When a value that stays 5 is stuck, by a rule of an hour, where it is read at these minutes.
fn stuck_at(minutes: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut source = watched(Condition::Stuck { name: "x".into(), after: MINUTE * 60 });
    source.sees(0, values([number("x", 4.0)]));
    let stuck = |minute: &i64| source.sees(minute * 60, values([number("x", 5.0)])) == ["+r"];
    minutes.into_iter().filter(stuck).collect()
}

#[test]
fn a_value_that_was_not_read_for_hours_is_not_stuck_by_that() {
    assert_eq!(stuck_at((1..5).chain(700..900)), [760], "an hour since it is read again");
    assert_eq!(stuck_at((1..5).chain(50..900)), [61], "a pause of less is none");
    assert_eq!(stuck_at((1..70).chain(700..900)), [61], "what was stuck by then stays so");
    assert_eq!(stuck_at((1..5).chain(700..705).chain(825..1000)), [885], "nor where it was so twice");
}

#[test]
fn a_value_that_is_read_as_seldom_as_it_takes_is_stuck() {
    assert_eq!(stuck_at((1..10).map(|hour| hour * 60)), [120]);
    assert_eq!(stuck_at((1..10).map(|time| time * 90)), [180]);
}

#[test]
fn silence_is_noticed_when_nothing_arrives() {
    let mut source = watched(Condition::NoData { after: MINUTE });
    assert_eq!(source.sees(10, values([])), NOTHING);
    assert_eq!(source.timer, Some(seconds(70)));
    assert_eq!(source.sees(69, Fact::Tick), NOTHING);
    assert_eq!(source.sees(70, Fact::Tick), ["+r"]);
    assert_eq!(source.timer, None);
    assert_eq!(source.sees(71, Fact::Missed { count: 3 }), NOTHING);
    assert_eq!(source.sees(100, values([])), ["-r"]);
    assert_eq!(source.timer, Some(seconds(160)));
}

#[test]
fn a_lost_parent_explains_the_silence() {
    let mut source = watched(Condition::NoData { after: MINUTE });
    source.sees(10, values([]));
    assert_eq!(source.sees(60, parent_lost()), NOTHING);
    assert_eq!(source.timer, None);
    assert_eq!(source.sees(100, Fact::Tick), NOTHING);
    assert_eq!(source.sees(600, Fact::LinkSeen), NOTHING, "what was long due is explained too");
    assert_eq!(source.timer, Some(seconds(660)));
    let raised = source.changes(660, Fact::Tick).remove(0);
    assert_eq!((raised.at, raised.detail.as_str()), (seconds(660), "no data for 1 min"));
}

#[test]
fn all_need_all_and_any_needs_one() {
    let both = || vec![above("x", 5.0), above("y", 5.0)];
    let xy = |x: f64, y: f64| values([number("x", x), number("y", y)]);
    let (mut all, mut any) = (watched(Condition::All { of: both() }), watched(Condition::Any { of: both() }));
    for (second, x, y, told_all, told_any) in [
        (1, 0.0, 0.0, &[][..], &[][..]),
        (2, 9.0, 0.0, &[], &["+r"]),
        (3, 9.0, 9.0, &["+r"], &[]),
        (4, 0.0, 9.0, &["-r"], &[]),
        (5, 0.0, 0.0, &[], &["-r"]),
    ] {
        assert_eq!(all.sees(second, xy(x, y)), told_all, "all of {x} {y}");
        assert_eq!(any.sees(second, xy(x, y)), told_any, "any of {x} {y}");
    }
    assert_eq!(all.changes(6, xy(7.0, 8.0))[0].detail, "x 7, alarm if > 5 and y 8, alarm if > 5");
}

#[test]
fn what_is_not_spoken_of_is_as_it_was_and_what_cannot_be_believed_is_not_known() {
    let both = || Condition::All { of: vec![above("x", 5.0), above("y", 5.0)] };
    let mut source = watched(both());
    source.sees(1, values([number("x", 9.0)]));
    assert_eq!(source.sees(2, values([number("y", 9.0)])), ["+r"], "x still is");
    assert_eq!(source.sees(3, values([bad("x"), bad("y")])), NOTHING);
    assert_eq!(source.sees(4, values([number("y", 1.0)])), ["-r"], "one that is normal is enough");
    let mut source = watched(both());
    source.sees(1, values([number("x", 9.0)]));
    source.sees(2, values([bad("x")]));
    assert_eq!(source.sees(3, values([number("y", 9.0)])), NOTHING, "nobody knows x");
    let mut source = watched(both());
    source.sees(1, values([number("x", 9.0)]));
    source.sees(2, parent_lost());
    source.sees(3, Fact::LinkSeen);
    assert_eq!(source.sees(4, values([number("y", 9.0)])), NOTHING, "x is to be seen anew");
}

#[test]
fn not_turns_it_round_and_knows_no_more() {
    let mut source = watched(Condition::Not { of: Box::new(above("x", 5.0)) });
    assert_eq!(source.sees(1, values([number("x", 9.0)])), NOTHING);
    assert_eq!(source.sees(2, values([bad("x")])), NOTHING);
    assert_eq!(source.sees(3, values([number("x", 5.0)])), ["+r"]);
    assert_eq!(source.sees(4, values([number("x", f64::NAN)])), NOTHING);
    assert_eq!(source.sees(5, values([number("x", 9.0)])), ["-r"]);
}

#[test]
fn what_is_made_of_others_is_not_written_with_every_reading() {
    let mut source = watched(Condition::All { of: vec![above("x", 5.0), above("y", 5.0)] });
    source.sees(1, values([number("x", 9.0), number("y", 1.0)]));
    let before = source.state.memories.clone();
    source.sees(2, values([number("x", 9.5), number("y", 1.5)]));
    assert_eq!(source.state.memories, before);
}

#[test]
fn a_bad_rule_is_refused_with_the_place_of_the_error() {
    let inside = |of| Condition::All { of: vec![above("x", 1.0), of] };
    let nested = (0..5).fold(above("x", 1.0), |of, _| Condition::Not { of: Box::new(of) });
    let wide = Condition::Any { of: vec![above("x", 1.0); 40] };
    let level = |limit, severity| Level { limit, severity, deadband: 0.0 };
    let twice = vec![level(30.0, Severity::Critical), level(40.0, Severity::Warning)];
    for (condition, place, wrong) in [
        (inside(Condition::Any { of: vec![] }), "condition.of[1].of", Wrong::Empty),
        (inside(above("", 1.0)), "condition.of[1].name", Wrong::NoName),
        (inside(above("x", f64::NAN)), "condition.of[1].to", Wrong::NotANumber),
        (Condition::Between { name: "x".into(), min: 5.0, max: 1.0 }, "condition", Wrong::NothingInside),
        (Condition::Bit { name: "x".into(), bit: 60, normal: false }, "condition.bit", Wrong::NoBit),
        (Condition::NoData { after: Duration::ZERO }, "condition.after_ms", Wrong::TooLong),
        (Condition::In { name: "x".into(), states: vec![] }, "condition.states", Wrong::NoState),
        (nested, "condition", Wrong::TooMuch),
        (wide, "condition", Wrong::TooMuch),
        (Condition::Levels { name: "x".into(), above: twice, below: vec![] }, "condition", Wrong::Levels),
        (Condition::Rate { name: "x".into(), rising: None, falling: None, per: MINUTE }, "condition", Wrong::NoLimit),
    ] {
        let place = place.to_owned();
        assert_eq!(rule("r", condition.clone(), 0).check(), Err(BadRule { place, wrong }), "{condition:?}");
    }
    let slow = Rule { off_delay: Duration::from_hours(960), ..too_hot(0) };
    assert_eq!(slow.check().unwrap_err().to_string(), "off_delay_ms: this must take a time, 31 days at most");
}

#[test]
fn a_rule_is_read_as_people_write_it() {
    let rule: Rule = serde_json::from_str(
        r#"{ "id": "r", "severity": "warning", "on_delay_ms": 60000, "condition": { "kind": "all", "of": [
            { "kind": "compare", "name": "temperature", "is": ">", "to": 30 },
            { "kind": "window", "name": "load", "figure": "mean", "within_ms": 600000, "is": ">=", "to": 80 } ] } }"#,
    )
    .unwrap();
    assert_eq!((rule.on_delay, rule.condition.names()), (MINUTE, vec!["temperature", "load"]));
    let told = serde_json::to_string(&rule).unwrap();
    assert_eq!(serde_json::from_str::<Rule>(&told).unwrap(), rule);
    let unknown = r#"{ "id": "r", "severity": "info", "condition": { "kind": "lost" }, "for": 5 }"#;
    assert!(serde_json::from_str::<Rule>(unknown).unwrap_err().to_string().contains("unknown field `for`"));
}

#[test]
fn what_was_stuck_before_it_was_remembered_when_it_was_read_stays_so() {
    let mut source = watched(Condition::Stuck { name: "x".into(), after: MINUTE });
    source.sees(0, values([number("x", 5.0)]));
    assert_eq!(source.sees(60, values([number("x", 5.0)])), ["+r"]);
    let old = serde_json::to_string(&source.state).unwrap();
    let old = old.replace(r#","seen":60000"#, "").replace(r#","pace_ms":60000"#, "");
    assert_ne!(old, serde_json::to_string(&source.state).unwrap());
    source.state = serde_json::from_str(&old).unwrap();
    assert_eq!(source.sees(9000, values([number("x", 5.0)])), NOTHING);
    assert_eq!(source.sees(9060, values([number("x", 6.0)])), ["-r"]);
}
