//! The climate sensor of every terminal: its replies, the post they come in, and the item they are stored as.

use anyhow::{Result, bail, ensure};
use domain::{
    DeviceId, Pid, Timestamp,
    frame::crc16_modbus,
    protocol::{Protocol, Reply},
    reading::Reading,
    script::NoScripts,
};
use records::{Item, Write, readings};
use serde_json::{Value, json};

use crate::site::{ROUNDS, mac};

pub(crate) const PROTOCOL: &str = include_str!("../fixtures/th-modbus.protocol.json");
pub(crate) const CONSTANTS: &str = include_str!("../fixtures/th-modbus.constants.json");

/// Its address on the line.
pub(crate) const PID: Pid = 1;

/// The poll interval that its answers tell, in milliseconds: so long that no answer comes too late to raise an alarm.
const INTERVAL: u64 = 600_000;
/// Tenths of a degree in the last round: too warm by the constants, so that it raises an alarm.
const TOO_WARM: u16 = 350;

/// What every sensor speaks.
pub(crate) struct Sensor {
    protocol: Protocol,
    contents: Vec<String>,
}

impl Sensor {
    /// A sensor that answers all its protocol asks.
    pub(crate) fn new() -> Result<Self> {
        let protocol = Protocol::compile(&serde_json::from_str(PROTOCOL)?, &NoScripts)?;
        let contents = protocol.contents(PID);
        Ok(Self { protocol, contents })
    }

    /// The body of the `queryData` post of a terminal's answer.
    pub(crate) fn query_data(&self, terminal: u32, round: u16, asked: Timestamp) -> String {
        let told = |(content, bytes): (&String, Vec<u8>)| {
            let buffer = json!({ "type": "Buffer", "data": bytes });
            json!({ "content": content, "buffer": buffer, "useTime": 66, "useByte": 17 })
        };
        let contents: Vec<Value> = self.contents.iter().zip(replies(round)).map(told).collect();
        let data = json!({
            "mac": mac(terminal), "type": 485, "mountDev": "TH-10", "protocol": self.protocol.name(), "pid": PID,
            "timeStamp": asked, "content": self.contents, "Interval": INTERVAL, "useTime": 132, "useBytes": 34,
            "DevMac": mac(terminal), "eventType": "QueryInstruct", "contents": contents, "time": asked,
        });
        json!({ "data": data }).to_string()
    }

    /// The history item that this answer becomes when no other of its terminal comes in the same batch.
    pub(crate) fn history_item(&self, terminal: u32, round: u16, asked: Timestamp) -> Result<Item> {
        let replies = replies(round);
        let replies: Vec<Reply<'_>> =
            self.contents.iter().zip(&replies).map(|(content, bytes)| Reply { content, bytes }).collect();
        let parsed = self.protocol.read(PID, &replies);
        ensure!(parsed.rejected.is_empty(), "the sensor's own protocol rejects it: {:?}", parsed.rejected);
        let device = DeviceId { mac: mac(terminal).parse()?, pid: PID };
        let mac = device.mac.clone();
        let reading = Reading { device, asked, at: asked, arrived: asked, late: false, values: parsed.values };
        // As long as a batch's name is.
        let batch = format!("{round:026}");
        match readings::append(&mac, &batch, asked, &[reading])? {
            Write::Put(item, _) => Ok(item),
            Write::Delete(..) => bail!("history is only appended to"),
        }
    }
}

/// The frames that answer the protocol's two instructions: the climate, whose temperature moves every round, and that it
/// runs.
fn replies(round: u16) -> [Vec<u8>; 2] {
    let [high, low] = if round == ROUNDS - 1 { TOO_WARM } else { 200 + round }.to_be_bytes();
    [with_crc(vec![PID, 3, 4, high, low, 2, 88]), with_crc(vec![PID, 3, 2, 0, 1])]
}

fn with_crc(mut frame: Vec<u8>) -> Vec<u8> {
    frame.extend(crc16_modbus(&frame).to_le_bytes());
    frame
}
