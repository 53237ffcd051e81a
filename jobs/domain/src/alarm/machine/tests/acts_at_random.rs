//! What holds for every sequence of evidence and acts, whatever is latched, on the shelf, out of service or flaps.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const OFF_DELAY: Duration = Duration::from_secs(5);
const RULES: [&str; 3] = ["threshold:temperature", "state:run", "timeout"];

#[derive(Debug, Clone)]
enum Event {
    Seen(Fact),
    Late(f64),
    /// Somebody does something about the alarm of a rule, which it may have or not.
    Acted(usize, Doing),
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    Acknowledge(Option<i64>),
    Reset,
    Shelve(i64, bool),
    Unshelve,
    TakeOut(bool, Option<i64>),
    PutBack(bool),
}

fn set() -> RuleSet {
    let (within, calm) = (Duration::from_mins(1), Duration::from_secs(30));
    let flapping = Some(Flapping { more_than: 2, within, calm });
    let latched = Rule { latched: true, acknowledged_for: Duration::from_secs(20), ..running() };
    [Rule { flapping, ..too_hot(0) }, latched, Rule { off_delay: OFF_DELAY, ..silent(10) }].into_iter().collect()
}

fn event() -> impl Strategy<Value = Event> {
    let later = || prop::option::of(1_i64..60);
    let doing = prop_oneof![
        later().prop_map(Doing::Acknowledge),
        Just(Doing::Reset),
        (1_i64..60, any::<bool>()).prop_map(|(time, once)| Doing::Shelve(time, once)),
        Just(Doing::Unshelve),
        (any::<bool>(), later()).prop_map(|(whole, time)| Doing::TakeOut(whole, time)),
        any::<bool>().prop_map(Doing::PutBack),
    ];
    prop_oneof![
        5 => prop_oneof![Just(35.0), Just(20.0), Just(29.5)].prop_map(|celsius| Event::Seen(hot(celsius))),
        3 => (0..3_u8).prop_map(|state| Event::Seen(run(f64::from(state), ""))),
        1 => Just(Event::Seen(values([degrees(f64::NAN)]))),
        2 => (9_u32..13).prop_map(|count| Event::Seen(Fact::Missed { count })),
        1 => Just(Event::Seen(parent_lost())),
        1 => Just(Event::Seen(Fact::LinkSeen)),
        2 => Just(Event::Seen(Fact::Tick)),
        1 => (30.0..40.0).prop_map(Event::Late),
        5 => ((0..RULES.len()), doing).prop_map(|(rule, doing)| Event::Acted(rule, doing)),
    ]
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    prop::collection::vec((1_i64..15, event()), 0..80)
}

/// A source that lives through it; ticks come when they are due, or only with what happens.
struct Lived {
    state: SourceState,
    changes: Vec<Change>,
    facts: Vec<(Timestamp, Fact)>,
}

fn live(events: &[(i64, Event)], ticks_in_time: bool) -> Lived {
    let mut lived = Lived { state: SourceState::default(), changes: Vec::new(), facts: Vec::new() };
    let mut second = 100;
    for (index, (passed, event)) in events.iter().enumerate() {
        second += passed;
        while let Some(due) = lived.state.timer().filter(|due| ticks_in_time && *due < seconds(second)) {
            lived.hears(&Evidence::new("tick", device(), due, Fact::Tick), due);
        }
        let at = seconds(second);
        let evidence = match event {
            Event::Seen(fact) => {
                lived.facts.push((at, fact.clone()));
                Evidence::new(format!("e{index}"), device(), at, fact.clone())
            }
            Event::Late(celsius) => {
                let evidence = Evidence::new(format!("e{index}"), device(), seconds(second - 40), hot(*celsius));
                Evidence { late: true, ..evidence }
            }
            Event::Acted(rule, doing) => {
                let deed = lived.deed(RULES[*rule], *doing, second);
                let act = Act { by: "ann".into(), why: None, deed };
                Evidence::new(format!("e{index}"), device(), at, Fact::Acted { act })
            }
        };
        lived.hears(&evidence, at);
    }
    lived
}

impl Lived {
    fn hears(&mut self, evidence: &Evidence, now: Timestamp) {
        let once = step(&self.state, &set(), evidence, now);
        assert!(once.is_whole);
        assert_eq!(once.timer, once.state.timer());
        let twice = step(&once.state, &set(), evidence, now);
        assert_eq!((&twice.state, twice.changes), (&once.state, vec![]), "the same twice changes nothing");
        self.state = once.state;
        self.changes.extend(once.changes);
    }

    fn deed(&self, rule: &str, doing: Doing, second: i64) -> Deed {
        let active = self.state.conditions.get(rule).and_then(|condition| condition.active());
        let alarm = active.map_or_else(String::new, |active| active.alarm.clone());
        let after = |time: i64| seconds(second + time);
        let named = |whole: bool| (!whole).then(|| rule.to_owned());
        match doing {
            Doing::Acknowledge(time) => Deed::Acknowledge { alarm, until: time.map(after), void_up_to: None },
            Doing::Reset => Deed::Reset { alarm },
            Doing::Shelve(time, once) => Deed::Shelve { rule: rule.into(), until: Some(after(time)), once },
            Doing::Unshelve => Deed::Unshelve { rule: rule.into() },
            Doing::TakeOut(whole, time) => Deed::TakeOut { rule: named(whole), until: time.map(after) },
            Doing::PutBack(whole) => Deed::PutBack { rule: named(whole) },
        }
    }

    /// Lets everything that holds for some time only end, brings a lost parent back, and puts all back into service.
    fn in_peace(mut self) -> Self {
        self.hears(&Evidence::new("back", device(), seconds(9999), Fact::LinkSeen), seconds(9999));
        let deeds = [None, Some(RULES[0]), Some(RULES[1]), Some(RULES[2])];
        for (number, rule) in deeds.into_iter().enumerate() {
            let at = seconds(10_000 + i64::try_from(number).unwrap());
            let act = Act { by: "ann".into(), why: None, deed: Deed::PutBack { rule: rule.map(str::to_owned) } };
            self.hears(&Evidence::new(format!("p{number}"), device(), at, Fact::Acted { act }), at);
        }
        self.hears(&Evidence::new("tick", device(), seconds(20_000), Fact::Tick), seconds(20_000));
        self
    }
}

/// Whether a fact is good evidence that a rule's condition is over.
fn shows_normal(rule: &str, fact: &Fact) -> bool {
    let Fact::Values { values } = fact else { return false };
    let number = |name: &str| {
        values.iter().filter(|value| value.name == name).find_map(|value| match value.value {
            Datum::Number(number) => Some(number),
            _ => None,
        })
    };
    match rule {
        "threshold:temperature" => number("temperature").is_some_and(|celsius| celsius <= 29.0),
        "state:run" => number("run").is_some_and(|run| run > 0.0),
        _ => true,
    }
}

proptest! {
    #[test]
    fn every_raise_has_one_end_or_stands_and_ends_on_good_evidence_alone(events in events()) {
        let lived = live(&events, true);
        let mut standing: BTreeMap<String, (String, bool)> = BTreeMap::new();
        for change in &lived.changes {
            prop_assert!(change.since <= change.at, "{change:?}");
            // What must be normal for some time was seen to be so at the beginning of that.
            let over = change.lasted().map_or(change.at, |lasted| change.since.plus(lasted));
            let off_delay = if change.rule == "timeout" { OFF_DELAY } else { Duration::ZERO };
            let shown = lived.facts.iter().filter(|(at, _)| *at == over && change.at.since(over) >= off_delay);
            let is_shown = shown.clone().any(|(_, fact)| shows_normal(&change.rule, fact));
            match change.kind {
                ChangeKind::Raised => {
                    prop_assert!(standing.insert(change.rule.clone(), (change.alarm.clone(), true)).is_none());
                }
                ChangeKind::Latched => {
                    prop_assert!(is_shown && change.lasted_ms.is_some());
                    prop_assert_eq!(standing.insert(change.rule.clone(), (change.alarm.clone(), false)), Some((change.alarm.clone(), true)));
                }
                ChangeKind::Recurred => {
                    prop_assert_eq!(standing.insert(change.rule.clone(), (change.alarm.clone(), true)), Some((change.alarm.clone(), false)));
                }
                ChangeKind::Cleared => {
                    let (alarm, holds) = standing.remove(&change.rule).unwrap();
                    prop_assert_eq!(&alarm, &change.alarm);
                    prop_assert!(change.lasted_ms.is_some());
                    if change.by.is_some() {
                        prop_assert!(!holds, "what holds was reset");
                    } else {
                        prop_assert!(is_shown, "ended by nothing good: {change:?}");
                    }
                }
                ChangeKind::Acknowledged | ChangeKind::Shelved | ChangeKind::OutOfService => {
                    prop_assert_eq!(change.by.as_deref(), Some("ann"));
                    prop_assert_eq!(change.untold, Some(Untold::Record));
                }
                _ => {}
            }
        }
        let active = lived.state.conditions.iter().filter_map(|(rule, condition)| Some((rule, condition.active()?)));
        let active: BTreeMap<_, _> = active.map(|(rule, active)| (rule.clone(), (active.alarm.clone(), active.holds()))).collect();
        prop_assert_eq!(active, standing);
    }

    #[test]
    fn what_stands_when_nothing_speaks_against_it_any_more_was_told_and_what_is_over_was_told_as_that(events in events()) {
        let lived = live(&events, true).in_peace();
        let mut known: BTreeMap<String, Option<(String, Severity)>> = BTreeMap::new();
        let mut stands: BTreeMap<String, bool> = BTreeMap::new();
        for change in &lived.changes {
            match change.kind {
                ChangeKind::Raised => { stands.insert(change.rule.clone(), true); }
                ChangeKind::Cleared => { stands.insert(change.rule.clone(), false); }
                _ => {}
            }
            if change.is_told() && !change.alarm.is_empty() {
                let knows = stands[&change.rule].then(|| (change.alarm.clone(), change.severity));
                if change.kind == ChangeKind::Cleared {
                    prop_assert!(known.get(&change.rule).is_some_and(Option::is_some), "an end was told of what nobody knew: {change:?}");
                }
                known.insert(change.rule.clone(), knows);
            }
        }
        for rule in RULES {
            let active = lived.state.conditions.get(rule).and_then(|condition| condition.active());
            let active = active.map(|active| (active.alarm.clone(), active.severity));
            prop_assert_eq!(known.get(rule).cloned().flatten(), active, "{}", rule);
        }
        prop_assert!(lived.state.timer().is_none(), "{:?}", lived.state.timer());
    }

    #[test]
    fn it_does_not_matter_for_what_holds_some_time_whether_ticks_came_in_time(events in events()) {
        // A pending alarm of silence is dropped by what explains it: that may come before a tick that is late.
        let events: Vec<_> = events.into_iter().filter(|(_, event)| !matches!(event, Event::Seen(Fact::Missed { .. }))).collect();
        let (ticked, missed) = (live(&events, true), live(&events, false));
        prop_assert_eq!(ticked.state.conditions.keys().collect::<Vec<_>>(), missed.state.conditions.keys().collect::<Vec<_>>());
        let (ticked, missed) = (ticked.in_peace(), missed.in_peace());
        prop_assert_eq!(ticked.changes, missed.changes);
    }

    #[test]
    fn the_order_of_evidence_of_different_aspects_does_not_matter_for_what_stands(
        celsius in prop_oneof![Just(35.0), Just(20.0)],
        state in 0..3_u8,
        first in 1_i64..50,
        second in 1_i64..50,
    ) {
        prop_assume!(first != second);
        let value = |at: i64| Evidence::new(format!("v{at}"), device(), seconds(at), values([degrees(celsius), observed("run", Datum::Number(f64::from(state)), "", "")]));
        let link = |at: i64| Evidence::new(format!("l{at}"), device(), seconds(at), parent_lost());
        let told = |sequence: [Evidence; 2]| {
            let mut lived = Lived { state: SourceState::default(), changes: Vec::new(), facts: Vec::new() };
            for evidence in &sequence {
                lived.hears(evidence, seconds(60));
            }
            (lived.state, lived.changes)
        };
        prop_assert_eq!(told([value(first), link(second)]), told([link(second), value(first)]));
    }

    #[test]
    fn a_life_survives_being_stored(events in events()) {
        let lived = live(&events, true);
        let stored = serde_json::to_string(&lived.state).unwrap();
        prop_assert_eq!(serde_json::from_str::<SourceState>(&stored).unwrap(), lived.state);
        let changes = serde_json::to_string(&lived.changes).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<Change>>(&changes).unwrap(), lived.changes);
    }
}

#[test]
fn a_state_and_a_change_of_before_lives_were_remembered_are_read() {
    let active = r#"{"phase":"active","alarm":"01","since":1000,"severity":"warning"}"#;
    let pending = r#"{"phase":"pending","since":1,"due":2,"severity":"info","detail":"x"}"#;
    let text = format!(
        r#"{{"conditions":{{"a":{active},"b":{pending}}},"newest":{{"values":{{"id":"e","at":1}}}},"unknown":null}}"#
    );
    let state: SourceState = serde_json::from_str(&text).unwrap();
    assert_eq!(state.conditions["a"].active(), Some(&Active::new("01", seconds(1), Severity::Warning)));
    assert_eq!(state.timer(), Some(Timestamp(2)));
    let change = r#"{"alarm":"01","rule":"a","severity":"info","kind":"cleared","at":2,"since":1,"detail":"x"}"#;
    let change: Change = serde_json::from_str(change).unwrap();
    assert!(change.is_told() && change.lasted().is_none());
}
