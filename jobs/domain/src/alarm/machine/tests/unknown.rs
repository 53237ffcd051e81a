//! Time that passes while nothing is known of a source raises nothing and ends nothing.

use proptest::prelude::*;

use super::*;
use crate::alarm::{Comparison, Figure, Level};

const MINUTE: Duration = Duration::from_mins(1);

fn x(number: f64) -> Fact {
    values([observed("x", Datum::Number(number), &Datum::Number(number).text(), "")])
}

fn above(to: f64) -> Condition {
    Condition::Compare { name: "x".into(), is: Comparison::Greater, to, deadband: 2.0 }
}

fn levels() -> Condition {
    let above = vec![Level { limit: 30.0, severity: Severity::Warning, deadband: 2.0 }];
    Condition::Levels { name: "x".into(), above, below: vec![] }
}

fn window(figure: Figure, to: f64) -> Condition {
    Condition::Window { name: "x".into(), figure, within: MINUTE, is: Comparison::Greater, to }
}

fn by(condition: Condition) -> Watched {
    Watched::by([rule("r", condition, 0)])
}

impl Watched {
    /// What it hangs on is lost at the one second, and seen again at the other.
    fn is_unknown(&mut self, from: i64, until: i64) {
        assert_eq!(self.sees(from, parent_lost()), NOTHING);
        assert_eq!(self.sees(i64::midpoint(from, until), Fact::Tick), NOTHING);
        assert_eq!(self.sees(until, Fact::LinkSeen), NOTHING);
    }
}

#[test]
fn a_silence_that_waited_for_its_delay_counts_anew() {
    let mut source = Watched::by([rule("r", Condition::NoData { after: MINUTE }, 30)]);
    source.sees(10, x(1.0));
    assert_eq!(source.sees(70, Fact::Tick), NOTHING);
    source.is_unknown(80, 600);
    assert_eq!(source.sees(660, Fact::Tick), NOTHING);
    assert_eq!(source.sees(690, Fact::Tick), ["+r"]);
}

#[test]
fn a_device_that_speaks_after_the_return_is_missed_from_then_on() {
    let mut source = by(Condition::NoData { after: MINUTE });
    source.sees(10, x(1.0));
    source.is_unknown(30, 600);
    assert_eq!(source.sees(603, x(1.0)), NOTHING);
    assert_eq!(source.timer, Some(seconds(663)));
    // What was never heard is not missed.
    let mut source = by(Condition::NoData { after: MINUTE });
    source.is_unknown(30, 600);
    assert_eq!(source.timer, None);
}

#[test]
fn what_was_seen_again_is_known_also_where_that_is_heard_after_a_newer_silence() {
    let missed = || Watched::by([rule("r", Condition::Missed { more_than: 2 }, 0)]);
    for again in [Fact::LinkSeen, x(1.0)] {
        let mut source = missed();
        source.sees(10, parent_lost());
        assert_eq!(source.sees(21, Fact::Missed { count: 3 }), NOTHING);
        source.sees(20, again.clone());
        assert_eq!(source.state.unknown, None);
        // Two of three were before it was seen again.
        assert_eq!(source.sees(30, Fact::Missed { count: 4 }), NOTHING, "{again:?}");
        assert_eq!(source.sees(31, Fact::Missed { count: 5 }), ["+r"], "{again:?}");
    }
    // A miss from before it was lost is its own, heard of when it may.
    let mut source = missed();
    source.sees(20, parent_lost());
    source.sees(19, Fact::Missed { count: 1 });
    source.sees(30, Fact::LinkSeen);
    source.sees(40, Fact::Missed { count: 2 });
    assert_eq!(source.sees(41, Fact::Missed { count: 3 }), ["+r"]);
    // And what was lost is unknown.
    let mut source = missed();
    source.sees(21, Fact::Missed { count: 1 });
    source.sees(20, parent_lost());
    assert_eq!(source.sees(30, Fact::Missed { count: 4 }), NOTHING);
    // Unless it spoke since.
    let mut source = missed();
    source.sees(21, x(1.0));
    source.sees(20, parent_lost());
    assert_eq!(source.sees(30, Fact::Missed { count: 4 }), ["+r"]);
}

#[test]
fn a_silence_inside_a_count_counts_anew() {
    let of = Box::new(Condition::NoData { after: MINUTE });
    let mut source = by(Condition::Any { of: vec![Condition::Count { of, at_least: 1, within: MINUTE * 60 }] });
    source.sees(10, x(1.0));
    source.is_unknown(30, 600);
    assert_eq!(source.timer, Some(seconds(660)));
}

#[test]
fn a_delay_stands_still_and_goes_on_with_the_return() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(1, hot(35.0));
    source.sees(11, parent_lost());
    assert_eq!((source.timer, source.state.unknown_since), (None, Some(seconds(11))));
    assert_eq!(source.sees(20, Fact::ParentLost { parent: device() }), NOTHING, "lost twice");
    assert_eq!(source.state.unknown_since, Some(seconds(11)));
    assert_eq!(source.sees(100, Fact::Tick), NOTHING);
    assert_eq!(source.sees(111, Fact::LinkSeen), NOTHING);
    assert_eq!((source.timer, source.state.unknown_since), (Some(seconds(161)), None));
    let raised = source.changes(170, Fact::Tick).remove(0);
    assert_eq!((raised.since, raised.at), (seconds(1), seconds(161)));
}

#[test]
fn a_delay_that_was_over_before_the_loss_is_over_however_late_that_is_looked_at() {
    for late in [parent_lost(), Fact::Tick] {
        let mut source = Watched::by([too_hot(60)]);
        source.sees(1, hot(35.0));
        let told = source.changes(61, parent_lost());
        assert_eq!(told, [], "what is due at this instant is for the fact to say");
        assert_eq!(source.timer, Some(seconds(61)));
        assert_eq!(source.changes(90, late).remove(0).at, seconds(61));
    }
}

#[test]
fn a_reading_that_ends_the_unknown_is_weighed_by_the_delay_that_stood_still() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(1, hot(35.0));
    source.sees(11, parent_lost());
    assert_eq!(source.sees(111, hot(36.0)), NOTHING);
    assert_eq!(source.sees(161, hot(36.0)), ["+threshold:temperature"]);
    let mut source = Watched::by([too_hot(60)]);
    source.sees(1, hot(35.0));
    source.sees(11, parent_lost());
    assert_eq!(source.sees(111, hot(20.0)), NOTHING);
    assert!(source.state.conditions.is_empty());
}

#[test]
fn what_is_heard_another_way_meanwhile_is_delayed_as_ever() {
    let mut source = Watched::by([rule("r", above(5.0), 60)]);
    source.sees(10, parent_lost());
    let Fact::Values { values } = x(9.0) else { unreachable!() };
    assert_eq!(source.sees(20, Fact::Known { values }), NOTHING);
    assert_eq!(source.sees(80, Fact::Tick), ["+r"]);
}

#[test]
fn a_value_that_may_have_moved_meanwhile_is_not_stuck_by_it() {
    let mut source = by(Condition::Stuck { name: "x".into(), after: MINUTE });
    source.sees(10, x(1.0));
    source.is_unknown(30, 600);
    assert_eq!(source.sees(630, x(1.0)), NOTHING);
    assert_eq!(source.changes(640, x(1.0)).remove(0).detail, "x has been 1 for 1 min");
}

#[test]
fn a_window_holds_the_values_of_the_time_that_is_known() {
    let mut source = by(window(Figure::Mean, 5.0));
    source.sees(10, x(1.0));
    source.is_unknown(30, 600);
    assert_eq!(source.sees(601, x(8.0)), NOTHING, "one value after the return is not a minute of them");
    let mut source = by(window(Figure::Max, 5.0));
    assert_eq!(source.sees(10, x(9.0)), ["+r"]);
    source.is_unknown(30, 600);
    assert_eq!(source.sees(601, x(1.0)), NOTHING, "the minute is not over by what was not seen");
    assert_eq!(source.sees(640, x(1.0)), ["-r"]);
}

#[test]
fn how_often_something_happened_meanwhile_is_not_known() {
    let of = || Box::new(above(5.0));
    let mut source = by(Condition::Count { of: of(), at_least: 2, within: MINUTE });
    source.sees(1, x(9.0));
    assert_eq!(source.sees(2, x(9.0)), ["+r"]);
    source.is_unknown(30, 600);
    assert_eq!(source.sees(601, x(1.0)), NOTHING);
    assert_eq!(source.sees(659, x(1.0)), NOTHING);
    assert_eq!(source.sees(660, x(1.0)), ["-r"]);
    assert_eq!(source.sees(661, x(9.0)), NOTHING, "what lies before an hour is not within a minute");
    assert_eq!(source.sees(662, x(9.0)), ["+r"]);
}

#[test]
fn a_rate_is_from_one_reading_to_the_next() {
    let rate = Condition::Rate { name: "x".into(), rising: Some(5.0), falling: None, per: MINUTE };
    let mut source = by(rate);
    source.sees(10, x(0.0));
    assert_eq!(source.sees(20, x(9.0)), ["+r"]);
    source.is_unknown(30, 600);
    assert_eq!(source.sees(601, x(10.0)), NOTHING, "how it went meanwhile is not known");
    assert_eq!(source.sees(661, x(10.0)), ["-r"]);
}

#[test]
fn what_came_back_only_into_its_deadband_is_not_over_since_its_parent_was_lost() {
    let either = || Condition::Any { of: vec![above(30.0)] };
    for condition in [above(30.0), levels(), either(), Condition::Any { of: vec![levels()] }] {
        let mut source = by(condition.clone());
        assert_eq!(source.sees(10, x(35.0)), ["+r"]);
        assert_eq!(source.sees(20, x(29.0)), NOTHING, "{condition:?}");
        source.is_unknown(30, 40);
        assert_eq!(source.sees(50, x(29.0)), NOTHING, "{condition:?}");
        assert_eq!(source.sees(60, x(27.9)), ["-r"], "{condition:?}");
        assert_eq!(source.sees(70, x(29.0)), NOTHING, "{condition:?}");
    }
}

#[test]
fn what_is_not_believed_takes_nothing_from_a_deadband() {
    for condition in [above(30.0), levels(), Condition::Any { of: vec![above(30.0)] }] {
        let mut source = by(condition.clone());
        source.sees(10, x(35.0));
        let bad = Observed { quality: Quality::Bad, ..observed("x", Datum::Number(1.0), "1", "") };
        assert_eq!(source.sees(20, values([bad])), NOTHING);
        assert_eq!(source.sees(30, x(29.0)), NOTHING, "{condition:?}");
    }
}

#[test]
fn a_return_that_takes_several_steps_puts_off_what_waits_once() {
    let bits = (1..=75).map(|bit| {
        let condition = Condition::NotIn { name: format!("bit {bit}"), normal: vec!["0".into()] };
        rule(&format!("state:{bit}"), condition, 0)
    });
    let stuck = rule("stuck", Condition::Stuck { name: "x".into(), after: MINUTE }, 0);
    let mut source = Watched::by(bits.chain([too_hot(60), stuck]));
    let mut first = vec![degrees(35.0), observed("x", Datum::Number(1.0), "1", "")];
    source.sees(1, values(first.clone()));
    source.sees(11, parent_lost());
    first.extend((1..=75).map(|bit| observed(&format!("bit {bit}"), Datum::Number(1.0), "", "")));
    let evidence = Evidence::new("back", device(), seconds(111), values(first));
    let mut steps = 0;
    loop {
        let step = step(&source.state, &source.set(), &evidence, seconds(111));
        (source.state, steps) = (step.state, steps + 1);
        if step.is_whole {
            break;
        }
    }
    assert!(steps > 2);
    assert_eq!(source.state.timer(), Some(seconds(161)));
    let of_x = |at| (at, values([observed("x", Datum::Number(1.0), "1", "")]));
    for (told, (at, fact)) in [(vec![], of_x(160)), (vec!["+threshold:temperature", "+stuck"], of_x(162))] {
        assert_eq!(source.sees(at, fact), told, "{at}");
    }
}

#[test]
fn a_source_that_was_unknown_before_that_was_dated_is_so_since_it_was_said() {
    let mut source = Watched::by([too_hot(60)]);
    source.sees(1, hot(35.0));
    source.sees(11, parent_lost());
    let mut stored = serde_json::to_value(&source.state).unwrap();
    stored.as_object_mut().unwrap().remove("unknown_since").unwrap();
    source.state = serde_json::from_value(stored).unwrap();
    source.sees(111, Fact::LinkSeen);
    assert_eq!(source.timer, Some(seconds(161)));
}

/// Rules that time alone can raise or end.
fn timed() -> Vec<Rule> {
    let rules = vec![
        rule("now", above(30.0), 0),
        rule("slow", above(30.0), 20),
        rule("levels", levels(), 10),
        rule("stuck", Condition::Stuck { name: "x".into(), after: Duration::from_secs(25) }, 0),
        rule("mean", window(Figure::Mean, 30.0), 0),
        rule("max", window(Figure::Max, 34.0), 15),
    ];
    let never = Flapping { more_than: 0, ..Flapping::default() };
    rules.into_iter().map(|rule| Rule { flapping: Some(never), ..rule }).collect()
}

/// What a life in which each reading comes so many seconds after the one before brings, with the seconds that it came at. After
/// `known` readings nothing is known for `unknown` seconds.
fn lives(readings: &[(i64, f64)], known: usize, unknown: i64) -> Vec<(String, i64)> {
    let mut source = Watched::by(timed());
    let (mut now, mut put_off, mut told) = (100_i64, 0, Vec::new());
    let mut hears = |source: &mut Watched, at: i64, put_off: i64, fact: Fact| {
        let changes = source.changes(at, fact);
        told.extend(changes.iter().map(|change| (shown(change), change.at.0 / 1000 - put_off)));
        changes.len()
    };
    for (number, (after, value)) in readings.iter().enumerate() {
        if number == known && unknown > 0 {
            while let Some(due) = source.timer.filter(|due| *due <= seconds(now + 1)) {
                hears(&mut source, due.0 / 1000, 0, Fact::Tick);
            }
            hears(&mut source, now + 1, 0, parent_lost());
            assert_eq!(source.timer, None);
            assert_eq!(hears(&mut source, now + unknown / 2 + 1, 0, Fact::Tick), 0);
            put_off = unknown;
            assert_eq!(hears(&mut source, now + 1 + unknown, 0, Fact::LinkSeen), 0);
        }
        now += after;
        while let Some(due) = source.timer.filter(|due| *due < seconds(now + put_off)) {
            hears(&mut source, due.0 / 1000, put_off, Fact::Tick);
        }
        hears(&mut source, now + put_off, put_off, x(*value));
    }
    told
}

proptest! {
    #[test]
    fn a_life_goes_on_after_the_unknown_as_if_that_had_not_been(
        readings in prop::collection::vec((2_i64..12, prop::sample::select(vec![20.0, 29.0, 31.0, 35.0])), 2..40),
        known in any::<prop::sample::Index>(),
        unknown in 2_i64..500,
    ) {
        let known = 1 + known.index(readings.len() - 1);
        prop_assert_eq!(lives(&readings, known, unknown), lives(&readings, known, 0));
    }

    #[test]
    fn nothing_is_missed_before_its_time_has_passed_since_the_return(
        after in 10_u64..100,
        lost in 1_i64..200,
        unknown in 1_i64..500,
        delay in 0_u64..30,
    ) {
        let mut source = Watched::by([rule("r", Condition::NoData { after: Duration::from_secs(after) }, delay)]);
        source.sees(100, x(1.0));
        let wait = i64::try_from(after + delay).unwrap();
        if lost > wait {
            return Ok(());
        }
        source.is_unknown(100 + lost, 100 + lost + unknown);
        let mut raised = None;
        while let Some(due) = source.timer {
            raised = raised.or(source.changes(due.0 / 1000, Fact::Tick).first().map(|change| change.at));
        }
        prop_assert_eq!(raised, Some(seconds(100 + lost + unknown + wait)));
    }
}
