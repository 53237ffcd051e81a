//! The process dies when a job has had its effect, before the queue hears of it.

use anyhow::Result;
use jobs::{DeliverNotice, EvaluateAlarms, FanOut, Job, ProcessResults};

use super::{
    home::{Hang, Home, in_both_homes},
    scene::{cool, hot, hot_then_cool, texts},
};

/// The process dies after a run of this job; everything is as if it had not.
async fn dies_after(job: &'static str) -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        home.dies_after(job).await?;
        home.give(vec![hot(home.base())]).await?;
        home.settle().await?;
        home.time_passes().await?;
        home.settle().await?;
        home.give(vec![cool(home.base())]).await?;
        home.settle().await
    };
    in_both_homes(scenario, hot_then_cool()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_stored_and_not_acknowledged_is_one() -> Result<()> {
    dies_after(ProcessResults::NAME).await
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_was_looked_at_and_not_acknowledged_raises_one_alarm() -> Result<()> {
    dies_after(EvaluateAlarms::NAME).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_that_was_told_and_not_acknowledged_is_told_once() -> Result<()> {
    dies_after(FanOut::NAME).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_was_sent_and_not_acknowledged_is_sent_once() -> Result<()> {
    dies_after(DeliverNotice::NAME).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_whose_receipt_was_lost_is_sent_again_under_its_own_name() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        home.hold(Hang::Letter).await?;
        home.give(vec![hot(home.base())]).await?;
        home.settle_until_killed().await?;
        home.let_go().await?;
        home.settle().await?;
        home.time_passes().await?;
        home.settle().await?;
        home.give(vec![cool(home.base())]).await?;
        home.settle().await
    };
    let mut expected = hot_then_cool();
    expected.webhooks = texts(["Alarm: Cold store / 1 TH-10: 2", "Recovered: Cold store / 1 TH-10: 1"]);
    in_both_homes(scenario, expected).await
}
