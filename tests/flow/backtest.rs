//! What a backtest says is what would have been: a rule that was in force, and the same one tried afterwards.

use std::time::Duration;

use domain::{
    alarm::{Comparison, Condition, Level, Rule, Severity},
    reading::Reading,
};
use jobs::{
    backtest::{Backtest, Terms, Told, WouldHaveBeen},
    ports::Address,
};
use records::{
    alarms::{self, Which},
    alert_rules::{self, AlertRule, Change, Changed, Recipients, Scope, rule_id},
    readings, terminals,
};
use telltale_tests::flow::{Flow, mac};

const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZ1";

fn temperature(is: Comparison, to: f64, deadband: f64) -> Condition {
    Condition::Compare { name: "temperature".to_owned(), is, to, deadband }
}

fn levels() -> Condition {
    let level = |limit, severity| Level { limit, severity, deadband: 0.5 };
    let above = vec![level(20.0, Severity::Info), level(25.0, Severity::Critical)];
    Condition::Levels { name: "temperature".to_owned(), above, below: Vec::new() }
}

/// What the sensor says, and how long it is until it says the next.
const WEATHER: [(f64, u64); 14] = [
    (19.0, 20),
    (21.0, 20),
    (26.0, 20),
    (24.8, 20),
    (24.0, 20),
    (19.8, 20),
    (19.0, 90),
    (27.0, 20),
    (19.0, 20),
    (26.0, 300),
    (26.5, 20),
    (20.0, 20),
    (18.0, 20),
    (25.5, 20),
];

fn terms(flow: &Flow) -> Terms {
    Terms::of(&flow.cx.settings.notices, &flow.cx.settings.alarms)
}

async fn tried(flow: &Flow, rule: &Rule) -> WouldHaveBeen {
    let table = flow.cx.table.as_ref();
    let terminals = vec![terminals::get(table, &mac()).await.unwrap().unwrap()];
    let (from, to) = (domain::Timestamp(0), flow.now());
    let (recipients, terms) = (Recipients::default(), terms(flow));
    let backtest = Backtest { rule: rule.clone(), recipients, terms, terminals, from, to, most_readings: usize::MAX };
    backtest.run(table, |_, device| device.pid == 1, |_| {}).await.unwrap()
}

#[tokio::test]
async fn a_rule_that_is_tried_afterwards_would_have_raised_what_it_raised() {
    let above = |deadband| Rule::new("", temperature(Comparison::Greater, 25.0, deadband), Severity::Warning);
    let wavering = above(1.5);
    let patient = above(0.0).held_for(Duration::from_secs(50));
    let slow_to_end = Rule { off_delay: Duration::from_secs(50), ..above(0.0) };
    let rare = Rule { cooldown: Duration::from_mins(3), ..above(0.0) };
    let by_levels = Rule::new("", levels(), Severity::Info);
    for rule in [above(0.0), wavering, patient, slow_to_end, rare, by_levels] {
        let rule = Rule { id: rule_id(None, ID), ..rule };
        let flow = Flow::new().await;
        let made = AlertRule {
            id: ID.to_owned(),
            name: "Warm".to_owned(),
            owner: None,
            target: domain::alarm::Target::Device,
            replaces: None,
            scope: Scope::Everywhere,
            enabled: true,
            recipients: Recipients::default(),
            rule: rule.clone(),
            version: 1,
            changed_at: domain::Timestamp(0),
            changed_by: "root".to_owned(),
        };
        let changed = alert_rules::change(flow.cx.table.as_ref(), &[Change::create(made)], flow.now()).await.unwrap();
        assert_eq!(changed, Changed::Done);
        flow.after(Duration::from_secs(11)).await;
        for (celsius, seconds) in WEATHER {
            flow.sensor_says(celsius).await;
            flow.after(Duration::from_secs(seconds)).await;
        }
        let found = tried(&flow, &rule).await;
        let mut live = alarms::list(flow.cx.table.as_ref(), Which::All, 100, None).await.unwrap().items;
        live.retain(|alarm| alarm.rule == rule.id);
        live.sort_by_key(|alarm| alarm.raised_at);
        let live: Vec<_> = live.into_iter().map(|alarm| (alarm.raised_at, alarm.cleared_at, alarm.detail)).collect();
        let would: Vec<_> =
            found.alarms().map(|(_, alarm)| (alarm.since, alarm.cleared, alarm.detail.clone())).collect();
        assert!(!live.is_empty(), "{rule:?}");
        assert_eq!(would, live, "{rule:?}");
        assert_eq!(found.readings, WEATHER.len());
        let to = Address::Email { to: "tech@example.org".to_owned() };
        let mails = flow.letters().iter().filter(|letter| letter.address == to).count();
        let told: usize = found
            .told
            .iter()
            .filter(|told| (told.user.as_str(), told.channel.as_str()) == ("tech", "email"))
            .map(Told::notices)
            .sum();
        assert_eq!(told, mails, "{rule:?}");
    }
}

#[tokio::test]
async fn too_many_readings_are_said_to_be_left_out() {
    let flow = Flow::new().await;
    for celsius in [26.0, 19.0] {
        flow.sensor_says(celsius).await;
    }
    let table = flow.cx.table.as_ref();
    let terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    let backtest = Backtest {
        rule: Rule::new("rule:x", temperature(Comparison::Greater, 25.0, 0.0), Severity::Warning),
        recipients: Recipients::default(),
        terms: terms(&flow),
        terminals: vec![terminal.clone(), terminal],
        from: domain::Timestamp(0),
        to: flow.now(),
        most_readings: 1,
    };
    let mut done = Vec::new();
    let found = backtest.run(table, |_, _| true, |terminals| done.push(terminals)).await.unwrap();
    let devices = backtest.terminals[0].devices.len();
    assert_eq!((found.devices.len(), found.left_out, done), (devices, devices, vec![1, 2]));
}

#[tokio::test]
async fn a_device_that_said_more_than_is_looked_at_is_left_out_and_not_judged_by_a_part() {
    let flow = Flow::new().await;
    flow.sensor_says(26.0).await;
    let table = flow.cx.table.as_ref();
    let latest = readings::latest(table, &mac()).await.unwrap().value.devices[&1].clone();
    for number in 1..=250 {
        let at = latest.arrived.plus(Duration::from_secs(number));
        let later = Reading { asked: at, at, arrived: at, ..latest.clone() };
        let writes = readings::append(&mac(), &format!("b{number}"), at, &[later]).unwrap();
        assert!(table.transact(writes).await.unwrap().applied());
    }
    let terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    let rule = Rule::new("rule:x", temperature(Comparison::Greater, 25.0, 0.0), Severity::Warning);
    let to = latest.arrived.plus(Duration::from_mins(10));
    for (most_readings, looked_at, left_out) in [(100, 0, 1), (1000, 1, 0)] {
        let terminals = vec![terminal.clone()];
        let (rule, recipients, terms, from) = (rule.clone(), Recipients::default(), terms(&flow), domain::Timestamp(0));
        let backtest = Backtest { rule, recipients, terms, terminals, from, to, most_readings };
        let found = backtest.run(table, |_, device| device.pid == 1, |_| {}).await.unwrap();
        assert_eq!((found.devices.len(), found.left_out), (looked_at, left_out));
    }
}
