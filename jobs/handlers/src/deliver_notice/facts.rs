//! What an alarm is about, in parts: for channels that fill a template with them.

use domain::{
    Source,
    alarm::{Change, unowned},
};
use records::{Table, notices::Notice, terminals};
use serde_json::{Value, json};

use crate::{JobError, ports::Address};

/// Whether an address wants them.
pub(super) fn are_for(address: &Address) -> bool {
    matches!(address, Address::Sms { .. } | Address::WeChat { .. })
}

/// `{kind, state, at, name, mac, pid, model, details}`: `kind` is `timeout`, `offline` or `argument`, `state` is `raised` or
/// `cleared`, `at` in milliseconds. None where the notice tells of no source.
pub(super) async fn of(table: &dyn Table, notice: &Notice) -> Result<Option<Value>, JobError> {
    let parts = notice.facts.iter().flat_map(|facts| &facts.parts);
    let Some(part) = parts.max_by_key(|part| part.source == notice.source) else { return Ok(None) };
    let Some(last) = part.changes.last() else { return Ok(None) };
    let terminal = match part.source.mac() {
        Some(mac) => terminals::get(table, mac).await?,
        None => None,
    };
    let pid = match &part.source {
        Source::Device(device) => Some(device.pid),
        _ => None,
    };
    let device = terminal.as_ref().zip(pid).and_then(|(terminal, pid)| terminal.device(pid));
    let is_over = part.changes.iter().all(Change::ends);
    let name = terminal.as_ref().map_or_else(|| part.source.to_string(), |terminal| terminal.name.clone());
    let mac = part.source.mac().map_or_else(|| part.source.to_string(), ToString::to_string);
    Ok(Some(json!({
        "kind": kind(last),
        "state": if is_over { "cleared" } else { "raised" },
        "at": last.at.0,
        "name": name,
        "mac": mac,
        "pid": pid,
        "model": device.map(|device| device.model.as_str()),
        "details": part.changes.iter().map(|change| change.detail.as_str()).collect::<Vec<_>>(),
    })))
}

fn kind(change: &Change) -> &'static str {
    match unowned(&change.rule) {
        "timeout" => "timeout",
        "offline" | "away" => "offline",
        _ => "argument",
    }
}
