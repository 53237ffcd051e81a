//! Parts of the platform, where brokers of several machines may listen on one port.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{Cluster, Session, Size, TableAt, eventually, http_client};

use super::NOBODY;
use crate::wire::{field::items, site::PASSWORD};

/// Waits for an alarm of the platform in this state, which is the only one.
async fn until_one_is(root: &Session, state: &str) -> Result<Value> {
    let one = |list: &Value| {
        let alarms = items(list);
        (alarms.len() == 1 && alarms[0]["state"] == state).then(|| alarms[0].clone())
    };
    root.until("/api/alarms", &format!("one alarm of the platform, {state}"), one).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_may_be_several_machines_a_broker_goes_by_its_own_also_after_a_restart() -> Result<()> {
    let site = json!({ "users": [{ "user": "root", "name": "Root", "passwd": PASSWORD, "userGroup": "admin" }] });
    let processes = Size { brokers: 1, workers: 1, ..NOBODY };
    let settings = "[platform]\naway_after_ms = 1000\n";
    let mut cluster = Cluster::start_at(TableAt::DynamoDb, processes, "streams", &site, settings).await?;
    let root = cluster.sign_in("root", PASSWORD).await?;
    cluster.redis.set("appendfsync", "everysec").await?;
    let began = until_one_is(&root, "active").await?;
    let url = cluster.brokers[0].url();
    let port = url.rsplit(':').next().context("it listens on a port")?;
    assert_eq!(began["source"]["part"], format!("broker:{}:{port}", boot::host_name()), "{began}");

    let broker = &mut cluster.brokers[0];
    broker.kill().await?;
    cluster.redis.set("appendfsync", "always").await?;
    broker.restart().await?;
    let over = until_one_is(&root, "cleared").await?;
    assert_eq!((&over["id"], &over["source"]), (&began["id"], &began["source"]));
    let client = http_client()?;
    eventually("the broker is well", async || {
        (client.get(format!("{url}/health/ready")).send().await.ok()?.status() == 200).then_some(())
    })
    .await;
    Ok(())
}
