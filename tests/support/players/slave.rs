use anyhow::Result;
use serde_json::{Map, Value, json};

use super::Player;

/// The Modbus devices of one 485 line: a genuine pymodbus server.
#[derive(Debug)]
pub struct Slave {
    player: Player,
    port: u16,
}

impl Slave {
    /// Devices by pid, each with its holding registers from address 0 on.
    pub async fn start<const N: usize>(devices: [(u8, &[u16]); N]) -> Result<Self> {
        let devices: Map<String, Value> =
            devices.iter().map(|(pid, values)| (pid.to_string(), json!({ "address": 0, "values": values }))).collect();
        let player = Player::python("slave", &json!({ "devices": devices }))?;
        let port = player.port().await?;
        Ok(Self { player, port })
    }

    /// The local TCP port that is its line.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets a device's holding registers from address 0 on.
    pub async fn set(&mut self, pid: u8, values: &[u16]) -> Result<()> {
        self.player.order_done("set", json!({ "pid": pid, "address": 0, "values": values })).await
    }

    /// A device dies: it answers no more. Its neighbours do.
    pub async fn silence(&mut self, pid: u8) -> Result<()> {
        self.player.order_done("silence", json!({ "pid": pid })).await
    }

    /// The device answers again.
    pub async fn unsilence(&mut self, pid: u8) -> Result<()> {
        self.player.order_done("unsilence", json!({ "pid": pid })).await
    }
}
