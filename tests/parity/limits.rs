//! Messages that fail each time.

use anyhow::Result;
use domain::Timestamp;
use jobs::{DispatchQueries, Job};

use super::{
    home::{Home, in_both_homes},
    outcome::Outcome,
    scene::texts,
};

/// A message of the job with the fewest runs.
fn dispatch() -> DispatchQueries {
    DispatchQueries { node: "n1".to_owned(), from: Timestamp(0), until: Timestamp(60_000) }
}

fn given_up() -> Outcome {
    let dead = r#"dispatch_queries {"node":"n1","from":0,"until":60000}: given up after 3 runs"#;
    Outcome { dead: texts([dead]), ..Outcome::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_each_time_is_given_up_after_its_runs_and_the_reason_is_known() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        home.table_is_away(true).await?;
        home.give(vec![dispatch().message()]).await?;
        home.settle().await?;
        for _ in 1..DispatchQueries::MAX_ATTEMPTS {
            assert_eq!(home.dead().await?, [], "it has runs left");
            home.time_passes().await?;
            home.settle().await?;
        }
        // A queue may look at what it gave out too often only when it would give it out again.
        home.time_passes().await?;
        home.settle().await?;
        home.table_is_away(false).await?;
        let why: Vec<_> = home.dead().await?.into_iter().map(|dead| dead.failed).collect();
        assert!(matches!(why.as_slice(), [Some(why)] if why.contains("the table is away")), "{why:?}");
        Ok(())
    };
    in_both_homes(scenario, given_up()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_process_dies_each_time_is_given_up_after_its_runs() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        for _ in 0..DispatchQueries::MAX_ATTEMPTS {
            home.dies_after(DispatchQueries::NAME).await?;
        }
        home.give(vec![dispatch().message()]).await?;
        for _ in 0..=DispatchQueries::MAX_ATTEMPTS {
            home.settle().await?;
            home.time_passes().await?;
        }
        home.settle().await
    };
    in_both_homes(scenario, given_up()).await
}
