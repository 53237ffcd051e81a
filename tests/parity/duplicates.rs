//! Messages that come more than once.

use anyhow::{Context, Result};
use jobs::{DeliverNotice, FanOut, Job};
use records::{alarms, notices};

use super::{
    home::{Home, in_both_homes},
    scene::{and_done, cool, copies, hot, hot_then_cool},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_comes_many_times_at_once_and_later_is_one() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        for message in [hot(home.base()), cool(home.base())] {
            let at_once = copies(&message, 3);
            for messages in [at_once, vec![message.clone()], vec![message.clone()]] {
                home.give(messages).await?;
                home.settle().await?;
                // One of those that came at once may have found another at it.
                home.time_passes().await?;
                home.settle().await?;
            }
        }
        Ok(())
    };
    let copies = ["hot", "cool"].map(|batch| (1..=3).map(move |copy| format!("process_results: {batch}, copy {copy}")));
    in_both_homes(scenario, and_done(hot_then_cool(), copies.into_iter().flatten())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_from_a_batch_may_come_many_times_as_well() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        home.give(vec![hot(home.base())]).await?;
        home.settle().await?;
        let notice = notices::list(home.table(), "tech", 1, None).await?.items.pop().context("the alarm's notice")?;
        let transition = alarms::transition(home.table(), &notice.source, &notice.transition).await?;
        let transition = transition.context("the notice's transition")?.id;
        let again = [
            FanOut::Transition { source: notice.source.clone(), transition }.message(),
            DeliverNotice { user: "tech".to_owned(), notice: notice.id }.message(),
        ];
        home.give(again.iter().flat_map(|message| copies(message, 2)).chain(again.clone()).collect()).await?;
        home.settle().await?;
        home.give(vec![cool(home.base())]).await?;
        home.settle().await
    };
    let copies =
        ["fan_out: device: Raised threshold:temperature at -65 s", "deliver_notice: Alarm: Cold store / 1 TH-10"]
            .map(|work| (1..=2).map(move |copy| format!("{work}, copy {copy}")));
    in_both_homes(scenario, and_done(hot_then_cool(), copies.into_iter().flatten())).await
}
