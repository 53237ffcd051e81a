//! Remote operations: an instruct for a device, an AT command for the DTU, and how a gateway reports them.

use bytes::Bytes;
use domain::protocol::Line;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{hex::hex_of_bytes, socket_io::Emit};

const NO_ANSWER: &str = "挂载设备响应超时，请检查指令是否正确或设备是否在线";

/// An instruct from the server.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Instruct {
    #[serde(rename = "DevMac")]
    pub(crate) mac: String,
    #[serde(rename = "type")]
    pub(crate) line: Line,
    pub(crate) content: String,
    events: String,
}

/// An AT command from the server.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AtCommand {
    #[serde(rename = "DevMac")]
    pub(crate) mac: String,
    pub(crate) content: String,
    events: String,
}

impl Instruct {
    /// The report of what the device answered. Even a refusal is `ok`: the device did answer.
    pub(crate) fn report(self, reply: Option<Vec<u8>>) -> Emit {
        let msg = match &reply {
            None => format!("{NO_ANSWER}/timeOut"),
            Some(bytes) if self.line == Line::Rs232 => {
                let text = String::from_utf8_lossy(bytes).replace(['(', '\n', '\r'], "");
                format!("设备已响应,返回数据：{text}")
            }
            Some(bytes) if bytes.get(1).copied() == self.function_as_gateways_read_it() => {
                format!("设备已响应,返回字节：{}", hex_of_bytes(bytes))
            }
            Some(bytes) => format!("设备已响应，但操作失败,返回字节：{}", hex_of_bytes(bytes)),
        };
        report("deviceopratesuccess", self.events, u8::from(reply.is_some()), &msg, reply)
    }

    /// The function's two hex digits, read as decimal: so a confirmed `10` passes for a failure.
    fn function_as_gateways_read_it(&self) -> Option<u8> {
        self.content.get(2..4).and_then(|digits| digits.parse().ok())
    }
}

impl AtCommand {
    /// The report of what the DTU answered. A bare `+ok` says nothing, so it passes for no answer.
    pub(crate) fn report(self, answer: &str) -> Emit {
        let said = answer.trim().strip_prefix("+ok=");
        let bytes = Some(answer.as_bytes().to_vec());
        report("dtuopratesuccess", self.events, u8::from(said.is_some()), said.unwrap_or(NO_ANSWER), bytes)
    }
}

fn report(event: &'static str, name: String, ok: u8, msg: &str, upserted: Option<Vec<u8>>) -> Emit {
    let placeholder = json!({ "_placeholder": true, "num": 0 });
    let upserted_as_json = if upserted.is_some() { placeholder } else { json!("timeOut") };
    let result = json!({ "ok": ok, "msg": msg, "upserted": upserted_as_json });
    Emit { event, args: vec![Value::from(name), result], attachment: upserted.map(Bytes::from) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instruct(content: &str) -> Instruct {
        let line = if content.len() > 8 { 485 } else { 232 };
        serde_json::from_value(json!({
            "protocol": "p", "DevMac": "98D863CC870D", "pid": 1, "type": line, "events": "oprate1", "content": content,
            "Interval": 20000,
        }))
        .unwrap()
    }

    #[test]
    fn a_device_that_answered_is_reported_with_its_bytes_attached() {
        let reply = vec![0x01, 0x06, 0x00, 0x01, 0x00, 0x01, 0x19, 0xca];
        let emit = instruct("01060001000119ca").report(Some(reply.clone()));
        assert_eq!(emit.event, "deviceopratesuccess");
        assert_eq!(emit.args[0], "oprate1");
        assert_eq!(emit.args[1]["ok"], 1);
        assert_eq!(emit.args[1]["msg"], "设备已响应,返回字节：01060001000119ca");
        assert_eq!(emit.attachment.unwrap(), reply);
        let text = instruct("QMOD").report(Some(b"(L\r".to_vec()));
        assert_eq!(text.args[1]["msg"], "设备已响应,返回数据：L");
    }

    #[test]
    fn a_refusal_is_ok_and_says_that_it_failed() {
        let emit = instruct("01060001000119ca").report(Some(vec![0x01, 0x86, 0x02, 0xc3, 0xa1]));
        assert_eq!(emit.args[1]["ok"], 1);
        assert_eq!(emit.args[1]["msg"], "设备已响应，但操作失败,返回字节：018602c3a1");
    }

    #[test]
    fn silence_is_reported_without_an_attachment() {
        let emit = instruct("01060001000119ca").report(None);
        assert_eq!(emit.args[1]["ok"], 0);
        assert_eq!(emit.args[1]["upserted"], "timeOut");
        assert_eq!(emit.attachment, None);
    }

    #[test]
    fn a_dtu_that_said_nothing_more_than_ok_passes_for_silent() {
        let at = || -> AtCommand {
            serde_json::from_value(json!({ "DevMac": "98D863CC870D", "events": "QueryAT1", "content": "+++AT+VER" }))
                .unwrap()
        };
        assert_eq!(at().report("+ok=V1.0.18\r\n").args[1]["msg"], "V1.0.18");
        assert_eq!(at().report("+ok\r\n").args[1]["ok"], 0);
    }
}
