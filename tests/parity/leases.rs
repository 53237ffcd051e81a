//! A run that hangs longer than its lease: its message is given to another, and what it wrote comes too late.

use anyhow::Result;

use super::{
    home::{Hang, Home, in_both_homes},
    scene::{cool, hot, hot_then_cool},
};

/// A run's write is on its way for longer than its lease. It arrives when another run has done the work.
async fn overdue_at(partition: &'static str) -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        home.hold(Hang::Write(partition)).await?;
        home.give(vec![hot(home.base())]).await?;
        home.settle_until_overdue().await?;
        home.settle().await?;
        home.let_go().await?;
        home.give(vec![cool(home.base())]).await?;
        home.settle().await
    };
    in_both_homes(scenario, hot_then_cool()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_two_runs_store_is_one() -> Result<()> {
    overdue_at("history#").await
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_two_runs_look_at_raises_one_alarm() -> Result<()> {
    overdue_at("watch#").await
}
