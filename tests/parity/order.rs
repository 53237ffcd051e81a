//! Messages that come in another order than they were sent in.

use anyhow::Result;
use jobs::{EvaluateAlarms, FanOut, Job};

use super::{
    home::{Home, in_both_homes},
    outcome::Outcome,
    scene::{and_done, cool, heard, hot, hot_then_cool, still_cool, texts},
};

/// What comes of a hot reading that is heard of after the cool one: it is remembered, and raises nothing.
fn hot_too_late() -> Outcome {
    Outcome { done: texts(["evaluate_alarms: cool/0", "process_results: cool", "process_results: hot"]), ..heard() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_older_than_what_is_known_raises_nothing() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        for message in [cool(home.base()), hot(home.base())] {
            home.give(vec![message]).await?;
            home.settle().await?;
        }
        Ok(())
    };
    in_both_homes(scenario, hot_too_late()).await
}

/// Gives both readings, and has what follows of one job run backwards.
async fn backwards(home: &mut dyn Home, job: &'static str) -> Result<()> {
    home.hold_back(job);
    for message in [hot(home.base()), cool(home.base())] {
        home.give(vec![message]).await?;
        home.settle().await?;
    }
    home.run_backwards(job).await?;
    home.settle().await
}

/// That a reading was normal is not written down, so one that is older and hot still counts. What the device says next is
/// newer than both.
#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_of_old_evidence_is_cleared_by_the_next_reading() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        backwards(home, EvaluateAlarms::NAME).await?;
        home.give(vec![still_cool(home.base())]).await?;
        home.settle().await
    };
    let usual = hot_then_cool();
    let later = |texts: Vec<String>| texts.into_iter().map(|text| text.replace("at -60 s", "at -30 s")).collect();
    let mut expected = Outcome {
        alarms: later(usual.alarms),
        transitions: later(usual.transitions),
        done: later(usual.done),
        ..hot_then_cool()
    };
    expected.history.insert(1, "asked at -30 s: temperature 20, humidity 60".to_owned());
    let more = ["evaluate_alarms: still cool/0", "process_results: still cool"];
    in_both_homes(scenario, and_done(expected, more.map(str::to_owned))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_told_before_its_alarm_leaves_out_neither() -> Result<()> {
    let scenario = async |home: &mut dyn Home| backwards(home, FanOut::NAME).await;
    in_both_homes(scenario, hot_then_cool()).await
}
