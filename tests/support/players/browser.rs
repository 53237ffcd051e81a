use anyhow::Result;
use serde_json::{Value, json};

use super::{Player, of};

/// A person's browser on `/web`: the genuine npm socket.io-client.
#[derive(Debug)]
pub struct Browser {
    player: Player,
}

impl Browser {
    /// A browser that is signed in as `user` with `token`, and subscribed to `events` on every connect.
    pub async fn start(server: &str, user: &str, token: &str, events: &[&str]) -> Result<Self> {
        let settings = json!({ "server": server, "user": user, "token": token, "events": events });
        let browser = Self { player: Player::node("browser", &settings)? };
        browser.until("registerSuccess").await?;
        Ok(browser)
    }

    /// It says something out of turn.
    pub async fn say(&mut self, event: &str, arguments: Value) -> Result<()> {
        self.player.order("say", json!({ "event": event, "args": arguments })).await
    }

    /// It sends a message that no Socket.IO client would, behind the `4` of Engine.IO.
    pub async fn packet(&mut self, text: &str) -> Result<()> {
        self.player.order("packet", json!({ "text": text })).await
    }

    /// The arguments of each `event` it was pushed so far.
    pub fn received(&self, event: &str) -> Vec<Value> {
        of_event(&self.player.reports("received"), event).cloned().collect()
    }

    /// Waits until it was pushed `event`, and gives the first one's arguments.
    pub async fn until(&self, event: &str) -> Result<Value> {
        self.until_more(event, 0).await
    }

    /// Waits until it was pushed more than `before` of `event`, and gives the last one's arguments.
    pub async fn until_more(&self, event: &str, before: usize) -> Result<Value> {
        let wanted = format!("pushed {event:?} more than {before} times");
        self.player
            .until(&wanted, |reports| {
                let received: Vec<&Value> = of(reports, "received").filter(|args| args["event"] == event).collect();
                received.get(before..)?.last().map(|report| report["args"].clone())
            })
            .await
    }
}

fn of_event<'a>(received: &'a [Value], event: &str) -> impl Iterator<Item = &'a Value> {
    received.iter().filter(move |report| report["event"] == event).map(|report| &report["args"])
}
