//! What a server must know to recognise a field.

use serde_json::{Value, json};

use crate::{
    FieldSettings,
    device::Device,
    plan::{self, TerminalPlan},
};

/// What the field's devices speak. The tests of the protocol engine are made with the same documents.
const PROTOCOLS: [&str; 2] = [
    include_str!("../../../tests/fixtures/th-modbus.protocol.json"),
    include_str!("../../../tests/fixtures/ups-text.protocol.json"),
];

/// What is normal for them.
const CONSTANTS: &str = include_str!("../../../tests/fixtures/th-modbus.constants.json");

/// The site file of a field: its protocols, constants, nodes (with their tokens) and terminals, in the form in which a
/// server imports a site.
pub fn site(settings: &FieldSettings) -> Value {
    let (mut nodes, mut terminals) = (Vec::new(), Vec::new());
    for node in plan::nodes(settings) {
        nodes.push(json!({
            "Name": node.name,
            "IP": "127.0.0.1",
            "Port": 9000,
            "MaxConnections": 2000,
            "token": node.token,
        }));
        terminals.extend(node.terminals.iter().map(|terminal| describe(settings, &node.name, terminal)));
    }
    json!({ "protocols": PROTOCOLS.map(document), "constants": [document(CONSTANTS)], "nodes": nodes, "terminals": terminals })
}

/// A document that is part of the program; null, which no server imports, if it were not JSON.
fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn describe(settings: &FieldSettings, node: &str, terminal: &TerminalPlan) -> Value {
    let devices: Vec<Value> = terminal.devices.iter().map(|device| mounted(settings, device)).collect();
    json!({ "DevMac": terminal.mac, "name": terminal.name, "mountNode": node, "mountDevs": devices })
}

fn mounted(settings: &FieldSettings, device: &Device) -> Value {
    let described = device.description();
    let mut mounted = json!({
        "Type": described.kind,
        "mountDev": described.model,
        "protocol": described.protocol,
        "pid": device.pid,
    });
    if let Some(interval) = settings.min_query_interval {
        mounted["minQueryLimit"] = json!(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX));
    }
    mounted
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use domain::{
        Mac,
        protocol::{ConstantsDocument, Protocol, ProtocolDocument, Reply},
        reading::Quality,
        script::NoScripts,
    };
    use reqwest::Url;

    use super::*;
    use crate::line::encode;

    fn settings() -> FieldSettings {
        let limit = Some(Duration::from_secs(9));
        FieldSettings { min_query_interval: limit, ..FieldSettings::new(Url::parse("http://127.0.0.1").unwrap()) }
    }

    fn protocols(site: &Value) -> BTreeMap<String, Protocol> {
        let documents: Vec<ProtocolDocument> = serde_json::from_value(site["protocols"].clone()).unwrap();
        documents
            .iter()
            .map(|document| (document.protocol.clone(), Protocol::compile(document, &NoScripts).unwrap()))
            .collect()
    }

    #[test]
    fn every_device_answers_all_that_the_protocol_of_the_site_asks_of_it() {
        let settings = settings();
        let protocols = protocols(&site(&settings));
        for terminal in plan::nodes(&settings).flat_map(|node| node.terminals) {
            for mut device in terminal.devices {
                let protocol = &protocols[device.description().protocol];
                assert_eq!(protocol.line(), terminal.line);
                let contents = protocol.contents(device.pid);
                let mut ask =
                    |content| device.answer(&encode(terminal.line, content).unwrap(), Duration::ZERO).unwrap();
                let answers: Vec<Vec<u8>> = contents.iter().map(|content| ask(content)).collect();
                let replies: Vec<Reply<'_>> =
                    contents.iter().zip(&answers).map(|(content, bytes)| Reply { content, bytes }).collect();
                let parsed = protocol.read(device.pid, &replies);
                assert!(parsed.rejected.is_empty(), "{parsed:?}");
                assert!(parsed.values.iter().all(|value| value.quality == Quality::Good), "{parsed:?}");
            }
        }
    }

    #[test]
    fn a_site_names_its_nodes_terminals_and_devices_as_a_server_wants_them() {
        let site = site(&settings());
        let node = &site["nodes"][1];
        assert_eq!(node["Name"], "virtual-1-0002");
        assert_eq!(node["token"].as_str().unwrap().len(), 32);
        let terminal = &site["terminals"][4];
        assert_eq!(terminal["mountNode"], node["Name"]);
        terminal["DevMac"].as_str().unwrap().parse::<Mac>().unwrap();
        let second = json!({
            "Type": "温湿度", "mountDev": "TH-10", "protocol": "温湿度传感器", "pid": 2, "minQueryLimit": 9000,
        });
        assert_eq!(terminal["mountDevs"][1], second);
        let constants: Vec<ConstantsDocument> = serde_json::from_value(site["constants"].clone()).unwrap();
        assert!(constants[0].rules().is_ok_and(|rules| !rules.is_empty()));
    }
}
