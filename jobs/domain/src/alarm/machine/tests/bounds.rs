//! Where conditions are still taken and where not, and the words they have, to the last step.

use super::*;
use crate::alarm::{BadRule, Comparison, Figure, Level, Wrong};

const LONGEST: Duration = Duration::from_hours(24 * 31);
const MINUTE: Duration = Duration::from_mins(1);

fn above(name: &str, to: f64) -> Condition {
    compare(name, Comparison::Greater, to, 0.0)
}

fn compare(name: &str, is: Comparison, to: f64, deadband: f64) -> Condition {
    Condition::Compare { name: name.into(), is, to, deadband }
}

fn outside(min: impl Into<Option<f64>>, max: impl Into<Option<f64>>, deadband: f64) -> Condition {
    Condition::Outside { name: "x".into(), min: min.into(), max: max.into(), deadband }
}

fn level(limit: f64, severity: Severity, deadband: f64) -> Level {
    Level { limit, severity, deadband }
}

fn levels(above: &[Level], below: &[Level]) -> Condition {
    Condition::Levels { name: "x".into(), above: above.to_vec(), below: below.to_vec() }
}

/// What is wrong with a condition.
fn wrong(condition: Condition) -> Option<Wrong> {
    rule("r", condition, 0).check().err().map(|BadRule { wrong, .. }| wrong)
}

fn x(number: f64) -> Fact {
    values([observed("x", Datum::Number(number), &Datum::Number(number).text(), "V")])
}

#[test]
fn a_condition_is_made_of_so_many_and_so_deep() {
    let wide = |of| wrong(Condition::Any { of: vec![above("x", 1.0); of] });
    assert_eq!((wide(31), wide(32)), (None, Some(Wrong::TooMuch)));
    let deep = |nots: u32| wrong((0..nots).fold(above("x", 1.0), |of, _| Condition::Not { of: Box::new(of) }));
    assert_eq!((deep(3), deep(4)), (None, Some(Wrong::TooMuch)));
}

#[test]
fn a_deadband_is_for_orders_and_no_less_than_nothing() {
    for (is, deadband, expected) in [
        (Comparison::Greater, 0.0, None),
        (Comparison::Less, 1000.0, None),
        (Comparison::Greater, -1.0, Some(Wrong::Deadband)),
        (Comparison::Greater, f64::NAN, Some(Wrong::Deadband)),
        (Comparison::Greater, f64::INFINITY, Some(Wrong::Deadband)),
        (Comparison::Equal, 0.0, None),
        (Comparison::Equal, 1.0, Some(Wrong::Deadband)),
        (Comparison::Other, f64::MIN_POSITIVE, Some(Wrong::Deadband)),
    ] {
        assert_eq!(wrong(compare("x", is, 1.0, deadband)), expected, "{is:?} {deadband}");
    }
}

#[test]
fn limits_leave_something_between_them() {
    for (condition, expected) in [
        (outside(None, None, 0.0), Some(Wrong::NoLimit)),
        (outside(f64::NAN, 5.0, 0.0), Some(Wrong::NoLimit)),
        (outside(1.0, f64::INFINITY, 0.0), Some(Wrong::NoLimit)),
        (outside(5.0, 5.0, 0.0), Some(Wrong::NothingInside)),
        (outside(10.0, 30.0, 9.9), None),
        (outside(10.0, 30.0, 10.0), Some(Wrong::Deadband)),
        (outside(10.0, 30.0, 12.0), Some(Wrong::Deadband)),
        (outside(10.0, 30.0, -1.0), Some(Wrong::Deadband)),
        (outside(None, 30.0, 1000.0), None),
        (outside(None, 30.0, f64::INFINITY), Some(Wrong::Deadband)),
        (outside(10.0, None, f64::NAN), Some(Wrong::Deadband)),
        (outside(-30.0, -10.0, 9.0), None),
    ] {
        assert_eq!(wrong(condition.clone()), expected, "{condition:?}");
    }
}

#[test]
fn levels_rise_outwards_and_leave_something_between_the_sides() {
    use Severity::{Critical, Info, Warning};
    let (hi, hihi) = (level(30.0, Warning, 1.0), level(40.0, Critical, 1.0));
    let (lo, lolo) = (level(10.0, Warning, 1.0), level(5.0, Critical, 1.0));
    for (condition, expected) in [
        (levels(&[], &[]), Some(Wrong::NoLimit)),
        (levels(&[hihi, hi], &[lo, lolo]), None),
        (levels(&[hi, hihi], &[lolo, lo]), None),
        (levels(&[level(f64::NAN, Info, 0.0)], &[]), Some(Wrong::NotANumber)),
        (levels(&[], &[level(1.0, Info, -0.1)]), Some(Wrong::Deadband)),
        (levels(&[level(1.0, Info, f64::INFINITY)], &[]), Some(Wrong::Deadband)),
        (levels(&[hi, level(40.0, Warning, 0.0)], &[]), Some(Wrong::Levels)),
        (levels(&[hi, level(30.0, Critical, 0.0)], &[]), Some(Wrong::Levels)),
        (levels(&[level(-1.0, Critical, 0.0), level(-2.0, Warning, 0.0)], &[]), None),
        (levels(&[level(-2.0, Critical, 0.0), level(-1.0, Warning, 0.0)], &[]), Some(Wrong::Levels)),
        (levels(&[], &[lo, level(5.0, Info, 0.0)]), Some(Wrong::Levels)),
        (levels(&[], &[level(-1.0, Warning, 0.0), level(-2.0, Critical, 0.0)]), None),
        (levels(&[], &[level(-2.0, Warning, 0.0), level(-1.0, Critical, 0.0)]), Some(Wrong::Levels)),
        // 30 - 1 is more than 10 + 18.9, the same as 10 + 19, and less than 10 + 19.1.
        (levels(&[hi], &[level(10.0, Warning, 18.9)]), None),
        (levels(&[hi], &[level(10.0, Warning, 19.0)]), None),
        (levels(&[hi], &[level(10.0, Warning, 19.1)]), Some(Wrong::NothingInside)),
        (levels(&[level(30.0, Warning, 25.0)], &[lo]), Some(Wrong::NothingInside)),
    ] {
        assert_eq!(wrong(condition.clone()), expected, "{condition:?}");
    }
}

#[test]
fn bits_rates_and_times_have_their_bounds() {
    let bit = |bit| wrong(Condition::Bit { name: "x".into(), bit, normal: false });
    assert_eq!((bit(52), bit(53)), (None, Some(Wrong::NoBit)));
    let rate = |rising, falling| wrong(Condition::Rate { name: "x".into(), rising, falling, per: MINUTE });
    assert_eq!((rate(Some(0.1), None), rate(None, Some(0.1))), (None, None));
    for bad in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        assert_eq!(
            (rate(Some(bad), None), rate(Some(1.0), Some(bad))),
            (Some(Wrong::NotANumber), Some(Wrong::NotANumber))
        );
    }
    let silence = |after| wrong(Condition::NoData { after });
    assert_eq!((silence(LONGEST), silence(LONGEST + MINUTE)), (None, Some(Wrong::TooLong)));
    let stuck = |after| wrong(Condition::Stuck { name: "x".into(), after });
    assert_eq!((stuck(MINUTE), stuck(Duration::ZERO)), (None, Some(Wrong::TooLong)));
    let many = |at_least, within| wrong(Condition::Count { of: Box::new(above("x", 1.0)), at_least, within });
    assert_eq!((many(1, MINUTE), many(0, MINUTE)), (None, Some(Wrong::NoCount)));
    assert_eq!(many(1, Duration::ZERO), Some(Wrong::TooLong));
    assert_eq!((many(100, MINUTE), many(101, MINUTE)), (None, Some(Wrong::TooManyTimes)));
    let (name, figure, is) = ("x".to_owned(), Figure::Mean, Comparison::Greater);
    let mean = |within, to| wrong(Condition::Window { name: name.clone(), figure, within, is, to });
    assert_eq!((mean(MINUTE, 1.0), mean(Duration::ZERO, 1.0)), (None, Some(Wrong::TooLong)));
    assert_eq!(mean(MINUTE, f64::NAN), Some(Wrong::NotANumber));
    assert_eq!(wrong(Condition::NotIn { name, normal: Vec::new() }), Some(Wrong::NoState));
}

#[test]
fn a_condition_that_remembers_too_much_in_all_is_refused() {
    let count = |at_least| Condition::Count { of: Box::new(above("x", 1.0)), at_least, within: MINUTE };
    let name = || "x".to_owned();
    let mean =
        || Condition::Window { name: name(), figure: Figure::Mean, within: MINUTE, is: Comparison::Greater, to: 1.0 };
    let any = |of: Vec<Condition>| wrong(Condition::Any { of });
    assert_eq!((any(vec![count(100); 3]), any(vec![mean(); 5])), (None, None));
    assert_eq!(any(vec![count(100), count(100), mean(), count(40)]), None);
    assert_eq!(any(vec![count(100), count(100), mean(), count(41)]), Some(Wrong::TooMuchRemembered));
}

#[test]
fn a_condition_knows_what_it_is_of() {
    let within = |of| Condition::Any { of: vec![above("x", 1.0), of] };
    let silence = || Condition::NoData { after: MINUTE };
    for (condition, of_links, of_any) in [
        (Condition::Lost, true, true),
        (Condition::Away, true, true),
        (within(Condition::Lost), true, true),
        (silence(), false, true),
        (within(silence()), false, true),
        (Condition::Missed { more_than: 1 }, false, true),
        (above("x", 1.0), false, false),
        (within(above("y", 1.0)), false, false),
    ] {
        assert_eq!((condition.is_of_links(), condition.is_of_any_fact()), (of_links, of_any), "{condition:?}");
    }
}

#[test]
fn what_is_away_is_so_until_it_is_back() {
    let mut source = Watched::by([rule("away", Condition::Away, 0)]);
    let raised = source.changes(1, Fact::Away { why: "redis since 12:00".into() }).remove(0);
    assert_eq!((raised.kind, raised.detail.as_str()), (ChangeKind::Raised, "redis since 12:00"));
    assert_eq!(source.sees(2, Fact::LinkSeen), NOTHING);
    assert_eq!(source.sees(3, values([])), NOTHING);
    let ended = source.changes(4, Fact::Back { how: "after 5 min".into() }).remove(0);
    assert_eq!((ended.kind, ended.detail.as_str()), (ChangeKind::Cleared, "after 5 min"));
}

#[test]
fn what_is_about_links_says_nothing_of_other_facts() {
    for condition in [Condition::Lost, Condition::Away, Condition::Missed { more_than: 3 }] {
        let mut source = Watched::by([rule("r", condition, 0)]);
        for (second, fact) in [(1, Fact::Missed { count: 3 }), (2, Fact::Tick)] {
            assert_eq!(source.sees(second, fact), NOTHING);
        }
    }
}

#[test]
fn a_condition_among_others_matters_as_much_as_it_says() {
    let high = levels(&[level(30.0, Severity::Info, 0.0), level(40.0, Severity::Critical, 0.0)], &[]);
    let mut source = Watched::by([rule("r", Condition::Any { of: vec![high, above("y", 1.0)] }, 0)]);
    assert_eq!(source.changes(1, x(35.0))[0].severity, Severity::Info);
    assert_eq!(source.sees(2, x(45.0)), ["r critical"]);
}

#[test]
fn a_condition_among_others_has_its_own_deadband() {
    let parts = || vec![compare("x", Comparison::Greater, 30.0, 2.0), above("y", 1.0)];
    let mut source = Watched::by([rule("r", Condition::Any { of: parts() }, 0)]);
    source.sees(1, values([observed("y", Datum::Number(0.0), "", "")]));
    source.sees(2, x(31.0));
    assert_eq!(source.sees(3, x(29.0)), NOTHING);
    assert_eq!(source.sees(4, x(28.0)), ["-r"]);
    // Nor is it forgotten while the others say no.
    let mut source = Watched::by([rule("r", Condition::All { of: parts() }, 0)]);
    source.sees(1, x(31.0));
    source.sees(2, x(29.0));
    assert_eq!(source.sees(3, values([observed("y", Datum::Number(2.0), "", "")])), ["+r"]);
    // What only another part raised is not held by this one's deadband.
    let mut source = Watched::by([rule("r", Condition::Any { of: parts() }, 0)]);
    source.sees(4, x(28.0));
    source.sees(5, values([observed("y", Datum::Number(2.0), "", "")]));
    assert_eq!(source.sees(6, x(29.0)), NOTHING);
    assert_eq!(source.sees(7, values([observed("y", Datum::Number(0.0), "", "")])), ["-r"]);
}

#[test]
fn a_count_counts_what_is_spoken_of_and_nothing_twice() {
    let counted = |of| Condition::Count { of: Box::new(of), at_least: 2, within: Duration::from_mins(10) };
    let mut source = Watched::by([rule("r", counted(above("x", 5.0)), 0)]);
    source.sees(1, x(9.0));
    for (second, fact) in [(2, Fact::Tick), (3, values([degrees(1.0)])), (4, Fact::Missed { count: 1 })] {
        assert_eq!(source.sees(second, fact), NOTHING);
    }
    assert_eq!(source.sees(5, x(9.0)), ["+r"]);
    let parts = Condition::Any { of: vec![above("x", 5.0), Condition::Missed { more_than: 100 }] };
    let mut source = Watched::by([rule("r", counted(parts), 0)]);
    source.sees(1, x(9.0));
    assert_eq!(source.sees(2, Fact::Tick), NOTHING, "time alone is no occurrence");
    assert_eq!(source.sees(3, values([degrees(1.0)])), NOTHING, "nor is another value");
    let mut source = Watched::by([rule("r", counted(Condition::Missed { more_than: 3 }), 0)]);
    source.sees(1, Fact::Missed { count: 4 });
    assert_eq!(source.sees(2, Fact::Tick), NOTHING);
    assert_eq!(source.sees(3, Fact::Missed { count: 5 }), ["+r"]);
}

#[test]
fn what_remembers_nothing_is_not_remembered() {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(1, hot(35.0));
    assert!(source.state.memories.is_empty());
}

#[test]
fn a_lost_parent_takes_what_was_known_and_leaves_what_was_measured() {
    let (name, figure, is, within) = ("x".to_owned(), Figure::Mean, Comparison::Greater, MINUTE);
    let mean = Condition::Window { name, figure, within, is, to: 5.0 };
    let either = |of: Vec<Condition>| Condition::Any { of };
    let mut source = Watched::by([
        rule("known", either(vec![above("x", 5.0), above("y", 5.0)]), 0),
        rule("measured", either(vec![mean, above("y", 5.0)]), 0),
    ]);
    source.sees(1, x(4.0));
    source.sees(2, parent_lost());
    assert_eq!(source.state.memories.keys().collect::<Vec<_>>(), ["measured"]);
    source.sees(3, Fact::LinkSeen);
    assert_eq!(
        source.changes(4, x(9.0)).iter().map(|change| change.detail.as_str()).collect::<Vec<_>>(),
        ["x 9 V, alarm if > 5", "x over 1 min 6.5 V, alarm if > 5"]
    );
}

#[test]
fn a_rate_is_taken_from_two_instants() {
    let rate = Condition::Rate { name: "x".into(), rising: Some(5.0), falling: Some(5.0), per: MINUTE };
    let mut source = Watched::by([rule("r", rate, 0)]);
    assert_eq!(source.sees(60, x(10.0)), NOTHING);
    assert_eq!(source.sees(120, x(15.0)), NOTHING, "as fast as it may");
    let raised = source.changes(180, x(20.1)).remove(0);
    assert_eq!(raised.detail, "x +5.100 V in 1 min");
    assert_eq!(source.sees(240, x(16.0)), ["-r"]);
    assert_eq!(source.changes(300, x(10.0)).remove(0).detail, "x -6.000 V in 1 min");
}

#[test]
fn times_are_told_as_people_say_them() {
    let told = |within: Duration| {
        let (name, figure, is) = ("x".to_owned(), Figure::Max, Comparison::Greater);
        let condition = Condition::Window { name, figure, within, is, to: 1.0 };
        Watched::by([rule("r", condition, 0)]).changes(1, x(2.5)).remove(0).detail
    };
    assert_eq!(told(Duration::from_millis(500)), "x over 500 ms 2.5 V, alarm if > 1");
    assert_eq!(told(Duration::from_secs(90)), "x over 90 s 2.5 V, alarm if > 1");
    assert_eq!(told(Duration::from_mins(10)), "x over 10 min 2.5 V, alarm if > 1");
    assert_eq!(told(Duration::from_hours(2)), "x over 2 h 2.5 V, alarm if > 1");
    assert_eq!(told(Duration::from_hours(48)), "x over 2 d 2.5 V, alarm if > 1");
}
