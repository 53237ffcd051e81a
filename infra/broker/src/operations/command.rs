//! Operations as nodes are sent them.

use domain::Timestamp;
use jobs::ports::Order;
use serde::Serialize;
use serde_json::Value;

/// How long a node may take for an instruction, in milliseconds, as it is told. The programs do not look at it.
const INTERVAL: u64 = 20_000;

/// What a node is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Command {
    /// `instructQuery`: an instruction for a device.
    Device {
        protocol: String,
        #[serde(rename = "DevMac")]
        mac: String,
        pid: u8,
        #[serde(rename = "type")]
        line: u16,
        events: String,
        content: String,
        #[serde(rename = "Interval")]
        interval: u64,
    },
    /// `DTUoprate`: an AT command.
    At {
        #[serde(rename = "DevMac")]
        mac: String,
        events: String,
        content: String,
    },
    /// `restart`.
    Restart {
        #[serde(rename = "eventName")]
        events: String,
        data: Value,
    },
}

/// What an operation is called, so that its answer can be told: as the server before us called it.
pub(super) fn name(order: &Order, at: Timestamp) -> String {
    match order {
        Order::Device { mac, .. } => format!("oprate{}{mac}", at.0),
        Order::At { mac, .. } => format!("QueryAT{}{mac}", at.0),
        Order::Restart => format!("restart{}", at.0),
    }
}

impl Command {
    /// The order, under that name.
    pub(super) fn new(order: &Order, name: &str) -> Self {
        let events = name.to_owned();
        match order.clone() {
            Order::Device { mac, pid, line, protocol, content, .. } => {
                Self::Device { protocol, mac: mac.into(), pid, line, events, content, interval: INTERVAL }
            }
            Order::At { mac, command } => Self::At { mac: mac.into(), events, content: command },
            Order::Restart => Self::Restart { events, data: Value::Null },
        }
    }

    /// The event it is sent as.
    pub(crate) fn event(&self) -> &'static str {
        match self {
            Self::Device { .. } => "instructQuery",
            Self::At { .. } => "DTUoprate",
            Self::Restart { .. } => "restart",
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Mac, frame::Proof};

    use super::*;

    fn written(order: &Order) -> (&'static str, String) {
        let command = Command::new(order, &name(order, Timestamp(1_795_424_465_907)));
        (command.event(), serde_json::to_string(&command).unwrap())
    }

    fn mac() -> Mac {
        "98D863CC870D".parse().unwrap()
    }

    #[test]
    fn an_instruction_is_written_as_the_contract_has_it() {
        let order = Order::Device {
            mac: mac(),
            pid: 1,
            line: 485,
            protocol: "modbusP".to_owned(),
            content: "01060001000119ca".to_owned(),
            proof: Proof::Rtu,
        };
        let json = r#"{"protocol":"modbusP","DevMac":"98D863CC870D","pid":1,"type":485,"events":"oprate179542446590798D863CC870D","content":"01060001000119ca","Interval":20000}"#;
        assert_eq!(written(&order), ("instructQuery", json.to_owned()));
    }

    #[test]
    fn an_at_command_is_written_as_the_contract_has_it() {
        let order = Order::At { mac: mac(), command: "+++AT+VER".to_owned() };
        let json = r#"{"DevMac":"98D863CC870D","events":"QueryAT179542446590798D863CC870D","content":"+++AT+VER"}"#;
        assert_eq!(written(&order), ("DTUoprate", json.to_owned()));
    }

    #[test]
    fn a_restart_is_written_as_the_contract_has_it() {
        let json = r#"{"eventName":"restart1795424465907","data":null}"#;
        assert_eq!(written(&Order::Restart), ("restart", json.to_owned()));
    }
}
