//! What an alarm is about, in parts: for channels that fill a template with them.

use domain::{
    Source,
    alarm::{Change, ChangeKind, unowned},
};
use records::{Table, alarms, notices::Notice, terminals};
use serde_json::{Value, json};

use crate::{JobError, ports::Address};

/// Whether an address wants them.
pub(super) fn are_for(address: &Address) -> bool {
    matches!(address, Address::Sms { .. } | Address::WeChat { .. })
}

/// `{kind, state, at, name, mac, pid, model, details}`: `kind` is `timeout`, `offline` or `argument`, `state` is `raised` or
/// `cleared`, `at` in milliseconds. None where the notice is about no stored transition.
pub(super) async fn of(table: &dyn Table, notice: &Notice) -> Result<Option<Value>, JobError> {
    let Some(transition) = alarms::transition(table, &notice.source, &notice.transition).await? else {
        return Ok(None);
    };
    let changes: Vec<&Change> = transition.changes.iter().filter(|change| is_told(change, notice)).collect();
    let Some(last) = changes.last() else { return Ok(None) };
    let terminal = match notice.source.mac() {
        Some(mac) => terminals::get(table, mac).await?,
        None => None,
    };
    let pid = match &notice.source {
        Source::Device(device) => Some(device.pid),
        _ => None,
    };
    let device = terminal.as_ref().zip(pid).and_then(|(terminal, pid)| terminal.device(pid));
    let is_over = changes.iter().all(|change| change.kind == ChangeKind::Cleared);
    let name = terminal.as_ref().map_or_else(|| notice.source.to_string(), |terminal| terminal.name.clone());
    let mac = notice.source.mac().map_or_else(|| notice.source.to_string(), ToString::to_string);
    Ok(Some(json!({
        "kind": kind(last),
        "state": if is_over { "cleared" } else { "raised" },
        "at": last.at.0,
        "name": name,
        "mac": mac,
        "pid": pid,
        "model": device.map(|device| device.model.as_str()),
        "details": changes.iter().map(|change| change.detail.as_str()).collect::<Vec<_>>(),
    })))
}

/// Whether the notice tells of it: the text has a line of each change that concerns the person.
fn is_told(change: &Change, notice: &Notice) -> bool {
    !change.shadow && notice.text.contains(&change.detail)
}

fn kind(change: &Change) -> &'static str {
    match unowned(&change.rule) {
        "timeout" => "timeout",
        "offline" | "away" => "offline",
        _ => "argument",
    }
}
