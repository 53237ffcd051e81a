//! The climate sensor of every terminal: its replies, and the post they come in.

use anyhow::Result;
use domain::{
    Pid,
    frame::crc16_modbus,
    protocol::{Protocol, Reply},
    reading::Value,
    script::NoScripts,
};
use serde_json::json;

use crate::{posted::QueryData, site::mac};

pub(crate) const PROTOCOL: &str = include_str!("../fixtures/th-modbus.protocol.json");
pub(crate) const CONSTANTS: &str = include_str!("../fixtures/th-modbus.constants.json");

/// Its address on the line.
pub(crate) const PID: Pid = 1;

/// The poll interval that its answers tell, in milliseconds: so long that no answer comes too late to raise an alarm.
const INTERVAL: u64 = 600_000;
/// Tenths of a degree that are too warm by the constants, so that they raise an alarm.
pub(crate) const TOO_WARM: u16 = 350;

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

    /// The name of what it speaks.
    pub(crate) fn protocol(&self) -> &str {
        self.protocol.name()
    }

    /// What it is asked; its mac and the instant are not in it.
    pub(crate) fn query(&self) -> serde_json::Value {
        json!({
            "type": 485, "mountDev": "TH-10", "protocol": self.protocol(), "pid": PID, "content": self.contents,
            "Interval": INTERVAL, "useTime": 0,
        })
    }

    /// The values in the body of a `queryData` post, of frames that are proven.
    pub(crate) fn read(&self, body: &str) -> Result<Vec<Value>> {
        let told = serde_json::from_str::<QueryData>(body)?.data;
        let replies = told.contents.iter().map(|told| Reply { content: &told.content, bytes: &told.buffer.data });
        Ok(self.protocol.read(told.pid, &replies.collect::<Vec<_>>()).values)
    }

    /// The body of the `queryData` post of a terminal's answer.
    pub(crate) fn query_data(&self, terminal: u32, tenths: u16, asked: i64) -> String {
        let told = |(content, bytes): (&String, Vec<u8>)| {
            let buffer = json!({ "type": "Buffer", "data": bytes });
            json!({ "content": content, "buffer": buffer, "useTime": 66, "useByte": 17 })
        };
        let contents: Vec<serde_json::Value> = self.contents.iter().zip(replies(tenths)).map(told).collect();
        let data = json!({
            "mac": mac(terminal), "type": 485, "mountDev": "TH-10", "protocol": self.protocol.name(), "pid": PID,
            "timeStamp": asked, "content": self.contents, "Interval": INTERVAL, "useTime": 132, "useBytes": 34,
            "DevMac": mac(terminal), "eventType": "QueryInstruct", "contents": contents, "time": asked,
        });
        json!({ "data": data }).to_string()
    }
}

/// The frames that answer the protocol's two instructions: the climate at so many tenths of a degree, and that it runs.
fn replies(tenths: u16) -> [Vec<u8>; 2] {
    let [high, low] = tenths.to_be_bytes();
    [with_crc(vec![PID, 3, 4, high, low, 2, 88]), with_crc(vec![PID, 3, 2, 0, 1])]
}

fn with_crc(mut frame: Vec<u8>) -> Vec<u8> {
    frame.extend(crc16_modbus(&frame).to_le_bytes());
    frame
}
