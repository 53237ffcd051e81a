//! The site of this bench: gateways, terminals on each, one climate sensor a terminal, and somebody who may see all.

use anyhow::Result;
use serde_json::{Value, json};

use crate::sensor;

/// How large the site is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The gateway programs.
    pub(crate) gateways: u32,
    /// The terminals of all of them.
    pub(crate) terminals: u32,
}

/// Who may see all.
pub(crate) const ADMIN: &str = "root";
pub(crate) const PASSWORD: &str = "a bench is no secret";

/// The site file.
pub(crate) fn site(scale: Scale) -> Result<Value> {
    let nodes: Vec<Value> = (0..scale.gateways)
        .map(|gateway| json!({ "Name": name(gateway), "Port": 9000, "MaxConnections": 100, "token": token(gateway) }))
        .collect();
    let protocol: Value = serde_json::from_str(sensor::PROTOCOL)?;
    let terminals: Vec<Value> = (0..scale.gateways)
        .flat_map(|gateway| terminals_of(scale, gateway).map(move |terminal| (gateway, terminal)))
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
pub(crate) fn terminals_of(scale: Scale, gateway: u32) -> impl Iterator<Item = u32> {
    (gateway..scale.terminals).step_by(scale.gateways as usize)
}

/// A terminal's mac.
pub(crate) fn mac(terminal: u32) -> String {
    format!("{terminal:012X}")
}

/// The terminal of a mac.
pub(crate) fn terminal(mac: &str) -> Option<u32> {
    u32::from_str_radix(mac, 16).ok()
}

/// What a gateway is known by.
pub(crate) fn token(gateway: u32) -> String {
    format!("the token of {}", name(gateway))
}

fn name(gateway: u32) -> String {
    format!("gateway-{gateway}")
}
