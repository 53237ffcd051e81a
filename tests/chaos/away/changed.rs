//! A Redis that is another under the parts that run: its settings change, it is flushed, it hangs.

use std::time::Duration;

use anyhow::Result;
use engine_redis::redis::cmd;
use reqwest::Client;
use serde_json::Value;
use telltale_tests::{Cluster, Gateway, Size, TableAt, eventually, http_client};
use tokio::time::sleep;

use super::{
    Operated,
    broken::{is_held, without_terminals},
    of_platform,
    spool::{FIRST, are_stored_once_each, post, ready, site},
};
use crate::chaos::load::PASSWORD;

/// A broker, a worker and the API, with an operator.
async fn home() -> Result<Operated> {
    let processes = Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    Operated::sized(processes, &site(), "[notify.webhook]\nallowed_nets = ['127.0.0.0/8']").await
}

/// Waits until it answers with this status, and says that something is wrong by this code, or that nothing is.
async fn until_ready_says(client: &Client, url: &str, status: u16, code: Option<&str>) -> Value {
    eventually(&format!("{url} says {status} {code:?}"), async || {
        let (is, said) = ready(client, url).await.ok()?;
        let told = said["amiss"][0]["code"].as_str().or_else(|| said["code"].as_str());
        (is == status && told == code).then_some(said)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_may_lose_things_all_go_on_and_everybody_hears_of_it() -> Result<()> {
    let (mut home, client) = (home().await?, http_client()?);
    let (broker, api) = (home.cluster.brokers[0].url(), home.cluster.api.url());
    let root = home.cluster.sign_in("root", PASSWORD).await?;
    for (directive, wrong, right) in
        [("appendfsync", "everysec", "always"), ("maxmemory-policy", "allkeys-lru", "noeviction")]
    {
        home.cluster.redis.set(directive, wrong).await?;
        for url in [&broker, &api] {
            let said = until_ready_says(&client, url, 200, Some("queue-forgets")).await;
            assert!(said["amiss"][0]["why"].to_string().contains(&format!("CONFIG SET {directive} {right}")), "{said}");
        }
        assert_eq!(post(&client, &broker, 1).await?, 200);
        let active = eventually("administrators hear", async || {
            of_platform(&root).await.ok()?.into_iter().find(|alarm| alarm["state"] == "active")
        })
        .await;
        assert_eq!(active["source"]["needs"], "durability", "{active}");

        home.cluster.redis.set(directive, right).await?;
        for url in [&broker, &api] {
            until_ready_says(&client, url, 200, None).await;
        }
        eventually("they hear of the end", async || {
            of_platform(&root).await.ok()?.iter().all(|alarm| alarm["state"] == "cleared").then_some(())
        })
        .await;
    }
    home.until_told("Alarm: broker:", 2).await;
    home.until_told("Recovered: broker:", 2).await;
    assert!(!home.cluster.workers[0].has_ended()? && !home.cluster.brokers[0].has_ended()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_redis_is_flushed_workers_end_with_a_word_and_what_brokers_take_is_stored_once_the_operator_did_what_they_say()
-> Result<()> {
    let (mut home, client) = (home().await?, http_client()?);
    let (broker, api) = (home.cluster.brokers[0].url(), home.cluster.api.url());
    home.cluster.redis.forget_everything().await?;
    let said = until_ready_says(&client, &broker, 200, Some("queue-lost")).await;
    let why = said["amiss"][0]["why"].to_string();
    assert!(why.contains("flushed") && why.contains("remove ") && why.contains("start all parts again"), "{why}");
    until_ready_says(&client, &api, 503, Some("queue-lost")).await;
    let ended = eventually("the worker ends", async || home.cluster.workers[0].ended().ok().flatten()).await;
    assert!(!ended.success(), "{ended}");
    for number in 1..=5 {
        assert_eq!(post(&client, &broker, number).await?, 200);
    }
    assert_eq!(ready(&client, &broker).await?.1["status"], "spooling");
    home.until_told("Alarm: broker:", 1).await;

    std::fs::remove_file(home.cluster.data().join("queue"))?;
    home.cluster.brokers[0].terminate().await?;
    home.cluster.brokers[0].restart().await?;
    home.cluster.workers[0].restart().await?;
    home.cluster.api.terminate().await?;
    home.cluster.api.restart().await?;
    let root = home.cluster.sign_in("root", PASSWORD).await?;
    let path = format!("/api/terminals/{}/devices/1/history?limit=200", super::spool::MAC);
    let all = |list: &Value| (list["items"].as_array()?.len() == 5).then_some(());
    root.until(&path, "all that was acknowledged", all).await?;
    home.until_told("Recovered: broker:", 1).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_brokers_take_while_an_empty_redis_stands_in_for_another_is_stored_once_the_one_of_before_is_back()
-> Result<()> {
    let (mut home, client) = (home().await?, http_client()?);
    let broker = home.cluster.brokers[0].url();
    let mut acknowledged = Vec::new();
    let mut next = async || {
        let number = i64::try_from(acknowledged.len())?;
        assert_eq!(post(&client, &broker, number).await?, 200);
        acknowledged.push(FIRST + number * 1000);
        // What all of these carry finds room in the spool.
        sleep(Duration::from_millis(100)).await;
        anyhow::Ok(())
    };
    next().await?;
    // A worker would do what it is given meanwhile.
    home.cluster.workers[0].kill().await?;
    // It is there for a while before anybody sees that it is another.
    home.cluster.redis.is_replaced_by_an_empty_one().await?;
    eventually("it is seen that it is another", async || {
        next().await.unwrap();
        (ready(&client, &broker).await.ok()?.1["amiss"][0]["code"] == "queue-lost").then_some(())
    })
    .await;
    next().await?;

    home.cluster.redis.is_brought_back().await?;
    home.cluster.workers[0].restart().await?;
    are_stored_once_each(&home, &acknowledged).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_brokers_take_while_redis_makes_its_first_append_only_file_outlives_its_death() -> Result<()> {
    let (mut home, client) = (home().await?, http_client()?);
    let broker = home.cluster.brokers[0].url();
    // A worker would do what it is given meanwhile.
    home.cluster.workers[0].kill().await?;
    home.cluster.redis.takes_long_to_write_its_file_anew().await?;
    home.cluster.redis.set("appendonly", "no").await?;
    until_ready_says(&client, &broker, 200, Some("queue-forgets")).await;
    // It calls the file enabled from now on.
    home.cluster.redis.set("appendonly", "yes").await?;
    let mut acknowledged = Vec::new();
    // What all of these carry finds room among the copies, and all of it takes longer than from one look to the next.
    for number in 0..8 {
        assert_eq!(post(&client, &broker, number).await?, 200);
        acknowledged.push(FIRST + number * 1000);
        let said = ready(&client, &broker).await?.1;
        assert_eq!(said["amiss"][0]["code"], "queue-forgets", "{said}");
        sleep(Duration::from_millis(600)).await;
    }
    home.cluster.redis.kill().await?;
    home.cluster.redis.restart().await?;
    home.cluster.workers[0].restart().await?;
    until_ready_says(&client, &broker, 200, None).await;
    are_stored_once_each(&home, &acknowledged).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_follows_another_that_is_said_and_what_brokers_take_is_stored_once_it_does_not() -> Result<()> {
    let (home, client) = (home().await?, http_client()?);
    let broker = home.cluster.brokers[0].url();
    assert_eq!(post(&client, &broker, 0).await?, 200);
    home.cluster.redis.follows_another().await?;
    // It takes no writes: who only enqueues cannot work.
    for (url, status) in [(&broker, 200), (&home.cluster.api.url(), 503)] {
        let said = until_ready_says(&client, url, status, Some("queue-away")).await;
        assert!(said.to_string().contains("REPLICAOF NO ONE"), "{said}");
    }
    assert_eq!(post(&client, &broker, 1).await?, 200);
    assert_eq!(ready(&client, &broker).await?.1["status"], "spooling");
    home.cluster.redis.follows_none().await?;
    until_ready_says(&client, &broker, 200, None).await;
    are_stored_once_each(&home, &[FIRST, FIRST + 1000]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_memory_of_redis_is_full_a_timer_runs_out_and_its_alarm_is_raised() -> Result<()> {
    let processes = Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    let settings = "[alarms]\noffline_debounce_ms = 5000\n[notify.webhook]\nallowed_nets = ['127.0.0.0/8']";
    let home = Operated::sized(processes, &site(), settings).await?;
    let gateway = Gateway::start(&home.cluster.brokers[0].url(), &without_terminals())?;
    eventually("it holds the gateway", async || is_held(&home).await.ok().filter(|held| *held)).await;
    drop(gateway);
    eventually("it holds it no more", async || is_held(&home).await.ok().filter(|held| !held)).await;
    home.cluster.redis.set("maxmemory", "1mb").await?;
    let root = home.cluster.sign_in("root", PASSWORD).await?;
    let refused = home.cluster.redis.connect().await?.call::<()>(cmd("SET").arg("any").arg("")).await.unwrap_err();
    assert!(refused.to_string().contains("OOM"), "{refused}");
    root.until("/api/alarms", "the node's alarm", |list| is_of_node_and(list, "active")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_memory_of_redis_is_full_parts_start_again_and_what_a_dead_broker_held_is_missed() -> Result<()> {
    let processes = Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    let settings = "[alarms]\noffline_debounce_ms = 1000\n[notify.webhook]\nallowed_nets = ['127.0.0.0/8']";
    let mut home = Operated::sized(processes, &site(), settings).await?;
    let gateway = Gateway::start(&home.cluster.brokers[0].url(), &without_terminals())?;
    eventually("it holds the gateway", async || is_held(&home).await.ok().filter(|held| *held)).await;
    home.cluster.redis.set("maxmemory", "1mb").await?;
    home.cluster.workers[0].kill().await?;
    home.cluster.workers[0].restart().await?;
    home.cluster.api.kill().await?;
    home.cluster.api.restart().await?;
    home.cluster.brokers[0].kill().await?;
    let root = home.cluster.sign_in("root", PASSWORD).await?;
    root.until("/api/alarms", "the node's alarm", |list| is_of_node_and(list, "active")).await?;

    home.cluster.brokers[0].restart().await?;
    eventually("it holds the gateway again", async || is_held(&home).await.ok().filter(|held| *held)).await;
    let (client, broker) = (http_client()?, home.cluster.brokers[0].url());
    assert_eq!(post(&client, &broker, 0).await?, 200, "what comes is spooled");
    home.cluster.redis.set("maxmemory", "0").await?;
    root.until("/api/alarms", "the end of the node's alarm", |list| is_of_node_and(list, "cleared")).await?;
    are_stored_once_each(&home, &[FIRST]).await?;
    drop(gateway);
    Ok(())
}

/// What they share is kept in Redis then, where each has a machine of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_memory_of_redis_is_full_parts_whose_table_is_on_dynamodb_start_again() -> Result<()> {
    let processes = Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    let mut cluster = Cluster::start_at(TableAt::DynamoDb, processes, "streams", &site(), "").await?;
    cluster.redis.set("maxmemory", "1mb").await?;
    let Cluster { brokers, workers, api, .. } = &mut cluster;
    for part in [&mut brokers[0], &mut workers[0], api] {
        part.kill().await?;
        part.restart().await?;
    }
    cluster.sign_in("root", PASSWORD).await?;
    Ok(())
}

/// Whether the node has an alarm in this state.
fn is_of_node_and(list: &Value, state: &str) -> Option<()> {
    let mut all = list["items"].as_array()?.iter();
    all.any(|alarm| alarm["source"]["kind"] == "node" && alarm["state"] == state).then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_hangs_the_api_is_not_ready_and_says_why() -> Result<()> {
    let (home, client) = (home().await?, http_client()?);
    let api = home.cluster.api.url();
    until_ready_says(&client, &api, 200, None).await;
    home.cluster.redis.hangs().await?;
    let said = until_ready_says(&client, &api, 503, Some("queue-away")).await;
    assert!(said["detail"].to_string().contains("does not answer"), "{said}");
    assert_eq!(client.get(format!("{api}/health")).send().await?.status(), 200, "it lives");
    home.cluster.redis.goes_on().await?;
    until_ready_says(&client, &api, 200, None).await;
    Ok(())
}
