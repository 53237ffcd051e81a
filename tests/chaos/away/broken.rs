//! The disk of a spool is broken: the broker says so and ends, and what it acknowledged goes on when it is started again.

use std::{
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;
use telltale_tests::{Gateway, GatewaySettings, Habits, Size, Variant, eventually, http_client};

use super::{
    Operated, PASSWORD,
    spool::{FIRST, TOKEN, are_stored_once_each, post, ready, site, waiting},
};
use crate::chaos::{ACKNOWLEDGED, Clocks, DELIVERED, Outage, check_where_some_came_late, load::Load};

const ONE_OF_EACH: Size = Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };

pub(super) async fn start() -> Result<Operated> {
    Operated::sized(ONE_OF_EACH, &site(), "[notify.webhook]\nallowed_nets = ['127.0.0.0/8']").await
}

pub(super) fn without_terminals() -> GatewaySettings {
    GatewaySettings {
        variant: Variant::TwoSockets,
        token: TOKEN,
        terminals: Vec::new(),
        register_after: Duration::ZERO,
        habits: Habits::default(),
    }
}

/// Whether a broker holds the gateway, as far as is known.
pub(super) async fn is_held(home: &Operated) -> Result<bool> {
    let root = home.cluster.sign_in("root", PASSWORD).await?;
    Ok(!root.get("/api/nodes").await?["items"][0]["session"].is_null())
}

/// How the broker ends, once it does.
pub(super) async fn end_of_broker(home: &mut Operated) -> ExitStatus {
    let broker = &mut home.cluster.brokers[0];
    eventually("the broker ends", async || broker.ended().ok().flatten()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_whose_spool_failed_ends_and_its_next_start_gives_all_that_was_acknowledged_in_order() -> Result<()> {
    let mut home = start().await?;
    let (client, broker) = (http_client()?, home.cluster.brokers[0].url());
    let gateway = Gateway::start(&broker, &without_terminals())?;
    eventually("it holds the gateway", async || is_held(&home).await.ok().filter(|held| *held)).await;
    assert_eq!(post(&client, &broker, 0).await?, 200);
    home.cluster.workers[0].kill().await?;
    home.cluster.redis.kill().await?;
    let mut acknowledged = vec![FIRST];
    for number in 1..8 {
        assert_eq!(post(&client, &broker, number).await?, 200);
        acknowledged.push(FIRST + number * 1000);
    }
    home.cluster.brokers[0].break_writes()?;
    assert_eq!(post(&client, &broker, 8).await?, 503, "what cannot be kept is refused");
    // It may have stopped listening by now, or not have seen yet that more than this write is lost.
    if let Ok((status, said)) = ready(&client, &broker).await {
        let codes = [json!("spool-failed"), json!("spool-full")];
        assert!(status == 503 && codes.contains(&said["code"]), "{said}");
    }
    let ended = end_of_broker(&mut home).await;
    assert_eq!(ended.code(), Some(1), "whoever looks after it starts it again: {ended}");
    drop(gateway);

    home.cluster.redis.restart().await?;
    home.cluster.brokers[0].restart().await?;
    eventually("it is well", async || {
        let (status, said) = ready(&client, &broker).await.ok()?;
        (status == 200 && said["status"] == "ok").then_some(())
    })
    .await;
    let order = eventually("the API reaches redis again", async || waiting(&home).await.ok()).await;
    assert_eq!(order, acknowledged[acknowledged.len() - order.len()..], "they wait in the order in which they came");
    assert!(order.len() >= 7, "{order:?}");
    assert_eq!(post(&client, &broker, 8).await?, 200);
    acknowledged.push(FIRST + 8 * 1000);

    home.cluster.workers[0].restart().await?;
    are_stored_once_each(&home, &acknowledged).await?;
    // It could not say itself that the gateway was gone with it.
    eventually("it is buried", async || is_held(&home).await.ok().filter(|held| !held)).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_whose_disk_breaks_as_it_empties_its_spool_ends_and_nothing_is_lost_or_stored_twice() -> Result<()> {
    let mut home = start().await?;
    let (client, broker) = (http_client()?, home.cluster.brokers[0].url());
    home.cluster.redis.hangs().await?;
    let mut acknowledged = Vec::new();
    for number in 0..4 {
        assert_eq!(post(&client, &broker, number).await?, 200);
        acknowledged.push(FIRST + number * 1000);
    }
    home.cluster.brokers[0].break_writes()?;
    home.cluster.redis.goes_on().await?;
    let ended = end_of_broker(&mut home).await;
    assert_eq!(ended.code(), Some(1), "{ended}");
    home.cluster.brokers[0].restart().await?;
    eventually("it takes what comes", async || (post(&client, &broker, 4).await.ok()? == 200).then_some(())).await;
    acknowledged.push(FIRST + 4 * 1000);
    are_stored_once_each(&home, &acknowledged).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_under_load_whose_spool_failed_takes_nothing_along() -> Result<()> {
    let mut load = Load::<Operated>::start().await?;
    load.until_acknowledged(ACKNOWLEDGED).await?;
    load.until_delivered(DELIVERED).await;
    let killed = Instant::now();
    load.home.cluster.redis.kill().await?;
    // If nothing else, it has to say that Redis is away.
    load.home.cluster.brokers[0].break_writes()?;
    let ended = end_of_broker(&mut load.home).await;
    assert_eq!(ended.code(), Some(1), "{ended}");
    load.home.cluster.redis.restart().await?;
    load.home.cluster.brokers[0].restart().await?;
    let outages = [Outage { killed, over: Instant::now() }];
    load.until_acknowledged(ACKNOWLEDGED).await?;
    check_where_some_came_late(load.end().await, &outages, &outages, Clocks::Agree).await.map(drop)
}
