//! The only broker dies or hangs, and nobody starts it again: it is missed all the same.

use anyhow::Result;
use telltale_tests::{Gateway, eventually};

use super::broken::{end_of_broker, is_held, start, without_terminals};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_broker_that_dies_is_buried_by_a_worker_and_what_it_held_is_lost_until_it_is_seen_again() -> Result<()>
{
    let mut home = start().await?;
    let gateway = Gateway::start(&home.cluster.brokers[0].url(), &without_terminals())?;
    eventually("it holds the gateway", async || is_held(&home).await.ok().filter(|held| *held)).await;
    home.cluster.brokers[0].kill().await?;
    eventually("it is buried", async || is_held(&home).await.ok().filter(|held| !held)).await;
    home.cluster.brokers[0].restart().await?;
    eventually("it holds the gateway again", async || is_held(&home).await.ok().filter(|held| *held)).await;
    drop(gateway);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_was_taken_for_dead_ends_with_a_failure_so_that_it_is_started_again() -> Result<()> {
    let mut home = start().await?;
    let gateway = Gateway::start(&home.cluster.brokers[0].url(), &without_terminals())?;
    eventually("it holds the gateway", async || is_held(&home).await.ok().filter(|held| *held)).await;
    home.cluster.brokers[0].hangs()?;
    eventually("it is buried", async || is_held(&home).await.ok().filter(|held| !held)).await;
    home.cluster.brokers[0].goes_on()?;
    let ended = end_of_broker(&mut home).await;
    assert_eq!(ended.code(), Some(1), "whoever looks after it starts it again: {ended}");
    home.cluster.brokers[0].restart().await?;
    eventually("it holds the gateway again", async || is_held(&home).await.ok().filter(|held| *held)).await;
    drop(gateway);
    Ok(())
}
