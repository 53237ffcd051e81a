//! What the broker is told by its environment.

use std::{collections::HashMap, net::SocketAddr};

use broker::{BrokerSettings, PlatformSettings};
use link::AwsLinkSettings;
use notify::NotifySettings;
use serde::Deserialize;

/// Everything that can be set. It holds a secret, so it cannot be printed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The DynamoDB table (`TELLTALE_TABLE`).
    pub table: String,
    /// The URL of the queue of what it reports (`TELLTALE_QUEUES__PROCESS_RESULTS`).
    pub queues: HashMap<String, String>,
    /// Where the brokers are (`TELLTALE_LINK__INBOX_PREFIX`, `TELLTALE_LINK__TOPIC`).
    pub link: AwsLinkSettings,
    /// What sign-ins are signed with, the same as the API's (`TELLTALE_SIGNING_KEY`): 32 random bytes at least.
    pub signing_key: String,
    /// Where it listens (`TELLTALE_LISTEN`).
    #[serde(default = "everywhere")]
    pub listen: SocketAddr,
    /// The most connections that are open at a time (`TELLTALE_MAX_CONNECTIONS`).
    #[serde(default = "usual_connections")]
    pub max_connections: u32,
    /// After how long without a sign of life other brokers take one for dead, in milliseconds
    /// (`TELLTALE_DEAD_AFTER_MS`); at least a second.
    #[serde(default = "usual_patience")]
    pub dead_after_ms: u64,
    /// The sockets (`TELLTALE_BROKER__TRUSTED_PROXIES`, …).
    #[serde(default)]
    pub broker: BrokerSettings,
    /// Who is told that SQS or DynamoDB is away (`TELLTALE_PLATFORM__WEBHOOK__URL`, `…__SECRET`,
    /// `TELLTALE_PLATFORM__AWAY_AFTER_MS`).
    #[serde(default)]
    pub platform: PlatformSettings,
    /// What that webhook may reach (`TELLTALE_NOTIFY__WEBHOOK__ALLOWED_NETS`).
    #[serde(default)]
    pub notify: NotifySettings,
}

fn everywhere() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 8080))
}

fn usual_connections() -> u32 {
    20_000
}

fn usual_patience() -> u64 {
    60_000
}

impl Config {
    /// The configuration in the environment, if a broker can run on it.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let config: Self = boot::load(None)?;
        let told = config.queues.contains_key("process_results");
        anyhow::ensure!(told, "TELLTALE_QUEUES__PROCESS_RESULTS is missing: the URL of the queue of what is reported");
        anyhow::ensure!(config.dead_after_ms >= 1000, "TELLTALE_DEAD_AFTER_MS is at least 1000");
        anyhow::ensure!(config.max_connections > 0, "TELLTALE_MAX_CONNECTIONS is at least 1");
        if let Some(webhook) = &config.platform.webhook {
            notify::check_webhook(&webhook.url, &webhook.secret)
                .map_err(|why| anyhow::anyhow!("TELLTALE_PLATFORM__WEBHOOK: {why}"))?;
        }
        Ok(config)
    }
}
