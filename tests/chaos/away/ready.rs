//! Who is not ready says so, and why: a balancer gives gateways to another.

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{RedisServer, Server, Size, eventually, http_client};

use super::{
    Operated,
    spool::{post, post_with, ready, site},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_over_redis_says_that_it_spools_and_is_not_ready_once_its_spool_is_full() -> Result<()> {
    let redis = RedisServer::start().await?;
    let settings = format!("[redis]\nurl = '{}'\n[broker]\nspool_mb = 1\n", redis.url());
    let (server, client) = (Server::start(&site(), &settings).await?, http_client()?);
    assert_eq!(post(&client, server.url(), 0).await?, 200);
    assert_eq!(ready(&client, server.url()).await?.1["status"], "ok");

    redis.kill().await?;
    assert_eq!(post(&client, server.url(), 1).await?, 200);
    let (status, said) = ready(&client, server.url()).await?;
    assert_eq!((status, &said["status"]), (200, &json!("spooling")), "{said}");
    assert_ne!(said["spool"]["messages"], 0, "{said}");
    let mut next = 2;
    while post(&client, server.url(), next).await? == 200 {
        next += 1;
        assert!(next < 500, "the spool is never full");
    }
    let (status, said) = ready(&client, server.url()).await?;
    assert_eq!((status, &said["code"]), (503, &json!("spool-full")), "{said}");

    redis.restart().await?;
    eventually("it is ready again", async || {
        let (status, said) = ready(&client, server.url()).await.ok()?;
        (status == 200 && said["status"] == "ok").then_some(())
    })
    .await;
    assert_eq!(post(&client, server.url(), next).await?, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_whose_store_stays_away_is_not_ready_for_newcomers_and_takes_those_it_knows() -> Result<()> {
    let a_broker = Size { brokers: 1, workers: 0, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    let mut home = Operated::sized(a_broker, &site(), "[notify.webhook]\nallowed_nets = ['127.0.0.0/8']").await?;
    let (client, broker) = (http_client()?, home.cluster.brokers[0].url());
    assert_eq!(post(&client, &broker, 0).await?, 200);
    home.cluster.owner()?.kill().await?;
    assert_eq!(ready(&client, &broker).await?.0, 200, "a store that is away for a moment moves no gateways");
    assert_eq!(post_with(&client, &broker, "a newcomer's", 1).await?, 503);

    let said = eventually("it is not ready", async || {
        let (status, said) = ready(&client, &broker).await.ok()?;
        (status == 503).then_some(said)
    })
    .await;
    assert_eq!(said["code"], "store-away", "{said}");
    assert_eq!(post(&client, &broker, 2).await?, 200);

    home.cluster.owner()?.restart().await?;
    eventually("it is ready again", async || (ready(&client, &broker).await.ok()?.0 == 200).then_some(())).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_and_the_store_say_what_keeps_them_from_their_work() -> Result<()> {
    let a_worker = Size { brokers: 0, workers: 1, seconds_apart: 0, are_tapped: false, clocks_jump: false };
    let mut home = Operated::sized(a_worker, &site(), "[notify.webhook]\nallowed_nets = ['127.0.0.0/8']").await?;
    let (client, worker, store) = (http_client()?, home.cluster.workers[0].url(), home.cluster.owner()?.url());
    for part in [&worker, &store] {
        assert_eq!(ready(&client, part).await?.0, 200, "{part}");
    }
    home.cluster.redis.kill().await?;
    until(&client, &worker, (503, json!("queue-away"))).await;
    assert_eq!(ready(&client, &store).await?.0, 200, "the store needs no queue");
    home.cluster.redis.restart().await?;
    until(&client, &worker, (200, json!(null))).await;

    // It answers, and takes no writes: as one whose disk is full.
    home.cluster.redis.set("min-replicas-to-write", "1").await?;
    for part in [&worker, &home.cluster.api.url()] {
        until(&client, part, (503, json!("queue-away"))).await;
    }
    home.cluster.redis.set("min-replicas-to-write", "0").await?;
    for part in [&worker, &home.cluster.api.url()] {
        until(&client, part, (200, json!(null))).await;
    }

    home.cluster.owner()?.kill().await?;
    until(&client, &worker, (503, json!("store-away"))).await;
    home.cluster.owner()?.restart().await?;
    until(&client, &worker, (200, json!(null))).await;
    assert_eq!(ready(&client, &home.cluster.owner()?.url()).await?.0, 200);
    Ok(())
}

/// Waits until a part answers with this status and code.
async fn until(client: &reqwest::Client, part: &str, wanted: (u16, Value)) {
    eventually("it says how it is", async || {
        let (status, said) = ready(client, part).await.ok()?;
        ((status, said["code"].clone()) == wanted).then_some(())
    })
    .await;
}
