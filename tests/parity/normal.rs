//! Nothing goes wrong.

use anyhow::Result;

use super::{
    home::in_both_homes,
    scene::{cool, hot, hot_then_cool},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_and_its_recovery_are_told_once_each() -> Result<()> {
    let scenario = async |home: &mut dyn super::home::Home| {
        for message in [hot(home.base()), cool(home.base())] {
            home.give(vec![message]).await?;
            home.settle().await?;
        }
        Ok(())
    };
    in_both_homes(scenario, hot_then_cool()).await
}
