//! Several processes over Redis with real gateways: on the embedded store of an owner, and on DynamoDB.

mod copied;
mod dynamodb_away;
mod machines;
mod path;
mod redis_at_the_start;
mod wrong;

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{
    Cluster, Dtu, Gateway, GatewaySettings, Habits, Member, Session, Size, Slave, TableAt, Variant, WebhookReceiver,
};

use crate::wire::{
    field::{items, until_latest},
    site::{HALL, METER, PASSWORD, QUICK, SENSOR, TOKEN, site},
};

/// Only the API, and what it stands on.
const NOBODY: Size = Size { brokers: 0, workers: 0, seconds_apart: 0, clocks_jump: false, are_tapped: false };

/// The sensor at 25.3 ℃, the meter at 230 V, the gateway that asks them at the first of two brokers, and two workers.
struct Stand {
    slave: Slave,
    webhook: WebhookReceiver,
    cluster: Cluster,
    gateway: Gateway,
    ann: Session,
    root: Session,
}

/// The gateway of the sensor's line, at this broker.
fn gateway(slave: &Slave, broker: &Member) -> Result<Gateway> {
    let settings = GatewaySettings {
        variant: Variant::OneSocket,
        token: TOKEN,
        terminals: vec![Dtu { mac: HALL, port: slave.port(), sim: false }],
        register_after: Duration::ZERO,
        habits: Habits::default(),
    };
    Gateway::start(&broker.url(), &settings)
}

impl Stand {
    async fn start(table: TableAt) -> Result<Self> {
        let (slave, webhook) =
            tokio::try_join!(Slave::start([(SENSOR, &[253, 600, 1]), (METER, &[230])]), WebhookReceiver::start())?;
        let mut site = site(Variant::OneSocket, &webhook);
        // Nobody plays a mailbox here.
        site["users"][0].as_object_mut().context("Ann is in the site")?.remove("mail");
        let settings = format!("{QUICK}\n[notify.webhook]\nallowed_nets = ['127.0.0.0/8']\n");
        let processes = Size { brokers: 2, workers: 2, seconds_apart: 0, clocks_jump: false, are_tapped: false };
        let cluster = Cluster::start_at(table, processes, "streams", &site, &settings).await?;
        let gateway = gateway(&slave, &cluster.brokers[0])?;
        let (ann, root) = tokio::try_join!(cluster.sign_in("ann", PASSWORD), cluster.sign_in("root", PASSWORD))?;
        Ok(Self { slave, webhook, cluster, gateway, ann, root })
    }

    /// Waits until Ann sees the sensor's newest temperature as `display`.
    async fn until_temperature(&self, display: &str) -> Result<()> {
        until_latest(&self.ann, HALL, SENSOR, "temperature", display).await
    }

    /// Waits until Ann was told so by a webhook that is signed as it must be.
    async fn until_told(&self, subject: &str) -> Result<()> {
        let delivery = self.webhook.until_delivery(subject).await?;
        assert!(delivery.genuine, "the signature of {delivery:?} is wrong");
        Ok(())
    }

    /// Has an instruction of the sensor's protocol sent, and gives the operation once it has ended.
    async fn operated(&self, name: &str, value: f64) -> Result<Value> {
        let path = format!("/api/terminals/{HALL}/devices/{SENSOR}/operations");
        let (status, answer) = self.ann.post(&path, &json!({ "name": name, "value": value })).await?;
        assert_eq!(status, 202, "{answer}");
        let ended = |list: &Value| {
            let all = items(list).into_iter();
            all.into_iter().find(|operation| operation["id"] == answer["id"] && operation["state"] != "waiting")
        };
        self.ann.until(&format!("/api/terminals/{HALL}/operations"), "the end of the operation", ended).await
    }
}
