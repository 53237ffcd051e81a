//! What holds for every sequence of evidence.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn rules() -> Vec<Rule> {
    vec![
        too_hot(0),
        rule("slow", too_hot(0).condition, 30),
        running(),
        silent(0),
        rule("still", silent(0).condition, 30),
        offline(20),
    ]
}

fn set() -> RuleSet {
    rules().into_iter().collect()
}

fn fact() -> impl Strategy<Value = Fact> {
    let quality = prop_oneof![4 => Just(Quality::Good), 1 => Just(Quality::Uncertain), 1 => Just(Quality::Bad)];
    let number = prop_oneof![6 => 0.0..40.0, 1 => Just(f64::NAN)];
    let temperature = (number, quality).prop_map(|(number, quality)| Observed { quality, ..degrees(number) });
    let state = (0..4_u8).prop_map(|state| observed("run", Datum::Number(f64::from(state)), "word", ""));
    prop_oneof![
        4 => temperature.prop_map(|value| values([value])),
        2 => state.prop_map(|value| values([value])),
        2 => (0_u32..20).prop_map(|count| Fact::Missed { count }),
        1 => Just(link_lost()),
        1 => Just(Fact::LinkSeen),
        1 => Just(parent_lost()),
        2 => Just(Fact::Tick),
    ]
}

/// Evidence in the order it arrives: mostly in the order of time, sometimes late.
fn sequence() -> impl Strategy<Value = Vec<Evidence>> {
    let arrivals = prop::collection::vec((fact(), 0_i64..20, prop_oneof![4 => Just(0_i64), 1 => 0_i64..30]), 0..60);
    arrivals.prop_map(|arrivals| {
        let mut clock = 100;
        let mut evidence = Vec::new();
        for (index, (fact, passed, late)) in arrivals.into_iter().enumerate() {
            clock += passed;
            evidence.push(Evidence::new(format!("e{index}"), device(), seconds(clock - late), fact));
        }
        evidence
    })
}

/// Tells the evidence, none before its time; ends with the state and every change.
fn tell(sequence: &[Evidence]) -> (SourceState, Vec<Change>) {
    let mut state = SourceState::default();
    let mut changes = Vec::new();
    let mut now = seconds(0);
    for evidence in sequence {
        now = now.max(evidence.at);
        let step = step(&state, &set(), evidence, now);
        assert_eq!(step.timer, step.state.timer());
        state = step.state;
        changes.extend(step.changes);
    }
    (state, changes)
}

proptest! {
    #[test]
    fn raised_and_cleared_take_turns_and_the_state_knows_which(sequence in sequence()) {
        let (state, changes) = tell(&sequence);
        let mut raised = BTreeMap::new();
        for change in changes {
            match change.kind {
                ChangeKind::Raised => prop_assert_eq!(raised.insert(change.rule, change.alarm), None),
                ChangeKind::SeverityChanged => prop_assert_eq!(raised.get(&change.rule), Some(&change.alarm)),
                ChangeKind::Cleared => prop_assert_eq!(raised.remove(&change.rule), Some(change.alarm)),
                ChangeKind::Flapping | ChangeKind::Calmed => {}
                // Of what came after what was newer.
                ChangeKind::Late => prop_assert_eq!(change.untold, Some(Untold::Record)),
                other => prop_assert!(false, "{other:?} of evidence alone"),
            }
        }
        let active = state.conditions.into_iter();
        let active = active.filter_map(|(rule, condition)| Some((rule, condition.active()?.alarm.clone())));
        prop_assert_eq!(active.collect::<BTreeMap<_, _>>(), raised);
    }

    #[test]
    fn the_same_evidence_twice_changes_nothing(sequence in sequence()) {
        let (mut state, mut now) = (SourceState::default(), seconds(0));
        for evidence in sequence {
            now = now.max(evidence.at);
            let once = step(&state, &set(), &evidence, now);
            let twice = step(&once.state, &set(), &evidence, now);
            prop_assert_eq!(&twice.state, &once.state);
            prop_assert_eq!(twice.changes, vec![]);
            state = once.state;
        }
    }

    #[test]
    fn duplicates_anywhere_later_make_no_difference(
        sequence in sequence(),
        copies in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..10), 0..20),
    ) {
        // Ticks are no evidence: a repeated one is another tick.
        let sequence: Vec<_> = sequence.into_iter().filter(|evidence| evidence.fact != Fact::Tick).collect();
        prop_assume!(!sequence.is_empty());
        let mut with_copies = sequence.clone();
        for (which, later) in copies {
            let which = which.index(with_copies.len());
            let copy = with_copies[which].clone();
            with_copies.insert((which + 1 + later).min(with_copies.len()), copy);
        }
        prop_assert_eq!(tell(&with_copies), tell(&sequence));
    }

    #[test]
    fn every_alarm_has_a_name_of_its_own(sequence in sequence()) {
        let (_, changes) = tell(&sequence);
        let raised: Vec<_> = changes.iter().filter(|change| change.kind == ChangeKind::Raised).collect();
        let names: std::collections::BTreeSet<_> = raised.iter().map(|change| &change.alarm).collect();
        prop_assert_eq!(names.len(), raised.len());
        for change in raised {
            prop_assert!(change.since <= change.at);
            prop_assert!(change.alarm.parse::<Ulid>().is_ok());
        }
    }

    #[test]
    fn a_state_survives_being_stored(sequence in sequence()) {
        let (state, _) = tell(&sequence);
        let stored = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<SourceState>(&stored).unwrap(), state);
    }

    #[test]
    fn it_does_not_matter_whether_ticks_come_in_time(facts in prop::collection::vec((link_fact(), 0_u8..60), 0..60)) {
        let rules: RuleSet = delayed().into_iter().collect();
        let mut at = 100;
        let in_order = facts.into_iter().enumerate().map(|(index, (fact, passed))| {
            at += i64::from(passed);
            Evidence::new(format!("e{index}"), device(), seconds(at), fact)
        });
        let (mut ticked, mut alone) = (SourceState::default(), SourceState::default());
        let (mut of_ticked, mut of_alone) = (Vec::new(), Vec::new());
        for evidence in in_order {
            while let Some(due) = ticked.timer().filter(|due| *due < evidence.at) {
                let tick = Evidence::new("tick", device(), due, Fact::Tick);
                let step = step(&ticked, &rules, &tick, due);
                prop_assert_ne!(step.state.timer(), Some(due));
                ticked = step.state;
                of_ticked.extend(step.changes);
            }
            for (state, changes) in [(&mut ticked, &mut of_ticked), (&mut alone, &mut of_alone)] {
                let step = step(state, &rules, &evidence, evidence.at);
                *state = step.state;
                changes.extend(step.changes);
            }
            prop_assert_eq!(&of_ticked, &of_alone);
        }
        prop_assert_eq!(ticked, alone);
    }
}

/// What says something by itself, in whichever order it comes.
fn link_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        6 => (0.0..60.0).prop_map(hot),
        2 => (0_u32..20).prop_map(|count| Fact::Missed { count }),
        1 => Just(link_lost()),
        1 => Just(Fact::LinkSeen),
    ]
}

/// Rules that wait for their beginning, their end, their next alarm, or until they are calm.
fn delayed() -> Vec<Rule> {
    let flapping = Some(Flapping { more_than: 2, within: Duration::from_mins(5), calm: Duration::from_secs(50) });
    let of = |id: &str, delay: u64| Rule { flapping, ..rule(id, too_hot(0).condition, delay) };
    let second = Duration::from_secs;
    let levels = [(50.0, Severity::Critical), (30.0, Severity::Warning)];
    let above = levels.map(|(limit, severity)| crate::alarm::Level { limit, severity, deadband: 0.0 }).to_vec();
    let levels = Condition::Levels { name: "temperature".into(), above, below: Vec::new() };
    vec![
        of("slow", 30),
        Rule { off_delay: second(25), ..of("slow to end", 10) },
        Rule { cooldown: second(120), ..of("seldom", 5) },
        Rule { latched: true, off_delay: second(5), ..of("latched", 15) },
        Rule { flapping, ..rule("levels", levels, 7) },
        Rule { flapping, ..silent(30) },
        Rule { flapping, ..offline(20) },
        Rule { flapping, ..rule("no data", Condition::NoData { after: second(40) }, 0) },
        rule("no data for long", Condition::NoData { after: second(25) }, 10),
    ]
}
