use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Player, of};

/// A gateway program of the field, down to its habits and its deaths: the genuine npm socket.io-client.
#[derive(Debug)]
pub struct Gateway {
    player: Player,
}

/// Which program it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Variant {
    /// `UartNode` 3.2: one socket, no token, posts once.
    #[serde(rename = "uartnode")]
    OneSocket,
    /// uart-node 3.3: two sockets, a token, posts again when refused.
    #[serde(rename = "uart-node")]
    TwoSockets,
}

/// A DTU behind a gateway.
#[derive(Debug, Clone, Serialize)]
pub struct Dtu {
    /// Its mac.
    pub mac: &'static str,
    /// The local TCP port that is its serial line.
    pub port: u16,
    /// Whether it reaches the gateway over a SIM.
    pub sim: bool,
}

/// What a gateway is like.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Which program.
    pub variant: Variant,
    /// Its token; only [`Variant::TwoSockets`] sends it.
    pub token: &'static str,
    /// Its DTUs.
    pub terminals: Vec<Dtu>,
    /// How long it waits with `register`. The real one answers at once.
    pub register_after: Duration,
    /// What else is its own.
    pub habits: Habits,
}

/// Ways in which gateway programs and the places they stand in differ.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Habits {
    /// What its first socket connects by; by polling and then an upgrade when nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transports: Option<[&'static str; 1]>,
    /// Whether the path it connects to ends with a slash.
    pub slash: bool,
    /// Whether it replies to operations with one list rather than with two arguments.
    pub list_replies: bool,
    /// The zone that its dates are written in.
    pub time_zone: &'static str,
}

impl Default for Habits {
    fn default() -> Self {
        Self { transports: None, slash: true, list_replies: false, time_zone: "UTC" }
    }
}

/// One of a gateway's two sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// The one that registers.
    First,
    /// The one that only sends.
    Second,
}

impl Socket {
    fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }
}

/// One POST of a gateway, and how it was answered.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Posted {
    /// The route below `/api/node/`.
    pub path: String,
    /// What was posted.
    pub body: Value,
    /// The status, 0 when there was no answer.
    pub status: u16,
}

impl Gateway {
    /// Starts it against `server`. It is faster than the real one: ready in 200 ms, and devices have 200 ms to answer.
    pub fn start(server: &str, settings: &GatewaySettings) -> Result<Self> {
        let mut all = serde_json::to_value(&settings.habits)?;
        let settings = json!({
            "variant": settings.variant,
            "server": server,
            "token": settings.token,
            "terminals": settings.terminals,
            "registerMs": settings.register_after.as_millis(),
            "readyMs": 200,
            "deviceMs": 200,
            "relineMs": 4000,
        });
        if let (Value::Object(all), Value::Object(settings)) = (&mut all, settings) {
            all.extend(settings);
        }
        Ok(Self { player: Player::node("gateway", &all)? })
    }

    /// A DTU's connection ends; the gateway says `terminalOff`.
    pub async fn drop_terminal(&mut self, mac: &str) -> Result<()> {
        self.player.order("drop", json!({ "mac": mac })).await
    }

    /// The DTU comes back; the gateway says `terminalOn`.
    pub async fn restore_terminal(&mut self, mac: &str) -> Result<()> {
        self.player.order("restore", json!({ "mac": mac })).await
    }

    /// A DTU's line goes dead: nothing on it answers.
    pub async fn silence(&mut self, mac: &str) -> Result<()> {
        self.player.order("silence", json!({ "mac": mac })).await
    }

    /// The line is alive again.
    pub async fn unsilence(&mut self, mac: &str) -> Result<()> {
        self.player.order("unsilence", json!({ "mac": mac })).await
    }

    /// What the devices on a DTU's line say takes so many milliseconds to come in.
    pub async fn lag(&mut self, mac: &str, ms: u64) -> Result<()> {
        self.player.order("lag", json!({ "mac": mac, "ms": ms })).await
    }

    /// What the devices on a DTU's line say comes in two parts, or whole again.
    pub async fn split(&mut self, mac: &str, split: bool) -> Result<()> {
        self.player.order("split", json!({ "mac": mac, "split": split })).await
    }

    /// The connection to the server is cut without a goodbye.
    pub async fn cut(&mut self) -> Result<()> {
        self.cut_socket(Socket::First).await
    }

    /// One connection to the server is cut without a goodbye.
    pub async fn cut_socket(&mut self, socket: Socket) -> Result<()> {
        self.player.order("cut", json!({ "socket": socket.number() })).await
    }

    /// A socket goes away, and stays away until it is told to return.
    pub async fn leave(&mut self, socket: Socket) -> Result<()> {
        self.player.order("leave", json!({ "socket": socket.number() })).await
    }

    /// A socket that went away comes back.
    pub async fn come_back(&mut self, socket: Socket) -> Result<()> {
        self.player.order("return", json!({ "socket": socket.number() })).await
    }

    /// It says something out of turn.
    pub async fn say(&mut self, socket: Socket, event: &str, arguments: Value) -> Result<()> {
        self.player.order("say", json!({ "socket": socket.number(), "event": event, "args": arguments })).await
    }

    /// It sends a message that no Socket.IO client would, behind the `4` of Engine.IO.
    pub async fn packet(&mut self, socket: Socket, text: &str) -> Result<()> {
        self.player.order("packet", json!({ "socket": socket.number(), "text": text })).await
    }

    /// The transports of its first socket so far: what it opened by, what it was upgraded to.
    pub fn transports(&self) -> Vec<String> {
        let told = [self.player.reports("opened"), self.player.reports("upgraded")].concat();
        let of_first = told.iter().filter(|report| report["socket"] == 1);
        of_first.filter_map(|report| report["transport"].as_str().map(str::to_owned)).collect()
    }

    /// What it sent so far as `event`: the arguments of each.
    pub fn sent(&self, event: &str) -> Vec<Value> {
        let sent = self.player.reports("sent").into_iter().filter(|report| report["event"] == event);
        sent.map(|report| report["args"].clone()).collect()
    }

    /// Whether the program still runs: what the real one would die of, this one dies of.
    pub fn lives(&mut self) -> Result<bool> {
        self.player.runs()
    }

    /// The names of the events it received so far, on all its sockets.
    pub fn received(&self) -> Vec<String> {
        self.player.reports("received").iter().map(event).collect()
    }

    /// Waits until it sent `event` so many times.
    pub async fn until_sent(&self, event: &str, times: usize) -> Result<()> {
        let is_it = |report: &&Value| report["event"] == event;
        self.player
            .until(&format!("having sent {event:?} {times} times"), |reports| {
                (of(reports, "sent").filter(is_it).count() >= times).then_some(())
            })
            .await
    }

    /// What it had received by the time it first sent `event`.
    pub async fn received_before_sending(&self, event_sent: &str) -> Result<Vec<String>> {
        let sent = |report: &Value| report["sent"]["event"] == event_sent;
        self.player
            .until(&format!("sending {event_sent:?}"), |reports| {
                let at = reports.iter().position(sent)?;
                Some(of(&reports[..at], "received").map(event).collect())
            })
            .await
    }

    /// What it posted to a route, and how that was answered.
    pub fn posted(&self, path: &str) -> Vec<Posted> {
        self.player.reports("posted").iter().filter_map(|report| posted(report, path)).collect()
    }

    /// Waits until it posted to a route so many times, and gives the last of these.
    pub async fn until_posted(&self, path: &str, times: usize) -> Result<Posted> {
        let wanted = format!("posting {path} {times} times");
        let nth = times.saturating_sub(1);
        self.player
            .until(&wanted, |reports| of(reports, "posted").filter_map(|report| posted(report, path)).nth(nth))
            .await
    }

    /// Waits until its connection was lost so many times, and gives for each whether it went on trying.
    pub async fn until_disconnected(&self, times: usize) -> Result<Vec<bool>> {
        let retries = |report: &Value| report["retries"].as_bool();
        self.player
            .until(&format!("cut off {times} times"), |reports| {
                let lost = of(reports, "disconnected").chain(of(reports, "refused"));
                let lost: Vec<bool> = lost.filter_map(retries).collect();
                (lost.len() >= times).then_some(lost)
            })
            .await
    }
}

fn event(report: &Value) -> String {
    report["event"].as_str().unwrap_or_default().to_owned()
}

fn posted(report: &Value, path: &str) -> Option<Posted> {
    Posted::deserialize(report).ok().filter(|posted| posted.path == path)
}
