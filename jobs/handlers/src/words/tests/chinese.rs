//! Whatever the machine says is said in Chinese: by each kind of condition, of each kind of change, and of the platform. Each list is held
//! against its type, so that a new one cannot be left out.

use std::collections::BTreeSet;

use domain::{
    alarm::{
        Act, Comparison, Condition, Deed, Evidence, Fact, Figure, Flapping, Level, Observed, Rule, RuleSet,
        SourceState, step,
    },
    reading::{Datum, Quality},
};

use super::*;

/// What may stand in a Chinese text in Latin letters: names that people and devices gave, units, and what is called so in Chinese too.
const NAMES: [&str; 13] = [
    "temperature",
    "TH",
    "device",
    "node",
    "platform",
    "broker",
    "queue",
    "ann",
    "UTC",
    "KiB",
    "Redis",
    "NTP",
    "Webhook",
];

/// The words of Latin letters that are none of these.
fn foreign(text: &str) -> Vec<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    words.filter(|word| !NAMES.contains(word)).collect()
}

/// That a change is told in Chinese: by letter, by text, and by a template of somebody else's.
fn is_chinese(source: &Source, change: &Change) {
    let reader = reader(Language::Zh, "UTC");
    let facts = Facts::of_source(source.clone(), "冷库 / 1 TH-10".to_owned(), vec![change.clone()]);
    let Words { subject, text, sms, .. } = compose(&facts, &reader, &Enclosed::default());
    // The source's own name is that of the store.
    let text = text.replace(&source.to_string(), "");
    for said in [subject, text, sms, seen_of(change, &reader)] {
        assert_eq!(foreign(&said), Vec::<&str>::new(), "{change:?}: {said}");
    }
}

struct Machine {
    rules: RuleSet,
    state: SourceState,
    at: Timestamp,
    said: Vec<Change>,
}

impl Machine {
    fn of(rule: Rule) -> Self {
        Self { rules: RuleSet::from_iter([rule]), state: SourceState::default(), at: NINE, said: Vec::new() }
    }

    fn hears(&mut self, seconds: u64, fact: Fact) {
        self.at = self.at.plus(Duration::from_secs(seconds));
        let evidence = Evidence::new(self.at.sortable(), sensor(), self.at, fact);
        let stepped = step(&self.state, &self.rules, &evidence, self.at);
        self.state = stepped.state;
        self.said.extend(stepped.changes);
    }

    fn says(&mut self, seconds: u64, celsius: f64) {
        self.hears(seconds, value(Datum::Number(celsius)));
    }

    fn does(&mut self, deed: Deed) {
        self.hears(1, Fact::Acted { act: Act { by: "ann".to_owned(), why: None, deed } });
    }

    fn alarm(&self) -> String {
        self.said.last().unwrap().alarm.clone()
    }

    fn half_a_minute_on(&self) -> Timestamp {
        self.at.plus(Duration::from_secs(30))
    }
}

fn value(value: Datum) -> Fact {
    let (display, unit) = (value.text(), "℃".to_owned());
    let observed = Observed { name: "temperature".to_owned(), value, display, unit, quality: Quality::Good };
    Fact::Values { values: vec![observed] }
}

fn above(limit: f64) -> Condition {
    Condition::Compare { name: "temperature".to_owned(), is: Comparison::Greater, to: limit, deadband: 0.0 }
}

/// One of each kind, all of which hold of 40 where they are about a value.
fn each_condition() -> Vec<Condition> {
    let (name, minute) = (|| "temperature".to_owned(), Duration::from_mins(1));
    let level = |limit, severity| Level { limit, severity, deadband: 0.0 };
    vec![
        Condition::All { of: vec![above(30.0), above(31.0)] },
        Condition::Any { of: vec![above(30.0), Condition::Lost, Condition::NoData { after: minute }] },
        Condition::Not { of: Box::new(Condition::Outside { name: name(), min: Some(30.0), max: None, deadband: 0.0 }) },
        above(30.0),
        Condition::Outside { name: name(), min: Some(10.0), max: Some(30.0), deadband: 0.0 },
        Condition::Between { name: name(), min: 31.0, max: 50.0 },
        Condition::Levels {
            name: name(),
            above: vec![level(30.0, Severity::Warning), level(35.0, Severity::Critical)],
            below: Vec::new(),
        },
        Condition::In { name: name(), states: vec!["40".to_owned(), "41".to_owned()] },
        Condition::NotIn { name: name(), normal: vec!["20".to_owned()] },
        Condition::Bit { name: name(), bit: 3, normal: false },
        Condition::Rate { name: name(), rising: Some(5.0), falling: None, per: minute },
        Condition::Count { of: Box::new(above(30.0)), at_least: 1, within: minute },
        Condition::Window { name: name(), figure: Figure::Max, within: minute, is: Comparison::Greater, to: 30.0 },
        Condition::Stuck { name: name(), after: minute },
        Condition::NoData { after: minute },
        Condition::Missed { more_than: 3 },
        Condition::Lost,
        Condition::Away,
    ]
}

/// The place of a condition's kind in the list: one that is new has none, and this does not compile.
fn place(condition: &Condition) -> usize {
    match condition {
        Condition::All { .. } => 0,
        Condition::Any { .. } => 1,
        Condition::Not { .. } => 2,
        Condition::Compare { .. } => 3,
        Condition::Outside { .. } => 4,
        Condition::Between { .. } => 5,
        Condition::Levels { .. } => 6,
        Condition::In { .. } => 7,
        Condition::NotIn { .. } => 8,
        Condition::Bit { .. } => 9,
        Condition::Rate { .. } => 10,
        Condition::Count { .. } => 11,
        Condition::Window { .. } => 12,
        Condition::Stuck { .. } => 13,
        Condition::NoData { .. } => 14,
        Condition::Missed { .. } => 15,
        Condition::Lost => 16,
        Condition::Away => 17,
    }
}

const LOST: [&str; 4] = [
    "its connection to us is gone",
    "it did not come back with its node",
    "it left its node",
    "its node reboots it, since nothing on its line answers",
];
const AWAY: [(&str, &str); 5] = [
    (
        "the queue is away since 2026-11-23T09:01:06.000Z: it does not answer within 5s; 45 batches of results wait in the spool, 23 of 262144 KiB",
        "the queue is back, and nothing waits for it any more, after 2 min 5 s",
    ),
    (
        "the store is away since 2026-11-23T09:01:06.000Z: it does not answer within 5s",
        "the broker is no more; another one reaches the store",
    ),
    (
        "the spool is nearly full since 2026-11-23T09:01:06.000Z: 45 batches of results wait in the spool, 23 of 25 KiB; what gateways say is refused once it is full",
        "the spool has room again after 5 s",
    ),
    (
        "the clock is wrong since 2026-11-23T09:01:06.000Z: the clock here is 5.1 s ahead of that of redis: see which of both is wrong, and set it (NTP)",
        "the clock is right again after 5 min 0 s",
    ),
    ("sms takes no letters since 2026-11-23T09:01:06.000Z: 530", "sms takes letters again after 6 min"),
];

#[test]
fn every_kind_of_condition_is_told_in_chinese_and_so_is_its_end() {
    for (number, condition) in each_condition().into_iter().enumerate() {
        assert_eq!(place(&condition), number, "{condition:?}");
        for turn in 0..AWAY.len() {
            let mut machine = Machine::of(Rule::new("r", condition.clone(), Severity::Warning));
            machine.says(0, 20.0);
            for celsius in [40.0, 40.0, 40.0, 20.0] {
                machine.says(60, celsius);
            }
            machine.hears(300, Fact::Tick);
            machine.hears(1, Fact::Missed { count: 4 });
            let cause = LOST[turn % LOST.len()].to_owned();
            machine.hears(1, Fact::LinkLost { cause, grace: Duration::ZERO });
            machine.hears(1, Fact::LinkSeen);
            machine.says(60, 21.0);
            let (why, how) = AWAY[turn];
            machine.hears(1, Fact::Away { why: why.to_owned() });
            machine.hears(1, Fact::Back { how: how.to_owned() });
            let kinds: BTreeSet<&str> = machine.said.iter().map(|change| kind(change.kind)).collect();
            assert!(kinds.contains("raised") && kinds.contains("cleared"), "{condition:?} says {:?}", machine.said);
            machine.said.iter().for_each(|change| is_chinese(&sensor(), change));
        }
    }
}

/// The name of a kind of change: one that is new has none, and this does not compile.
fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Raised => "raised",
        ChangeKind::SeverityChanged => "severity_changed",
        ChangeKind::Cleared => "cleared",
        ChangeKind::Latched => "latched",
        ChangeKind::Recurred => "recurred",
        ChangeKind::Acknowledged => "acknowledged",
        ChangeKind::AcknowledgementExpired => "acknowledgement_expired",
        ChangeKind::Shelved => "shelved",
        ChangeKind::Unshelved => "unshelved",
        ChangeKind::OutOfService => "out_of_service",
        ChangeKind::InService => "in_service",
        ChangeKind::Flapping => "flapping",
        ChangeKind::Calmed => "calmed",
        ChangeKind::Late => "late",
    }
}

const KINDS: usize = 14;

/// What becomes of a latched alarm, and of one that comes and goes.
fn lives() -> Vec<Change> {
    let levels = each_condition().swap_remove(6);
    let flapping = Flapping { more_than: 2, within: Duration::from_hours(1), calm: Duration::from_mins(2) };
    let rule = Rule { flapping: Some(flapping), ..Rule::new("r", levels, Severity::Warning) };
    let (mut machine, service) = (Machine::of(rule.clone()), || Some("r".to_owned()));
    machine.says(0, 32.0);
    machine.says(1, 40.0);
    machine.does(Deed::Acknowledge {
        alarm: machine.alarm(),
        until: Some(machine.half_a_minute_on()),
        void_up_to: None,
    });
    machine.hears(60, Fact::Tick);
    for once in [true, false] {
        machine.does(Deed::Shelve { rule: rule.id.clone(), until: Some(machine.half_a_minute_on()), once });
        machine.hears(60, Fact::Tick);
    }
    machine.does(Deed::TakeOut { rule: service(), until: Some(machine.half_a_minute_on()) });
    machine.hears(60, Fact::Tick);
    machine.does(Deed::TakeOut { rule: None, until: None });
    machine.does(Deed::PutBack { rule: None });
    machine.hears(1, Fact::Tick);
    for celsius in [20.0, 40.0, 20.0, 40.0, 20.0, 40.0] {
        machine.says(1, celsius);
    }
    machine.hears(600, Fact::Tick);
    machine.says(1, 20.0);
    let before = NINE.minus(Duration::from_mins(5));
    let late = Evidence { late: true, ..Evidence::new("late", sensor(), before, value(Datum::Number(40.0))) };
    machine.state = step(&machine.state, &machine.rules, &late, machine.at).state;
    machine.says(1, 20.0);
    machine.says(3600, 40.0);
    machine.rules = RuleSet::default();
    machine.says(1, 40.0);
    let mut latched = Machine::of(Rule { latched: true, flapping: None, ..rule });
    for celsius in [40.0, 20.0, 40.0, 20.0] {
        latched.says(1, celsius);
    }
    latched.does(Deed::Acknowledge { alarm: latched.alarm(), until: None, void_up_to: None });
    latched.does(Deed::Reset { alarm: latched.alarm() });
    [machine.said, latched.said].concat()
}

#[test]
fn every_kind_of_change_is_told_in_chinese() {
    let lives = lives();
    let kinds: BTreeSet<&str> = lives.iter().map(|change| kind(change.kind)).collect();
    assert_eq!(kinds.len(), KINDS, "{kinds:?}");
    let platform = Source::Platform(Need { part: "broker:8081".to_owned(), needs: "queue".to_owned() });
    for change in &lives {
        is_chinese(&sensor(), change);
        is_chinese(&platform, change);
    }
}
