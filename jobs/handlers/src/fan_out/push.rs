//! A transition as browsers are shown it: the row of the earlier servers' alarm log (docs/WIRE.md, 7), and beside it every
//! change.

use domain::{
    Source,
    alarm::{Change, unowned},
};
use records::{incidents::Audience, terminals::Terminal};
use serde_json::json;

use super::hearers::Hearer;
use crate::{
    catalog::AlertRules,
    heartbeat::SILENT,
    ports::{self, Push},
};

/// What a log row calls the alarms of a line that is silent or away; all others are `alarm`.
const CONNECTION: &str = "连接";

/// A hearer's part of a transition, for their browsers.
pub(super) fn of(hearer: &Hearer, terminal: Option<&Terminal>, rules: &AlertRules) -> Option<Push> {
    let Hearer { audience: Audience::User(user), transition, .. } = hearer else { return None };
    let source = &transition.source;
    let rule = transition.changes.first().map_or("", |change| &change.rule);
    let tag = tag(unowned(rule));
    let device = match source {
        Source::Device(device) => terminal.and_then(|terminal| terminal.device(device.pid)),
        Source::Terminal(_) | Source::Node(_) | Source::Platform(_) => None,
    };
    let details: Vec<&str> = transition.changes.iter().map(|change| change.detail.as_str()).collect();
    let is_over = transition.changes.iter().all(Change::ends);
    let mut data = json!({
            "id": transition.id,
            "source": source.to_string(),
            "mac": source.mac(),
            "pid": device.map(|device| device.pid),
            "devName": terminal.map(|terminal| &terminal.name),
            "protocol": device.map(|device| &device.protocol),
            "type": if is_of_connections(rule, rules) { CONNECTION } else { "alarm" },
            "tag": tag,
            "msg": details.join("; "),
            "severity": transition.changes.iter().map(|change: &Change| change.severity).max(),
            "isOk": is_over,
            "timeStamp": transition.at,
            "changes": transition.changes,
    });
    if let Some(cause) = &transition.unknown {
        data["unknown"] = json!(cause.to_string());
    }
    Some(Push { event: "alarm".to_owned(), audience: ports::Audience::User(user.clone()), data })
}

/// What kind of rule raised it, in the log's words.
fn tag(rule: &str) -> &str {
    match rule.split_once(':').map_or(rule, |(kind, _)| kind) {
        "threshold" => "Threshold",
        "state" => "AlarmStat",
        other => other,
    }
}

/// Whether a rule is about silence or absence: not about a value.
fn is_of_connections(rule: &str, rules: &AlertRules) -> bool {
    matches!(unowned(rule), "timeout" | "offline" | "away" | SILENT) || rules.is_of_connections(rule)
}
