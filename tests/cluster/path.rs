//! What one process does, several do: wherever the table is.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{Cluster, LiveClient, Slave, TableAt, Variant, WebhookReceiver};

use super::{
    NOBODY, Stand,
    dynamodb_away::{a_post, are_acknowledged, until_stored},
    gateway,
};
use crate::wire::{
    field::{items, until_latest},
    site::{HALL, METER, PASSWORD, QUICK, SENSOR, site},
};

macro_rules! wherever_the_table_is {
    ([$($test:ident),* $(,)?]) => {
        mod over_an_owner {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test(telltale_tests::TableAt::Owner).await
            })*
        }
        mod on_dynamodb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test(telltale_tests::TableAt::DynamoDb).await
            })*
        }
    };
}

wherever_the_table_is!([
    a_reading_becomes_a_letter_and_an_order_reaches_its_device,
    what_one_broker_gets_is_pushed_by_another,
    what_is_posted_at_both_brokers_is_stored_once,
    when_a_broker_and_a_worker_are_killed_the_others_go_on,
]);

async fn a_reading_becomes_a_letter_and_an_order_reaches_its_device(table: TableAt) -> Result<()> {
    let mut stand = Stand::start(table).await?;
    stand.until_temperature("25.3").await?;
    stand.slave.set(SENSOR, &[352, 600, 1]).await?;
    stand.until_told("Alarm").await?;
    stand.until_temperature("35.2").await?;

    let end = stand.operated("set temperature", 27.4).await?;
    assert_eq!(end["state"], "done", "{end}");
    stand.until_temperature("27.4").await?;
    stand.until_told("Recovered").await?;
    assert_eq!(["Alarm", "Recovered"].map(|subject| stand.webhook.deliveries(subject).len()), [1, 1]);
    assert!(stand.gateway.lives()?);
    Ok(())
}

async fn what_one_broker_gets_is_pushed_by_another(table: TableAt) -> Result<()> {
    let stand = Stand::start(table).await?;
    // A sign-in at the API is believed by the broker, which shares no folder with it on DynamoDB.
    let client = LiveClient::start(&stand.cluster.brokers[1].url(), stand.ann.token(), &[HALL]).await?;
    client.until("pushed a reading", |envelopes| (!envelopes.is_empty()).then_some(())).await
}

async fn what_is_posted_at_both_brokers_is_stored_once(table: TableAt) -> Result<()> {
    let stand = Stand::start(table).await?;
    stand.until_temperature("25.3").await?;
    let post = a_post(&stand.gateway).await?;
    let asked = post["data"]["timeStamp"].as_i64().context("a post says when it was asked")?;
    let instants: BTreeSet<i64> = (1..=30).map(|number| asked + number).collect();
    let [first, second] = [0, 1].map(|broker| stand.cluster.brokers[broker].url());
    tokio::try_join!(
        are_acknowledged(&first, &post, instants.iter().copied()),
        are_acknowledged(&second, &post, instants.iter().rev().copied()),
    )?;
    until_stored(&stand.ann, &instants).await?;
    let none_waits = |jobs: &Value| {
        let of_results = jobs.as_array()?.iter().find(|job| job["job"] == "process_results")?;
        (of_results["waiting"] == 0 && of_results["running"] == 0).then_some(())
    };
    stand.root.until("/api/jobs", "an instant without work", none_waits).await?;
    let stored = stand.ann.get(&format!("/api/terminals/{HALL}/devices/{SENSOR}/history?limit=200")).await?;
    let mut asked: Vec<String> = items(&stored).iter().map(|reading| reading["asked"].to_string()).collect();
    let all = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), all, "of {all} readings some are there twice");
    Ok(())
}

async fn when_a_broker_and_a_worker_are_killed_the_others_go_on(table: TableAt) -> Result<()> {
    let mut stand = Stand::start(table).await?;
    stand.until_temperature("25.3").await?;
    stand.cluster.workers[0].kill().await?;
    stand.cluster.brokers[0].kill().await?;
    stand.cluster.brokers[0].restart().await?;
    stand.slave.set(SENSOR, &[352, 600, 1]).await?;
    stand.until_temperature("35.2").await?;
    stand.until_told("Alarm").await?;

    stand.cluster.workers[1].terminate().await?;
    stand.cluster.workers[0].restart().await?;
    stand.slave.set(SENSOR, &[253, 600, 1]).await?;
    stand.until_told("Recovered").await?;
    let ready = |list: &Value| items(list).first().filter(|node| node["session"]["ready"] == true).map(drop);
    stand.root.until("/api/nodes", "a session that is ready", ready).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_does_everything_does_it_on_dynamodb_and_imports_its_site() -> Result<()> {
    let (slave, webhook) =
        tokio::try_join!(Slave::start([(SENSOR, &[253, 600, 1]), (METER, &[230])]), WebhookReceiver::start())?;
    let cluster = Cluster::start_at(TableAt::DynamoDb, NOBODY, "streams", &json!({}), QUICK).await?;
    let serve = cluster.another("serve", Some(&site(Variant::OneSocket, &webhook))).await?;
    let _gateway = gateway(&slave, &serve)?;
    let ann = cluster.sign_in_at(&serve, "ann", PASSWORD).await?;
    until_latest(&ann, HALL, SENSOR, "temperature", "25.3").await
}
