//! What the platform itself needs is away for a while: gateways are served on, people hear of it, and whoever asks is told.

mod alarm;
mod api;
mod broken;
mod changed;
mod last_broker;
mod ready;
mod spool;

use anyhow::Result;
use serde_json::Value;
use telltale_tests::{Cluster, Mailbox, Session, Size, WebhookReceiver, eventually};

use super::load::{Home, PASSWORD, all, settings, told_of_the_platform};

/// A cluster with an operator who has a webhook of their own.
struct Operated {
    cluster: Cluster,
    operator: WebhookReceiver,
}

impl Home for Operated {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        let processes = Size { brokers: 2, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
        Self::sized(processes, site, &settings(mailbox)).await
    }

    fn gateways(&self) -> String {
        self.cluster.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.cluster.sign_in(user, PASSWORD).await
    }
}

impl Operated {
    async fn sized(processes: Size, site: &Value, settings: &str) -> Result<Self> {
        let operator = WebhookReceiver::start().await?;
        let settings = format!("{settings}\n{}[broker]\nspool_mb = 1\n", told_of_the_platform(&operator));
        let cluster = Cluster::start(processes, "streams", site, &settings).await?;
        Ok(Self { cluster, operator })
    }

    /// Waits until the operator was told so, so many times.
    async fn until_told(&self, subject: &str, times: usize) {
        let all = || self.operator.deliveries(subject).len();
        eventually(&format!("the operator hears {subject:?}"), async || (all() >= times).then_some(())).await;
    }
}

/// The alarms of the platform that somebody sees.
async fn of_platform(who: &Session) -> Result<Vec<Value>> {
    let alarms = all(who, "/api/alarms").await?.into_iter();
    Ok(alarms.filter(|alarm| alarm["source"]["kind"] == "platform").collect())
}
