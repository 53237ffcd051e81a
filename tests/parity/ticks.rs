//! The schedule's ticks, of which each may come twice.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use boot::SystemClock;
use jobs::{DispatchQueries, EvaluateAlarms, Job, report::Event};
use records::Clock;
use telltale_tests::flow;

use super::{
    home::{Home, in_both_homes},
    outcome::Outcome,
    scene::{batch, texts},
};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_plans_the_same_queries_everywhere_however_often_it_comes() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        let base = home.base();
        let there = Event::TerminalsOn { macs: vec![flow::mac()] };
        home.give(vec![batch("on", base.minus(MINUTE), there)]).await?;
        home.settle().await?;
        // Well ahead of now, however long the start took, so that no window of it is over.
        let tick = SystemClock.now().plus(10 * MINUTE);
        home.tick(tick).await?;
        home.settle().await?;
        let once = planned(home).await;
        home.tick(tick).await?;
        home.settle().await?;
        assert_eq!(planned(home).await, once);
        let window = (tick.0 / 60_000 + 1) * 60_000;
        let asked: Vec<i64> = once.iter().map(|(at, _)| at - window).collect();
        assert_eq!(asked.len(), 12, "each five seconds of the minute after the tick's own");
        assert!(asked.windows(2).all(|two| two[1] - two[0] == 5_000) && (0..5_000).contains(&asked[0]), "{asked:?}");
        Ok(())
    };
    let done = texts(["evaluate_alarms: on/0", "process_results: on"]);
    in_both_homes(scenario, Outcome { done, ..Outcome::default() }).await
}

/// The instants at which the sensor is to be asked, and with what.
async fn planned(home: &dyn Home) -> BTreeSet<(i64, String)> {
    let plans = home.done().iter().filter(|(job, _)| job == DispatchQueries::NAME).count();
    let planned = home.broker().until_plans(plans).await;
    planned.into_iter().map(|query| (query.at.0, format!("{} {:?}", query.pid, query.contents))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_stays_away_is_told_of_once_however_often_the_tick_comes() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        let base = home.base();
        let there = Event::TerminalsOn { macs: vec![flow::mac()] };
        home.give(vec![batch("on", base.minus(5 * MINUTE), there)]).await?;
        home.settle().await?;
        home.give(vec![batch("off", base.minus(3 * MINUTE), Event::TerminalOff { mac: flow::mac() })]).await?;
        home.settle().await?;
        // Before anybody has looked at what the first one found.
        home.hold_back(EvaluateAlarms::NAME);
        // A tick of now, however long the start took: an old one's window would be over.
        let tick = SystemClock.now();
        for _ in 0..2 {
            home.tick(tick).await?;
            home.settle().await?;
        }
        home.run_backwards(EvaluateAlarms::NAME).await?;
        home.settle().await
    };
    let expected = Outcome {
        alarms: texts(["terminal offline: raised at -180 s, active"]),
        transitions: texts(["terminal: Raised offline at -120 s"]),
        notices: texts(["tech, webhook, Alarm: Cold store: Sent at attempt 1"]),
        webhooks: texts(["Alarm: Cold store: 1"]),
        done: texts([
            "deliver_notice: Alarm: Cold store",
            "evaluate_alarms: off/0",
            "evaluate_alarms: on/0",
            "evaluate_alarms: tick/-120 s/terminal:98D863CC870D",
            "fan_out: terminal: Raised offline at -120 s",
            "process_results: off",
            "process_results: on",
        ]),
        ..Outcome::default()
    };
    in_both_homes(scenario, expected).await
}
