use anyhow::Result;
use serde_json::{Value, json};

use super::{Player, of};

/// A program on `/live`: the genuine npm socket.io-client. It comes back by itself, and subscribes again with the last place
/// that it knows of each channel.
#[derive(Debug)]
pub struct LiveClient {
    player: Player,
}

impl LiveClient {
    /// One that is signed in with `token` and subscribes to `channels`. Waits until that is answered.
    pub async fn start(server: &str, token: &str, channels: &[&str]) -> Result<Self> {
        let settings = json!({ "server": server, "token": token, "channels": channels });
        let client = Self { player: Player::node("live", &settings)? };
        client.until_acknowledged(channels.len()).await?;
        Ok(client)
    }

    /// Leaves, and waits until it has.
    pub async fn leave(&mut self) -> Result<()> {
        let before = self.player.reports("disconnected").len();
        self.player.order("leave", json!({})).await?;
        self.player.until_reports("disconnected", before + 1).await
    }

    /// Comes back to a server, which may be another, and waits until its subscriptions are answered.
    pub async fn come(&mut self, server: &str) -> Result<()> {
        let before = self.acknowledged().len();
        self.player.order("come", json!({ "server": server })).await?;
        self.until_acknowledged(before + 1).await
    }

    /// What each subscription was answered so far.
    pub fn acknowledged(&self) -> Vec<Value> {
        self.player.reports("acknowledged")
    }

    /// Waits until so many subscriptions were answered since it was started.
    pub async fn until_acknowledged(&self, count: usize) -> Result<()> {
        self.player.until_reports("acknowledged", count).await
    }

    /// The envelopes that came so far.
    pub fn envelopes(&self) -> Vec<Value> {
        self.player.reports("envelope")
    }

    /// Those of one channel.
    pub fn envelopes_of(&self, channel: &str) -> Vec<Value> {
        self.envelopes().into_iter().filter(|envelope| envelope["channel"] == channel).collect()
    }

    /// Waits until the envelopes that came show what is wanted.
    pub async fn until<T>(&self, wanted: &str, shown: impl Fn(&[&Value]) -> Option<T>) -> Result<T> {
        self.player.until(wanted, |reports| shown(&of(reports, "envelope").collect::<Vec<_>>())).await
    }
}
