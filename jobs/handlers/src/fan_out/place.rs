//! What belongs together, and what people call it.

use domain::Source;
use records::terminals::Terminal;

/// What people call a source.
pub(super) fn of(source: &Source, terminal: Option<&Terminal>) -> String {
    match (source, terminal) {
        (Source::Device(device), Some(terminal)) => {
            let model = terminal.device(device.pid).map_or("?", |mounted| mounted.model.as_str());
            format!("{} / {} {model}", terminal.name, device.pid)
        }
        (Source::Terminal(_), Some(terminal)) => terminal.name.clone(),
        (source, _) => source.to_string(),
    }
}

/// The group of a source, and what people call that: what a terminal's devices say belongs together, and so do the terminals of
/// a node.
pub(super) fn group(source: &Source, terminal: Option<&Terminal>) -> (String, String) {
    match (source, terminal) {
        (Source::Device(device), terminal) => {
            let mac = Source::Terminal(device.mac.clone()).to_string();
            (mac.clone(), terminal.map_or(mac, |terminal| terminal.name.clone()))
        }
        (Source::Terminal(_), Some(terminal)) => {
            (Source::Node(terminal.node.clone()).to_string(), terminal.node.clone())
        }
        (Source::Platform(need), _) => (format!("platform:{}", need.part), need.part.clone()),
        (source, _) => (source.to_string(), source.to_string()),
    }
}
