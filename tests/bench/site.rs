//! The site of this bench: gateways, terminals on each, one climate sensor a terminal, and somebody who may see all.

use std::ops::Range;

use anyhow::Result;
use serde_json::{Value, json};

use crate::sensor;

/// The gateway programs.
pub(crate) const GATEWAYS: u32 = 16;
const TERMINALS_EACH: u32 = 64;
/// The terminals of all of them.
pub(crate) const TERMINALS: u32 = GATEWAYS * TERMINALS_EACH;
/// How often each sensor answers.
pub(crate) const ROUNDS: u16 = 60;
/// The answers of all of them.
pub(crate) const ANSWERS: u32 = TERMINALS * ROUNDS as u32;

/// Who may see all.
pub(crate) const ADMIN: &str = "root";
pub(crate) const PASSWORD: &str = "a bench is no secret";

/// The site file.
pub(crate) fn site() -> Result<Value> {
    let nodes: Vec<Value> = (0..GATEWAYS)
        .map(|gateway| json!({ "Name": name(gateway), "Port": 9000, "MaxConnections": 100, "token": token(gateway) }))
        .collect();
    let protocol: Value = serde_json::from_str(sensor::PROTOCOL)?;
    let terminals: Vec<Value> = (0..GATEWAYS)
        .flat_map(|gateway| terminals_of(gateway).map(move |terminal| (gateway, terminal)))
        .map(|(gateway, terminal)| {
            let device =
                json!({ "Type": "th", "mountDev": "TH-10", "protocol": protocol["Protocol"], "pid": sensor::PID });
            json!({
                "DevMac": mac(terminal), "name": mac(terminal), "mountNode": name(gateway), "mountDevs": [device],
            })
        })
        .collect();
    Ok(json!({
        "protocols": [protocol],
        "constants": [serde_json::from_str::<Value>(sensor::CONSTANTS)?],
        "nodes": nodes,
        "terminals": terminals,
        "users": [{ "user": ADMIN, "name": "Root", "passwd": PASSWORD, "userGroup": "admin" }],
    }))
}

/// The terminals of a gateway.
pub(crate) fn terminals_of(gateway: u32) -> Range<u32> {
    gateway * TERMINALS_EACH..(gateway + 1) * TERMINALS_EACH
}

/// A terminal's mac.
pub(crate) fn mac(terminal: u32) -> String {
    format!("{terminal:012X}")
}

/// What a gateway is known by.
pub(crate) fn token(gateway: u32) -> String {
    format!("the token of {}", name(gateway))
}

fn name(gateway: u32) -> String {
    format!("gateway-{gateway}")
}
