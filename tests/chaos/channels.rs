//! Clients of the live channels when brokers die and Redis does: they come back to whichever is there, and get what they
//! missed, or are told that they missed something.

use anyhow::Result;
use jobs::ports::{Audience, Link, Push};
use link::RedisLink;
use serde_json::{Value, json};
use telltale_tests::{Cluster, LiveClient, Session, Size, eventually};

const MAC: &str = "98D863CC870D";
const PASSWORD: &str = "tests are no secret";

/// Two brokers, somebody who may see the terminal, and what pushes.
struct Stage {
    cluster: Cluster,
    ann: Session,
    link: RedisLink,
    published: u64,
}

impl Stage {
    async fn set() -> Result<Self> {
        let site = json!({
            "protocols": [], "constants": [],
            "nodes": [{ "Name": "hill", "IP": "127.0.0.1", "Port": 9000, "MaxConnections": 100 }],
            "terminals": [{ "DevMac": MAC, "name": "hall", "mountNode": "hill", "mountDevs": [] }],
            "users": [{ "user": "ann", "name": "Ann", "passwd": PASSWORD, "userGroup": "user", "terminals": [MAC] }],
        });
        let cluster = Cluster::start(
            Size { brokers: 2, workers: 0, seconds_apart: 0, clocks_jump: false, are_tapped: false },
            "streams",
            &site,
            "",
        )
        .await?;
        let ann = cluster.sign_in("ann", PASSWORD).await?;
        let link = RedisLink::new(cluster.redis.connect().await?);
        Ok(Self { cluster, ann, link, published: 0 })
    }

    async fn client(&self, broker: usize) -> Result<LiveClient> {
        LiveClient::start(&self.cluster.brokers[broker].url(), self.ann.token(), &[MAC, "me"]).await
    }

    /// Pushes so many more, numbered on, each on its own.
    async fn publish(&mut self, more: u64) -> Result<()> {
        for number in self.published + 1..=self.published + more {
            self.link.publish(vec![push(number)]).await?;
        }
        self.published += more;
        Ok(())
    }

    /// Pushes one more as soon as Redis is back.
    async fn publish_again(&mut self) {
        self.published += 1;
        eventually("redis takes pushes again", async || self.link.publish(vec![push(self.published)]).await.ok()).await;
    }

    /// Waits until the client has everything, in order and each once, without a gap.
    async fn has_everything(&self, client: &LiveClient) -> Result<()> {
        client
            .until("all there", |envelopes| (numbers(envelopes).last() == Some(&self.published)).then_some(()))
            .await?;
        let envelopes = client.envelopes();
        let expected: Vec<u64> = (1..=self.published).collect();
        assert_eq!(numbers(&envelopes.iter().collect::<Vec<_>>()), expected);
        assert_eq!(envelopes.len(), expected.len(), "there is no gap");
        Ok(())
    }
}

fn push(number: u64) -> Push {
    let audience = if number.is_multiple_of(3) { Audience::User("ann".to_owned()) } else { of_terminal() };
    Push { event: "a push".to_owned(), audience, data: json!(number) }
}

fn of_terminal() -> Audience {
    Audience::Terminal(MAC.parse().expect("a mac"))
}

/// The numbers of what was pushed; of several channels, each has its own order.
fn numbers(envelopes: &[&Value]) -> Vec<u64> {
    let of = |channel: &str| {
        let of_it: Vec<u64> = envelopes
            .iter()
            .filter(|envelope| envelope["channel"] == channel)
            .filter_map(|envelope| envelope["data"].as_u64())
            .collect();
        assert!(of_it.is_sorted(), "{channel}: {of_it:?}");
        of_it
    };
    let mut numbers = [of(MAC), of("me")].concat();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn a_client_that_comes_to_another_broker_gets_what_it_missed_each_once() -> Result<()> {
    let mut stage = Stage::set().await?;
    let mut client = stage.client(0).await?;
    stage.publish(10).await?;
    stage.has_everything(&client).await?;
    for broker in [1, 0, 1] {
        client.leave().await?;
        stage.publish(50).await?;
        client.come(&stage.cluster.brokers[broker].url()).await?;
        stage.publish(10).await?;
        stage.has_everything(&client).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_whose_broker_is_killed_gets_what_it_missed_from_the_other_and_from_one_that_just_started()
-> Result<()> {
    let mut stage = Stage::set().await?;
    let mut client = stage.client(0).await?;
    stage.publish(10).await?;
    stage.has_everything(&client).await?;
    stage.cluster.brokers[0].kill().await?;
    stage.publish(20).await?;
    client.come(&stage.cluster.brokers[1].url()).await?;
    stage.has_everything(&client).await?;

    client.leave().await?;
    stage.publish(20).await?;
    stage.cluster.brokers[0].restart().await?;
    client.come(&stage.cluster.brokers[0].url()).await?;
    stage.publish(1).await?;
    stage.has_everything(&client).await
}

#[tokio::test]
async fn when_redis_is_killed_what_it_took_arrives_and_what_it_could_not_take_is_a_gap() -> Result<()> {
    let mut stage = Stage::set().await?;
    let mut client = stage.client(0).await?;
    stage.publish(10).await?;
    stage.has_everything(&client).await?;
    client.leave().await?;
    stage.publish(10).await?;
    stage.cluster.redis.kill().await?;
    stage.cluster.redis.restart().await?;
    // The connection of who pushes finds out first. What it was refused it would tell of.
    stage.link = RedisLink::new(stage.cluster.redis.connect().await?);
    stage.publish(10).await?;
    client.come(&stage.cluster.brokers[1].url()).await?;
    stage.has_everything(&client).await?;

    let stayed = stage.client(0).await?;
    client.leave().await?;
    stage.cluster.redis.kill().await?;
    assert!(stage.publish(1).await.is_err());
    stage.cluster.redis.restart().await?;
    stage.publish_again().await;
    client.come(&stage.cluster.brokers[0].url()).await?;
    for client in [&client, &stayed] {
        for channel in [MAC, "me"] {
            let is_gap = |envelope: &&&Value| envelope["event"] == "gap" && envelope["channel"] == channel;
            client.until("told of a gap", |envelopes| envelopes.iter().find(is_gap).map(drop)).await?;
        }
    }
    Ok(())
}
