//! What is measured: one process, or several that meet over Redis.

use anyhow::{Context, Result};
use serde_json::Value;
use telltale_tests::{Cluster, Member, Server, Session, Size};

use crate::site;

/// One process or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `telltale serve` on the embedded store.
    OneProcess,
    /// A store, a broker, a worker and the API, over Redis.
    OverRedis,
}

/// What runs.
pub(crate) enum Home {
    One(Box<Server>),
    Several(Box<Cluster>),
}

impl Home {
    pub(crate) async fn start(kind: Kind, on: &Value, settings: &str) -> Result<Self> {
        let missing = "there is no server to measure: `cargo build --release -p telltale` builds it";
        Ok(match kind {
            Kind::OneProcess => Self::One(Box::new(Server::start(on, settings).await.context(missing)?)),
            Kind::OverRedis => {
                let processes =
                    Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
                Self::Several(Box::new(Cluster::start(processes, "streams", on, settings).await.context(missing)?))
            }
        })
    }

    /// Where gateways and browsers come in.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::One(server) => server.url().to_owned(),
            Self::Several(cluster) => cluster.brokers[0].url(),
        }
    }

    /// Somebody who may see all.
    pub(crate) async fn admin(&self) -> Result<Session> {
        match self {
            Self::One(server) => server.sign_in(site::ADMIN, site::PASSWORD).await,
            Self::Several(cluster) => cluster.sign_in(site::ADMIN, site::PASSWORD).await,
        }
    }

    /// Its processes, by what they do.
    pub(crate) fn processes(&self) -> Vec<(&'static str, u32)> {
        let all = match self {
            Self::One(server) => vec![("serve", server.pid())],
            Self::Several(cluster) => vec![
                ("store", cluster.store.as_ref().and_then(Member::pid)),
                ("broker", cluster.brokers[0].pid()),
                ("worker", cluster.workers[0].pid()),
                ("api", cluster.api.pid()),
                ("redis", cluster.redis.pid()),
            ],
        };
        all.into_iter().filter_map(|(name, pid)| Some((name, pid?))).collect()
    }
}
