//! A play: lines of text, and the clock that they are played by.
//!
//! ```text
//! 0s         sensor 1 hot
//! 0s..1s     tech hears Alarm: Cold store / 1 TH-10
//! 0s..1s     boss hears by text: Alarm: Cold store / 1 TH-10
//! ```

mod behind;
mod choices;
mod edits;
mod rules;

use std::{sync::Arc, time::Duration};

use domain::{
    Mac, Timestamp,
    alarm::{Act, Deed},
};
use jobs::{
    NoticeSettings, bound,
    ports::Address,
    report::{Answer, Event},
};
use records::{
    Clock, Table,
    alarms::{self, Which},
    held,
    routing::{self, Policy, StoredRota, Written},
    sites, terminals,
    users::{self, Role},
};
use serde_json::{Value, json};
use table::MemoryTable;
use telltale_tests::{
    ManualClock,
    flow::{Flow, mac},
};

/// How long it takes until what was set up is in force.
const IN_FORCE: Duration = Duration::from_secs(30);

/// For how long somebody has an alarm on.
const ACKNOWLEDGED_FOR: Duration = Duration::from_hours(24);

/// What is to come, by a clock whose step is a second, or as long as the play says.
pub(super) struct Play {
    pub(super) flow: Flow,
    start: Timestamp,
    step: Duration,
}

/// A mail that somebody is to get.
#[derive(Debug)]
struct Expected {
    from: Duration,
    until: Duration,
    person: String,
    subject: String,
}

impl Play {
    /// Four climate sensors in a cold store, one technician who sees them. A temperature above 30 is critical, one below 5 is good
    /// to know, humidity above 70 is a warning.
    pub(super) async fn new() -> Self {
        Self::at("2026-06-01T12:00:00Z", Duration::from_secs(1)).await
    }

    /// The same from this instant on, looked at once in a step.
    pub(super) async fn at(start: &str, step: Duration) -> Self {
        Self::with(start, step, |_| {}).await
    }

    async fn with(start: &str, step: Duration, choose: impl FnOnce(&mut NoticeSettings)) -> Self {
        Self::on(start, step, choose, |table| table).await
    }

    async fn on(
        start: &str,
        step: Duration,
        choose: impl FnOnce(&mut NoticeSettings),
        seen: impl FnOnce(Arc<dyn Table>) -> Arc<dyn Table>,
    ) -> Self {
        let start = Timestamp(start.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let clock = Arc::new(ManualClock::at(start.minus(IN_FORCE)));
        let table = seen(Arc::new(MemoryTable::new(Arc::clone(&clock) as Arc<dyn Clock>)));
        // What an operator gets who sets nothing.
        let mut notices = NoticeSettings::default();
        choose(&mut notices);
        let flow = Flow::on(table, clock, |settings| settings.notices = notices).await;
        let play = Self { flow, start, step };
        play.furnish().await;
        play
    }

    /// With a policy that tells Dave at once, and the boss when nobody has acknowledged for so long.
    pub(super) async fn of_dave_and_the_boss(after: Duration) -> Self {
        let play = Self::new().await;
        play.hire(&["dave", "boss"]).await;
        let after_ms = u64::try_from(after.as_millis()).unwrap();
        let steps = json!([{ "after_ms": 0, "users": ["dave"] }, { "after_ms": after_ms, "users": ["boss"] }]);
        play.policy(json!({ "steps": steps })).await;
        play
    }

    /// People who see nothing, and get mail.
    pub(super) async fn hire(&self, people: &[&str]) {
        for person in people {
            self.flow.hire(person, Role::User).await;
        }
    }

    /// A routing policy; what is not said of it is usual.
    pub(super) async fn policy(&self, told: Value) {
        let mut policy =
            json!({ "name": "p", "scope": { "kind": "everywhere" }, "enabled": true, "least": "info", "steps": [] });
        policy.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let written: Written<Policy> = self.written("policy", policy);
        assert!(routing::put(self.flow.cx.table.as_ref(), &written).await.unwrap());
    }

    /// The terminal is at a site, and so is another one of the same node with the same sensors, which the technician sees too.
    pub(super) async fn site_of_two(&self, site: &str) {
        let table = self.flow.cx.table.as_ref();
        let known = terminals::get(table, &mac()).await.unwrap().unwrap();
        let far = terminals::Terminal { mac: far(), name: "Far store".to_owned(), ..known };
        terminals::put(table, &far).await.unwrap();
        users::bind(table, "tech", &far.mac).await.unwrap();
        for mac in [mac(), far.mac] {
            sites::put(table, &mac, Some(site)).await.unwrap();
        }
    }

    /// A rota of this name.
    pub(super) async fn rota(&self, name: &str, rota: Value) {
        let written: Written<StoredRota> = self.written(name, json!({ "name": name, "rota": rota }));
        assert!(routing::put(self.flow.cx.table.as_ref(), &written).await.unwrap());
    }

    fn written<T: serde::de::DeserializeOwned>(&self, id: &str, value: Value) -> Written<T> {
        let value = serde_json::from_value(value).unwrap();
        Written { id: id.to_owned(), version: 1, changed_at: self.flow.now(), changed_by: "root".to_owned(), value }
    }

    /// Plays lines that expect nothing: the mails that came, each with its time and its receiver.
    pub(super) async fn mails(&self, lines: &str, quiet: &str) -> Vec<(Duration, String, String)> {
        let (events, _) = read(lines);
        let end = events.last().map_or(Duration::ZERO, |(at, _)| *at) + duration(quiet);
        self.play(events, end).await
    }

    /// Plays the lines, and goes on until nothing more is expected and as long again as `quiet`.
    pub(super) async fn runs(&self, lines: &str, quiet: &str) {
        let (events, expected) = read(lines);
        let ends = expected.iter().map(|expected| expected.until).chain(events.iter().map(|(at, _)| *at));
        let end = ends.max().unwrap_or_default() + duration(quiet);
        let told = self.play(events, end).await;
        compare(expected, &told);
    }

    /// Plays events until the end; the mails that came, each with its time.
    async fn play(&self, events: Vec<(Duration, Vec<&str>)>, end: Duration) -> Vec<(Duration, String, String)> {
        self.flow.sleeps(self.start.since(self.flow.now()));
        let (mut told, mut now, mut seen) = (Vec::new(), Duration::ZERO, self.flow.letters().len());
        let mut events = events.into_iter().peekable();
        loop {
            while let Some((_, what)) = events.next_if(|(at, _)| *at <= now) {
                self.happens(&what).await;
                self.flow.settle().await;
            }
            let letters = self.flow.letters();
            for letter in &letters[seen..] {
                match &letter.address {
                    Address::Email { to } => {
                        let person = to.split('@').next().unwrap_or_default().to_owned();
                        told.push((now, person, letter.subject.clone()));
                    }
                    Address::Sms { to } => {
                        let all = users::list(self.flow.cx.table.as_ref()).await.unwrap();
                        let person = all.into_iter().find(|user| user.phone.as_ref() == Some(to)).unwrap().user;
                        told.push((now, person, format!("by text: {}", letter.subject)));
                    }
                    _ => {}
                }
            }
            seen = letters.len();
            if now >= end {
                assert_eq!(self.flow.dead_letters().await, 0, "a job was given up");
                return told;
            }
            self.flow.sleeps(self.step.saturating_sub(Duration::from_secs(1)));
            self.flow.after(Duration::from_secs(1)).await;
            // Reports take a millisecond each: the clock goes on from where it should be.
            now += self.step;
            self.flow.sleeps(self.start.plus(now).since(self.flow.now()));
        }
    }

    async fn happens(&self, what: &[&str]) {
        let table = self.flow.cx.table.as_ref();
        match what {
            ["sensor", pid, how] => {
                self.flow.reports([self.says(pid, how)]).await;
            }
            ["far", "sensor", pid, how] => {
                let answer = match self.says(pid, how) {
                    Event::Answered(answer) => Event::Answered(Answer { mac: far(), ..answer }),
                    other => other,
                };
                self.flow.reports([answer]).await;
            }
            ["terminal", "lost"] => {
                self.flow.reports([Event::TerminalOff { mac: mac() }]).await;
            }
            ["terminal", "back"] => {
                self.flow.reports([Event::TerminalsOn { macs: vec![mac()] }]).await;
            }
            ["node", "lost"] => {
                self.flow.reports([Event::NodeLost]).await;
            }
            ["node", "back"] => {
                let back = [Event::NodeRegistered, Event::NodeReady, Event::TerminalsOn { macs: vec![mac()] }];
                self.flow.reports(back).await;
            }
            ["policy" | "rule" | "sensors" | "terminal", ..] => self.edits(what).await,
            [person, "acknowledges"] => self.acknowledge(person).await,
            [person, "shelves", "for", time] => {
                let until = Some(self.flow.now().plus(duration(time)));
                self.act(person, |rule| Deed::Shelve { rule, until, once: false }).await;
            }
            [person, "unshelves"] => self.act(person, |rule| Deed::Unshelve { rule }).await,
            [person, "takes", "out", "for", time] => {
                let until = Some(self.flow.now().plus(duration(time)));
                self.act(person, |_| Deed::TakeOut { rule: None, until }).await;
            }
            [person, "unbound"] => users::unbind(table, person, &mac()).await.unwrap(),
            // What stands is held for them, and they do not see it yet.
            [person, "half", "bound"] => {
                let user = users::get(table, person).await.unwrap().unwrap();
                bound::bind(table, &user, &mac(), self.flow.now()).await.unwrap();
                users::unbind(table, person, &mac()).await.unwrap();
            }
            [person, "sees"] => users::bind(table, person, &mac()).await.unwrap(),
            [person, "woken"] => held::wake_all(table, Some(*person), self.flow.now()).await.unwrap(),
            [person, "bound"] => {
                let user = users::get(table, person).await.unwrap().unwrap();
                bound::bind(table, &user, &mac(), self.flow.now()).await.unwrap();
            }
            what => self.chooses(what).await,
        }
    }

    /// What a sensor says.
    fn says(&self, pid: &str, how: &str) -> Event {
        let (celsius, humidity) = match how {
            "hot" => (40.0, 50.0),
            "cold" => (1.0, 50.0),
            "warm" => (25.0, 50.0),
            "warmer" => (29.0, 50.0),
            "damp" => (20.0, 90.0),
            "well" => (20.0, 50.0),
            _ => panic!("a sensor is not {how}"),
        };
        self.flow.climate(pid.parse().unwrap(), celsius, humidity)
    }

    /// Somebody does something about what stands.
    async fn act(&self, person: &str, deed: impl Fn(String) -> Deed) {
        let (table, now) = (self.flow.cx.table.as_ref(), self.flow.now());
        for alarm in alarms::list(table, Which::Active, 100, None).await.unwrap().items {
            let act = Act { by: person.to_owned(), why: None, deed: deed(alarm.rule) };
            assert!(!alarms::act(table, &alarm.source, &act, now).await.unwrap().is_empty());
        }
    }

    async fn acknowledge(&self, person: &str) {
        let (table, now) = (self.flow.cx.table.as_ref(), self.flow.now());
        for alarm in alarms::list(table, Which::Active, 100, None).await.unwrap().items {
            let deed = Deed::Acknowledge { alarm: alarm.id, until: Some(now.plus(ACKNOWLEDGED_FOR)), void_up_to: None };
            let act = Act { by: person.to_owned(), why: None, deed };
            assert!(!alarms::act(table, &alarm.source, &act, now).await.unwrap().is_empty());
        }
    }
}

/// The other terminal, where there is one.
fn far() -> Mac {
    "98D863CC870E".parse().unwrap()
}

/// What happens, in its order, and what is expected.
fn read(lines: &str) -> (Vec<(Duration, Vec<&str>)>, Vec<Expected>) {
    let (mut events, mut expected) = (Vec::new(), Vec::new());
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (time, what) = line.split_once(' ').unwrap_or_else(|| panic!("what happens? {line}"));
        match time.split_once("..") {
            Some((from, until)) => expected.push(Expected::read((from, until), what.trim())),
            None => events.push((duration(time), what.split_whitespace().collect())),
        }
    }
    events.sort_by_key(|(at, _)| *at);
    (events, expected)
}

impl Expected {
    fn read((from, until): (&str, &str), what: &str) -> Self {
        let (person, subject) = what.split_once(" hears ").unwrap_or_else(|| panic!("who hears what? {what}"));
        let (person, subject) = (person.to_owned(), subject.to_owned());
        Self { from: duration(from), until: duration(until), person, subject }
    }

    fn holds(&self, (at, person, subject): &(Duration, String, String)) -> bool {
        (self.from..=self.until).contains(at) && self.person == *person && self.subject == *subject
    }
}

/// Each mail is one that was expected, and each that was expected came once.
fn compare(expected: Vec<Expected>, told: &[(Duration, String, String)]) {
    let mut open = expected;
    let mut unexpected = Vec::new();
    for mail in told {
        match open.iter().position(|expected| expected.holds(mail)) {
            Some(place) => drop(open.remove(place)),
            None => unexpected.push(mail),
        }
    }
    assert!(open.is_empty() && unexpected.is_empty(), "never came: {open:#?}\nnobody expects: {unexpected:#?}");
}

/// `90s`, `10m`, `1h30m`, `2d`.
fn duration(text: &str) -> Duration {
    let (mut total, mut number) = (Duration::ZERO, 0);
    for letter in text.chars() {
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            digit => {
                number = number * 10 + u64::from(digit.to_digit(10).unwrap_or_else(|| panic!("no time: {text}")));
                continue;
            }
        };
        total += Duration::from_secs(number * unit);
        number = 0;
    }
    assert_eq!(number, 0, "no unit: {text}");
    total
}
