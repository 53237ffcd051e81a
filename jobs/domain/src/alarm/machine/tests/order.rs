//! Evidence that comes again, late, or in another order than it was seen in.

use super::*;

#[test]
fn late_or_repeated_evidence_changes_nothing() {
    let mut source = Watched::by([too_hot(0), silent(60)]);
    source.sees(19, Fact::Missed { count: 11 });
    source.sees(20, hot(20.0));
    source.sees(21, Fact::Missed { count: 11 });
    let before = source.state.clone();
    for (id, second, fact) in [
        ("late", 15, hot(20.0)),
        ("other", 20, hot(20.0)),
        ("evidence 20", 30, hot(99.0)),
        ("late", 20, Fact::Missed { count: 30 }),
    ] {
        let evidence = Evidence::new(id, device(), seconds(second), fact);
        let step = step(&before, &source.set(), &evidence, seconds(40));
        assert_eq!((&step.state, step.changes, step.timer), (&before, vec![], Some(seconds(81))), "{id}");
    }
}

#[test]
fn a_tick_is_not_evidence() {
    let mut source = Watched::by([too_hot(0)]);
    assert_eq!(source.sees(100, Fact::Tick), NOTHING);
    assert_eq!(source.state, SourceState::default());
    assert_eq!(source.sees(50, hot(99.0)), ["+threshold:temperature"]);
}

#[test]
fn an_alarm_is_named_by_what_began_it() {
    let raised = |rule: Rule, second| Watched::by([rule]).changes(second, hot(99.0)).remove(0).alarm;
    let id = raised(too_hot(0), 1_795_424_466);
    assert_eq!(id, raised(too_hot(0), 1_795_424_466), "the same evidence makes the same alarm");
    assert_ne!(id, raised(too_hot(0), 1_795_424_467));
    assert_ne!(id, raised(Rule { id: "other".into(), ..too_hot(0) }, 1_795_424_466));
    let ulid: Ulid = id.parse().unwrap();
    assert_eq!(ulid.timestamp_ms(), 1_795_424_466_000);
    let mut delayed = Watched::by([too_hot(60)]);
    delayed.sees(1_795_424_466, hot(99.0));
    assert_eq!(delayed.changes(1_795_424_600, Fact::Tick)[0].alarm, id, "whenever it is raised");
}

#[test]
fn a_last_value_counts_although_the_loss_after_it_was_seen_first() {
    let mut source = Watched::by([too_hot(0), silent(0)]);
    assert_eq!(source.sees(11, parent_lost()), NOTHING);
    assert_eq!(source.sees(10, hot(35.0)), ["+threshold:temperature"]);
    assert_eq!(source.state.unknown, Some(terminal()), "it is lost all the same");
    assert_eq!(source.sees(12, Fact::Missed { count: 20 }), NOTHING);
    assert_eq!(source.sees(9, hot(20.0)), NOTHING, "an older value is late");
    assert_eq!(source.sees(13, hot(20.0)), ["-threshold:temperature"]);
    assert_eq!(source.state.unknown, None);
}

#[test]
fn a_value_from_before_a_silence_does_not_end_it() {
    let mut source = Watched::by([too_hot(0), silent(0)]);
    assert_eq!(source.sees(20, Fact::Missed { count: 11 }), ["+timeout"]);
    assert_eq!(source.sees(19, hot(20.0)), NOTHING);
    assert_eq!(source.sees(21, hot(20.0)), ["-timeout"]);
}
