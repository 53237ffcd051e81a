use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Player, of};

/// A webhook's receiver that checks every delivery with the genuine npm standardwebhooks.
#[derive(Debug)]
pub struct Verifier {
    player: Player,
    port: u16,
}

/// What it got.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Verified {
    /// The `webhook-id`.
    pub id: String,
    /// Whether it answered that it took it.
    pub taken: bool,
    /// Whether the library found the signature right.
    pub genuine: bool,
    /// The body, where it is genuine.
    #[serde(default)]
    pub body: Value,
}

impl Verifier {
    /// One that checks with this secret.
    pub async fn start(secret: &str) -> Result<Self> {
        let player = Player::node("verifier", &json!({ "secret": secret }))?;
        let port = player.port().await?;
        Ok(Self { player, port })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// It checks with another secret from now on.
    pub async fn checks_with(&mut self, secret: &str) -> Result<()> {
        self.player.order_done("secret", json!({ "secret": secret })).await
    }

    /// The next deliveries are answered so.
    pub async fn answer(&mut self, status: u16, headers: Value, times: usize) -> Result<()> {
        self.player.order_done("answer", json!({ "status": status, "headers": headers, "times": times })).await
    }

    /// Everything it got so far, oldest first.
    pub fn received(&self) -> Vec<Verified> {
        self.player.reports("received").iter().filter_map(|report| Verified::deserialize(report).ok()).collect()
    }

    /// Waits until it got so many deliveries.
    pub async fn until_received(&self, count: usize) -> Result<()> {
        let is_enough = |reports: &[Value]| (of(reports, "received").count() >= count).then_some(());
        self.player.until(&format!("holding {count} deliveries"), is_enough).await
    }
}
