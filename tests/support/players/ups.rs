use anyhow::Result;
use serde_json::json;

use super::Player;

/// A UPS on a 232 line.
#[derive(Debug)]
pub struct Ups {
    player: Player,
    port: u16,
}

impl Ups {
    /// A UPS that answers `QGS` with these words.
    pub async fn start(qgs: &str) -> Result<Self> {
        let player = Player::python("ups", &json!({ "replies": { "QGS": qgs } }))?;
        let port = player.port().await?;
        Ok(Self { player, port })
    }

    /// The local TCP port that is its line.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes what it answers to `QGS`.
    pub async fn set(&mut self, qgs: &str) -> Result<()> {
        self.answers("QGS", qgs).await
    }

    /// Changes what it answers to a command.
    pub async fn answers(&mut self, command: &str, reply: &str) -> Result<()> {
        self.player.order_done("set", json!({ "command": command, "reply": reply })).await
    }
}
