//! Messages that fail each time.

use std::time::Duration;

use anyhow::Result;
use domain::Timestamp;
use jobs::{DeliverNotice, DispatchQueries, EvaluateAlarms, FanOut, Job, ProcessResults};
use queue::backoff;

use super::{
    home::{Home, in_both_homes},
    outcome::Outcome,
    scene::texts,
};

/// A message of the job with the fewest runs, of a window that is not over.
fn dispatch() -> DispatchQueries {
    DispatchQueries { node: "n1".to_owned(), from: Timestamp(0), until: Timestamp(9_999_999_999_999) }
}

fn given_up() -> Outcome {
    let dead = r#"dispatch_queries {"node":"n1","from":0,"until":9999999999999}: given up after 10 runs"#;
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

#[test]
fn a_store_that_is_away_for_two_and_a_half_hours_costs_neither_a_batch_nor_what_follows_from_it() {
    // As the dice fall on the whole: in the middle of what they take away.
    let wait = |attempt| (backoff(attempt, 0) + backoff(attempt, 0) * 2) / 2;
    let chain =
        [ProcessResults::MAX_ATTEMPTS, EvaluateAlarms::MAX_ATTEMPTS, FanOut::MAX_ATTEMPTS, DeliverNotice::MAX_ATTEMPTS];
    for attempts in chain {
        let outlasts: Duration = (1..attempts).map(wait).sum();
        assert!(outlasts >= Duration::from_mins(150), "{attempts} attempts: {outlasts:?}");
    }
}
