//! Messages that are given out together, of which one fails.

use std::time::Duration;

use anyhow::{Context, Result};
use jobs::{FanOut, Job};
use records::ledger::{self, Claim};

use super::{
    home::{Home, in_both_homes},
    outcome::transitions,
    scene::{cool, hot, hot_then_cool},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_now_holds_up_none_of_its_batch_and_is_done_later() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        home.hold_back(FanOut::NAME);
        for message in [hot(home.base()), cool(home.base())] {
            home.give(vec![message]).await?;
            home.settle().await?;
        }
        let raised = transitions(home.table()).await?.into_iter().min_by_key(|transition| transition.changes[0].at);
        let work = format!("{}/{}", FanOut::NAME, raised.context("the alarm")?.id);
        // Somebody is at it, as far as anybody can tell.
        let claim = ledger::claim(home.table(), &work, home.base(), Duration::from_mins(5)).await?;
        assert!(matches!(claim, Claim::Ours(_)), "{claim:?}");
        home.give_out(FanOut::NAME);
        home.settle().await?;
        let told = ["Alarm", "Recovered"].map(|subject| home.webhook().deliveries(subject).len());
        assert_eq!(told, [0, 1]);
        // Of the two the queue has forgotten the one, and gives out the other alone.
        let done: Vec<_> = home.done().into_iter().filter(|(job, _)| job == FanOut::NAME).collect();
        assert_eq!(done.len(), 1, "{done:?}");
        home.time_passes().await?;
        home.settle().await
    };
    in_both_homes(scenario, hot_then_cool()).await
}
