//! DynamoDB is away: what gateways say is taken all the same, and stored when it is back.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{Cluster, DynamoDb, Gateway, Session, TableAt, eventually, http_client};

use super::{NOBODY, Stand};
use crate::wire::{
    field::items,
    site::{HALL, SENSOR},
};

/// A gateway's post of the sensor that it really sent, to be sent again as others.
pub(super) async fn a_post(gateway: &Gateway) -> Result<Value> {
    for times in 1.. {
        let posted = gateway.until_posted("queryData", times).await?;
        if posted.body["data"]["pid"] == SENSOR {
            return Ok(posted.body);
        }
    }
    unreachable!("until_posted ends by patience")
}

/// Posts what the sensor would say at these instants, which the broker acknowledges.
pub(super) async fn are_acknowledged(
    broker: &str,
    post: &Value,
    instants: impl IntoIterator<Item = i64>,
) -> Result<()> {
    let client = http_client()?;
    for instant in instants {
        let mut body = post.clone();
        body["data"]["timeStamp"] = json!(instant);
        let answer = client.post(format!("{broker}/api/node/queryData")).json(&body).send().await?;
        assert_eq!(answer.status(), 200, "{instant}: {}", answer.text().await?);
    }
    Ok(())
}

/// Waits until the sensor was asked at all these instants as far as Ann sees.
pub(super) async fn until_stored(ann: &Session, instants: &BTreeSet<i64>) -> Result<()> {
    let path = format!("/api/terminals/{HALL}/devices/{SENSOR}/history?limit=200");
    let wanted: BTreeSet<String> = instants.iter().map(|&instant| domain::Timestamp(instant).rfc3339()).collect();
    let all = |list: &Value| {
        let asked = items(list).into_iter().filter_map(|reading| reading["asked"].as_str().map(str::to_owned));
        wanted.is_subset(&asked.collect()).then_some(())
    };
    ann.until(&path, "all that was acknowledged", all).await
}

fn dynamodb(stand: &Stand) -> Result<&DynamoDb> {
    stand.cluster.dynamodb.as_ref().context("the table is on DynamoDB")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_while_dynamodb_and_then_redis_is_away_is_stored_when_they_are_back() -> Result<()> {
    let stand = Stand::start(TableAt::DynamoDb).await?;
    stand.until_temperature("25.3").await?;
    let post = a_post(&stand.gateway).await?;
    let asked = post["data"]["timeStamp"].as_i64().context("a post says when it was asked")?;
    let broker = stand.cluster.brokers[0].url();

    dynamodb(&stand)?.way.close();
    let to_redis: BTreeSet<i64> = (1..=5).map(|number| asked + number).collect();
    are_acknowledged(&broker, &post, to_redis.clone()).await?;
    stand.cluster.redis.kill().await?;
    let spooled: BTreeSet<i64> = (6..=10).map(|number| asked + number).collect();
    are_acknowledged(&broker, &post, spooled.clone()).await?;
    let client = http_client()?;
    let says = async || {
        let answer = client.get(format!("{broker}/health/ready")).send().await.ok()?;
        answer.json::<Value>().await.ok()?["status"].as_str().map(str::to_owned)
    };
    assert_eq!(says().await.as_deref(), Some("spooling"));

    stand.cluster.redis.restart().await?;
    eventually("the spool is empty", async || (says().await? == "ok").then_some(())).await;
    dynamodb(&stand)?.way.open();
    until_stored(&stand.ann, &to_redis.union(&spooled).copied().collect()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_outlives_dynamodb_being_away_and_works_on() -> Result<()> {
    let mut stand = Stand::start(TableAt::DynamoDb).await?;
    stand.until_temperature("25.3").await?;
    let pids = stand.cluster.brokers.iter().map(telltale_tests::Member::pid).collect::<Vec<_>>();
    dynamodb(&stand)?.way.close();
    eventually("the API says that it cannot work", async || {
        let answer = http_client().ok()?.get(format!("{}/health/ready", stand.cluster.api.url())).send().await.ok()?;
        (answer.status() == 503).then_some(())
    })
    .await;
    stand.slave.set(SENSOR, &[352, 600, 1]).await?;
    dynamodb(&stand)?.way.open();
    stand.until_temperature("35.2").await?;
    stand.until_told("Alarm").await?;
    assert_eq!(stand.cluster.brokers.iter().map(telltale_tests::Member::pid).collect::<Vec<_>>(), pids);
    let end = stand.operated("set temperature", 25.0).await?;
    assert_eq!(end["state"], "done", "{end}");
    stand.until_told("Recovered").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_while_dynamodb_is_away_waits_for_it() -> Result<()> {
    let cluster = Cluster::start_at(TableAt::DynamoDb, NOBODY, "streams", &json!({}), "").await?;
    let way = &cluster.dynamodb.as_ref().context("the table is on DynamoDB")?.way;
    // The API asks nothing that nobody asks it.
    way.close();
    let before = way.turned_away();
    let comes_back = async {
        eventually("it was asked for in vain", async || (way.turned_away() > before).then_some(())).await;
        way.open();
    };
    let (broker, ()) = tokio::join!(cluster.another("broker", None), comes_back);
    let broker = broker?;
    let answer = http_client()?.get(format!("{}/health/ready", broker.url())).send().await?;
    assert_eq!(answer.status(), 200);
    Ok(())
}
