//! `telltale backtest`: what an alert rule would have raised.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{IsTerminal, Write as _, stderr},
    time::Duration,
};

use anyhow::Context as _;
use api::backtest::{RuleOfFile, plot, tried_on};
use boot::SystemClock;
use domain::{
    Timestamp,
    alarm::{Episode, Severity},
    protocol::ProtocolDocument,
};
use jobs::backtest::{ASSUMED, Backtest, OfDevice, Terms, Told, WouldHaveBeen, untriable};
use records::{
    Clock, Table, TableError,
    alert_rules::Scope,
    protocols,
    terminals::Terminal,
    users::{self, User},
};
use serde_json::{Value, json};

use crate::{cli::BacktestArguments, config::Config, site::table_of};

/// How many alarms the text lists.
const LISTED: usize = 20;

/// `telltale backtest`.
pub(crate) async fn command(arguments: BacktestArguments) -> anyhow::Result<()> {
    boot::init_log("warn");
    let config = Config::load(arguments.config.as_deref())?;
    let file = &arguments.rule;
    let bytes = std::fs::read(file).with_context(|| format!("cannot read the rule file {}", file.display()))?;
    let rule =
        RuleOfFile::parse(&bytes, arguments.user.as_deref()).with_context(|| format!("in {}", file.display()))?;
    if !rule.is_of_devices || untriable(&rule.rule.condition) {
        anyhow::bail!(
            "only what devices said is kept, and not what was missed or lost: this rule cannot be tried on the past"
        );
    }
    let table = table_of(&config).await?;
    let to = SystemClock.now();
    let from = to.minus(arguments.last);
    let user = user(table.as_ref(), arguments.user.as_deref()).await?;
    let terminals = tried_on(table.as_ref(), user.as_ref(), rule.scope.mac()).await?;
    let count = terminals.len();
    let protocols = spoken(table.as_ref(), &terminals, &rule.scope).await?;
    let warnings = rule.warnings(&protocols);
    let terms = Terms::of(&config.notices, &config.alarms);
    let RuleOfFile { name, scope, recipients, rule, .. } = rule;
    let backtest = Backtest { rule, recipients, terms, terminals, from, to, most_readings: usize::MAX };
    let found = backtest
        .run(table.as_ref(), |terminal, mounted| scope.holds(terminal, mounted), |done| tell_progress(done, count))
        .await?;
    if let Some(path) = &arguments.plot {
        let document = plot(&found, &backtest.rule, from, to).context("there is no device to draw")?;
        std::fs::write(path, document).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&found, from, to, &warnings))?);
    } else {
        for warning in &warnings {
            eprintln!("{warning}");
        }
        print!("{}", text(&name, &found, from, to));
    }
    Ok(())
}

/// Whose own rule it is.
async fn user(table: &dyn Table, name: Option<&str>) -> anyhow::Result<Option<User>> {
    let Some(name) = name else { return Ok(None) };
    let user = users::get(table, name).await?;
    Ok(Some(user.with_context(|| format!("there is no user {name:?}"))?))
}

/// What the devices of a scope speak.
async fn spoken(table: &dyn Table, terminals: &[Terminal], scope: &Scope) -> Result<Vec<ProtocolDocument>, TableError> {
    let devices = terminals.iter().flat_map(|terminal| terminal.devices.iter().map(move |device| (terminal, device)));
    let devices = devices.filter(|(terminal, device)| scope.holds(terminal, device));
    let names: BTreeSet<&str> = devices.map(|(_, device)| device.protocol.as_str()).collect();
    let mut spoken = Vec::new();
    for name in names {
        spoken.extend(protocols::get(table, name).await?);
    }
    Ok(spoken)
}

/// On a terminal alone: a log needs no line that overwrites itself.
fn tell_progress(done: usize, of: usize) {
    if stderr().is_terminal() {
        let end = if done == of { "\n" } else { "" };
        // What is only shown is not worth failing for.
        let _ = write!(stderr(), "\r{done} of {of} terminals{end}");
    }
}

fn text(name: &str, found: &WouldHaveBeen, from: Timestamp, to: Timestamp) -> String {
    let (alarms, standing, active) = (found.alarms().count(), found.standing(), found.active(to));
    let head = [
        format!("{name}: {} to {}", from.rfc3339(), to.rfc3339()),
        format!("{} readings of {} devices", found.readings, found.devices.len()),
        format!("{alarms} alarms, {standing} of them would still stand; {} of alarm in all", span(active)),
    ];
    let mut severities: BTreeMap<Severity, usize> = BTreeMap::new();
    for (_, alarm) in found.alarms() {
        *severities.entry(alarm.severity).or_default() += 1;
    }
    let severities =
        severities.iter().rev().map(|(severity, count)| format!("  {:<10}{count:>6}", severity.to_string()));
    let told: Vec<String> = match found.told.as_slice() {
        [] => vec!["  nobody".to_owned()],
        told => told.iter().map(told_line).collect(),
    };
    let devices = found.devices.iter().filter(|device| !device.alarms.is_empty()).take(LISTED);
    let devices = devices.flat_map(|device| device_lines(device, to));
    let title = [String::new(), "would have been told".to_owned()];
    let assumed = ASSUMED.iter().map(|sentence| format!("  ({sentence})"));
    let head = head.into_iter().chain(severities);
    let lines: Vec<String> = head.chain(title).chain(told).chain(assumed).chain(devices).collect();
    lines.join("\n") + "\n"
}

fn told_line(told: &Told) -> String {
    let Told { user, channel, recoveries, repeats, escalations, .. } = told;
    format!(
        "  {user:<20}{channel:<10}{:>6} times, {recoveries} of them of an end, {repeats} again, {escalations} escalated",
        told.notices()
    )
}

/// A device and its latest alarms.
fn device_lines(device: &OfDevice, to: Timestamp) -> Vec<String> {
    let title = format!("{} {}: {} alarms", device.device, device.terminal, device.alarms.len());
    let alarms = device.alarms.iter().rev().take(LISTED).map(|alarm| {
        let lasted = span(alarm.lasted(to));
        let end = if alarm.cleared.is_some() { "" } else { " and on" };
        format!("  {} {:<9} {lasted:>9}{end}  {}", alarm.raised.rfc3339(), alarm.severity.to_string(), alarm.detail)
    });
    [String::new(), title].into_iter().chain(alarms).collect()
}

fn millis(lasted: Duration) -> u64 {
    u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX)
}

/// `3d 4h`, `2h 5m`, `12m 3s`.
fn span(lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m {}s", seconds % 60),
        (0, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// As `POST /api/alerts/rules/backtest` answers, with all alarms.
fn as_json(found: &WouldHaveBeen, from: Timestamp, to: Timestamp, warnings: &[String]) -> Value {
    let (alarms, standing, active) = (found.alarms().count(), found.standing(), found.active(to));
    let alarm = |(device, alarm): (&OfDevice, &Episode)| {
        json!({
            "mac": device.device.mac, "pid": device.device.pid, "terminal": device.terminal,
            "since": alarm.since.rfc3339(), "raised_at": alarm.raised.rfc3339(),
            "cleared_at": alarm.cleared.map(Timestamp::rfc3339), "duration_ms": millis(alarm.lasted(to)),
            "severity": alarm.severity, "detail": alarm.detail,
        })
    };
    let told = |told: &Told| {
        let Told { user, channel, alarms, recoveries, repeats, escalations } = told;
        json!({
            "user": user, "channel": channel, "alarms": alarms, "recoveries": recoveries, "repeats": repeats,
            "escalations": escalations,
        })
    };
    json!({
        "from": from.rfc3339(), "to": to.rfc3339(), "readings": found.readings, "devices": found.devices.len(),
        "left_out": found.left_out, "alarms": alarms, "standing": standing, "active_ms": millis(active),
        "latest": found.latest().into_iter().map(alarm).collect::<Vec<_>>(),
        "notices": found.told.iter().map(told).collect::<Vec<_>>(), "assumed": ASSUMED, "warnings": warnings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_as_json_says_what_was_left_out_and_what_can_hardly_be_meant() {
        let found = WouldHaveBeen { readings: 0, devices: Vec::new(), told: Vec::new(), left_out: 3 };
        let said = as_json(&found, Timestamp(0), Timestamp(1), &["\"temprature\" watches nothing".to_owned()]);
        assert_eq!((&said["left_out"], &said["active_ms"]), (&json!(3), &json!(0)));
        assert_eq!(said["warnings"], json!(["\"temprature\" watches nothing"]));
    }
}
