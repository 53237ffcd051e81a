//! Messages that come in another order than they were sent in.

use anyhow::Result;
use jobs::{EvaluateAlarms, FanOut, Job};

use super::{
    home::{Home, in_both_homes},
    outcome::Outcome,
    scene::{cool, heard, hot, hot_then_cool, texts},
};

/// What comes of a hot reading that is heard of after the cool one: it is remembered, and raises nothing.
/// It is told to the machine as late, which counts it and raises nothing.
fn hot_too_late() -> Outcome {
    Outcome {
        done: texts([
            "evaluate_alarms: cool/0",
            "evaluate_alarms: hot/0",
            "process_results: cool",
            "process_results: hot",
        ]),
        ..heard()
    }
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

/// That a reading was normal is not written down with the alarms, so one that is older and hot still counts when it comes
/// later. It is over by then, and that is told with it.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_comes_after_what_is_newer_leaves_no_alarm_behind() -> Result<()> {
    let scenario = async |home: &mut dyn Home| backwards(home, EvaluateAlarms::NAME).await;
    let expected = Outcome {
        alarms: texts(["device threshold:temperature: raised at -65 s, cleared at -60 s"]),
        transitions: texts(["device: Raised threshold:temperature at -65 s, Cleared threshold:temperature at -60 s"]),
        notices: texts(["tech, webhook, Alarm and recovery: Cold store / 1 TH-10: Sent at attempt 1"]),
        webhooks: texts(["Alarm and recovery: Cold store / 1 TH-10: 1"]),
        done: texts([
            "deliver_notice: Alarm and recovery: Cold store / 1 TH-10",
            "evaluate_alarms: cool/0",
            "evaluate_alarms: hot/0",
            "fan_out: device: Raised threshold:temperature at -65 s, Cleared threshold:temperature at -60 s",
            "process_results: cool",
            "process_results: hot",
        ]),
        ..heard()
    };
    in_both_homes(scenario, expected).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_told_before_its_alarm_leaves_out_neither() -> Result<()> {
    let scenario = async |home: &mut dyn Home| backwards(home, FanOut::NAME).await;
    in_both_homes(scenario, hot_then_cool()).await
}
