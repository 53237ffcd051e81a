//! Several readings of one device that a worker looks at late, at once or one after the other: each says what it says.

use std::time::Duration;

use domain::{
    Pid,
    alarm::{Comparison, Condition, Severity},
};
use jobs::{EvaluateAlarms, Job, report::Event};
use records::{
    alarms::{self, Alarm, Which},
    alert_rules,
};
use telltale_tests::flow::{Flow, mac};

use super::play::Play;

/// How readings reach the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Come {
    OneByOne,
    /// In one batch.
    Together,
    /// Each in a job of its own, while the worker is behind.
    InJobsOfTheirOwn,
}

/// Readings ten seconds apart, by their temperature and humidity, and what was raised in the five minutes behind them.
async fn alarms_of(play: &Play, readings: &[(f64, f64)], come: Come) -> Vec<Alarm> {
    let flow = &play.flow;
    flow.after(Duration::from_mins(1)).await;
    let mut events = Vec::new();
    for (celsius, humidity) in readings {
        flow.sleeps(Duration::from_secs(10));
        events.push(flow.climate(1, *celsius, *humidity));
        if come != Come::Together {
            flow.reports(events.drain(..)).await;
        }
        if come == Come::OneByOne {
            flow.settle().await;
        }
    }
    flow.reports(events).await;
    flow.settle().await;
    flow.after(Duration::from_mins(5)).await;
    alarms::list(flow.cx.table.as_ref(), Which::All, 10, None).await.unwrap().items
}

fn rules(alarms: Vec<Alarm>) -> Vec<String> {
    let mut rules: Vec<String> = alarms.into_iter().map(|alarm| alarm.rule).collect();
    rules.sort();
    rules
}

fn above_25() -> Condition {
    Condition::Compare { name: "temperature".to_owned(), is: Comparison::Greater, to: 25.0, deadband: 0.0 }
}

#[tokio::test]
async fn each_raises_what_it_raises_and_none_is_late() {
    for come in [Come::OneByOne, Come::Together, Come::InJobsOfTheirOwn] {
        let play = Play::new().await;
        let raised = alarms_of(&play, &[(20.0, 90.0), (40.0, 90.0), (20.0, 50.0)], come).await;
        let source = raised[0].source.clone();
        assert_eq!(rules(raised), ["rule:damp", "rule:hot"], "{come:?}");
        let watch = alarms::watch(play.flow.cx.table.as_ref(), &source).await.unwrap().value;
        assert!(watch.state.late.is_empty(), "{come:?}: {:?}", watch.state.late);
        let mails = play.flow.mails();
        assert!(mails.iter().any(|mail| mail.starts_with("Alarm")), "somebody hears of what was critical: {mails:?}");
    }
}

#[tokio::test]
async fn all_are_counted() {
    for come in [Come::OneByOne, Come::Together, Come::InJobsOfTheirOwn] {
        let play = Play::new().await;
        let often = Condition::Count { of: Box::new(above_25()), at_least: 3, within: Duration::from_mins(10) };
        play.rule(None, "often", often, Severity::Critical).await;
        let readings = [(20.0, 90.0), (28.0, 50.0), (28.0, 50.0), (28.0, 50.0), (20.0, 50.0)];
        let raised = rules(alarms_of(&play, &readings, come).await);
        assert_eq!(raised, ["rule:damp", "rule:often"], "{come:?}");
    }
}

#[tokio::test]
async fn a_delay_counts_from_the_first() {
    let mut raised = Vec::new();
    for come in [Come::OneByOne, Come::Together, Come::InJobsOfTheirOwn] {
        let play = Play::new().await;
        play.rule(None, "long", above_25(), Severity::Critical).await;
        delays(&play, "long", Duration::from_mins(2)).await;
        let start = play.flow.now();
        let readings = [(20.0, 90.0), (28.0, 90.0), (28.0, 90.0), (28.0, 90.0), (28.0, 90.0), (28.0, 90.0)];
        let alarms = alarms_of(&play, &readings, come).await;
        let long = alarms.into_iter().find(|alarm| alarm.rule == "rule:long").unwrap();
        raised.push(long.raised_at.since(start).as_secs());
    }
    assert_eq!(raised, [60 + 20; 3], "since when it was so");
}

async fn delays(play: &Play, rule: &str, on_delay: Duration) {
    let table = play.flow.cx.table.as_ref();
    let before = alert_rules::get(table, "root", rule).await.unwrap().unwrap();
    let mut after = before.clone();
    after.version += 1;
    after.rule.on_delay = on_delay;
    let change = alert_rules::Change::replace(before, after);
    let _ = alert_rules::change(table, &[change], play.flow.now()).await.unwrap();
}

#[tokio::test]
async fn a_job_that_comes_again_makes_none_late() {
    for again in [false, true] {
        let play = Play::new().await;
        let flow = &play.flow;
        flow.after(Duration::from_mins(1)).await;
        let mut jobs: Vec<EvaluateAlarms> = Vec::new();
        for (celsius, humidity) in [(20.0, 90.0), (20.0, 50.0), (40.0, 50.0), (20.0, 50.0)] {
            flow.sleeps(Duration::from_secs(5));
            flow.reports([flow.climate(1, celsius, humidity)]).await;
            let taken_out = flow.takes_out("process_results", "evaluate_alarms").await;
            jobs.extend(taken_out.iter().map(|message| serde_json::from_slice(&message.body).unwrap()));
            if let [one, other] = jobs.as_slice() {
                // While nothing newer is there.
                one.run(&flow.cx).await.unwrap();
                other.run(&flow.cx).await.unwrap();
            }
        }
        let [first, _, third, fourth] = jobs.as_slice() else { panic!("one each: {jobs:?}") };
        for job in [first].into_iter().filter(|_| again).chain([third, fourth]) {
            job.run(&flow.cx).await.unwrap();
        }
        flow.after(Duration::from_mins(5)).await;
        let raised = alarms::list(flow.cx.table.as_ref(), Which::All, 10, None).await.unwrap().items;
        assert_eq!(rules(raised), ["rule:damp", "rule:hot"], "again: {again}");
    }
}

/// What a gateway says.
enum Said {
    /// What a sensor measured at that moment.
    Climate(Pid, f64, f64),
    Else(Box<Event>),
}

impl Said {
    fn now(self, flow: &Flow) -> Event {
        match self {
            Self::Climate(pid, celsius, humidity) => flow.climate(pid, celsius, humidity),
            Self::Else(event) => *event,
        }
    }
}

/// What a worker that is behind is given of what is said, each in a job of its own, is looked at in that order.
async fn looked_at_later(play: &Play, said: impl IntoIterator<Item = (Duration, Said)>) {
    let (flow, mut jobs) = (&play.flow, Vec::new());
    for (pause, said) in said {
        flow.sleeps(pause);
        flow.reports([said.now(flow)]).await;
        let taken_out = flow.takes_out("process_results", "evaluate_alarms").await;
        jobs.extend(taken_out.iter().map(|message| serde_json::from_slice::<EvaluateAlarms>(&message.body).unwrap()));
    }
    for job in jobs {
        job.run(&flow.cx).await.unwrap();
    }
    flow.settle().await;
    flow.after(Duration::from_mins(5)).await;
}

#[tokio::test]
async fn none_is_late_where_its_neighbours_said_much_meanwhile() {
    let play = Play::new().await;
    let flow = &play.flow;
    flow.after(Duration::from_mins(1)).await;
    let moment = Duration::from_millis(40);
    let mut reports = Vec::new();
    for (celsius, humidity) in [(20.0, 90.0), (40.0, 90.0), (20.0, 50.0)] {
        reports.push((moment, Said::Climate(1, celsius, humidity)));
        reports.extend((0..230).map(|_| (moment, Said::Climate(2, 20.0, 50.0))));
    }
    looked_at_later(&play, reports).await;
    let raised = alarms::list(flow.cx.table.as_ref(), Which::All, 10, None).await.unwrap().items;
    let damp = raised.iter().find(|alarm| alarm.rule == "rule:damp").unwrap();
    let lasted = damp.cleared_at.unwrap().since(damp.raised_at);
    assert!(lasted >= moment * 2 * 231, "it ends by what it says itself, not by its neighbours: {lasted:?}");
    assert_eq!(rules(raised), ["rule:damp", "rule:hot"]);
}

/// The rules that raised, and when, where a reading that changes alarms is followed by something else than readings.
async fn with_something_between(come: Come, between: impl Fn(u32) -> Option<Event>) -> Vec<(String, u64)> {
    let play = Play::new().await;
    play.rule(None, "silent", Condition::NoData { after: Duration::from_mins(2) }, Severity::Critical).await;
    play.rule(None, "long", above_25(), Severity::Critical).await;
    delays(&play, "long", Duration::from_mins(2)).await;
    let flow = &play.flow;
    flow.after(Duration::from_mins(1)).await;
    let start = flow.now();
    let said = |number| match number {
        0 | 16 => Some(Said::Climate(1, 28.0, 90.0)),
        _ => between(number).map(Box::new).map(Said::Else),
    };
    let mut last = 0;
    let mut pause = |number| Duration::from_secs(20) * (number - std::mem::replace(&mut last, number));
    let reports = (0..=16).filter_map(|number| said(number).map(|said| (pause(number), said)));
    if come == Come::OneByOne {
        for (pause, said) in reports {
            flow.after(pause).await;
            flow.reports([said.now(flow)]).await;
            flow.settle().await;
        }
        flow.after(Duration::from_mins(5)).await;
    } else {
        looked_at_later(&play, reports.collect::<Vec<_>>()).await;
    }
    let raised = alarms::list(flow.cx.table.as_ref(), Which::All, 10, None).await.unwrap().items;
    let since = |alarm: Alarm| (alarm.rule, alarm.raised_at.since(start).as_secs());
    // Behind the last reading nothing is said any more.
    let mut raised: Vec<_> = raised.into_iter().map(since).filter(|(_, since)| *since < 20 * 16).collect();
    raised.sort();
    raised
}

#[tokio::test]
async fn a_silence_that_a_lost_terminal_explains_is_none_and_a_delay_does_not_run_on() {
    let lost_and_back = |number| match number {
        1 => Some(Event::TerminalOff { mac: mac() }),
        15 => Some(Event::TerminalsOn { macs: vec![mac()] }),
        _ => None,
    };
    let one_by_one = with_something_between(Come::OneByOne, lost_and_back).await;
    assert!(one_by_one.iter().all(|(rule, _)| rule != "rule:silent"), "{one_by_one:?}");
    assert_eq!(with_something_between(Come::InJobsOfTheirOwn, lost_and_back).await, one_by_one);
}

#[tokio::test]
async fn what_was_missed_in_between_is_told() {
    let missed = |number| Some(Event::Missed { mac: mac(), pid: 1, count: Some(number), asked: None });
    let one_by_one = with_something_between(Come::OneByOne, missed).await;
    assert!(one_by_one.iter().any(|(rule, _)| rule == "timeout"), "{one_by_one:?}");
    assert_eq!(with_something_between(Come::InJobsOfTheirOwn, missed).await, one_by_one);
}
