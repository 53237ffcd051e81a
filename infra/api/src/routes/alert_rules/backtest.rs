//! What a rule would have raised.

use std::{sync::Arc, time::Duration};

use domain::{
    Timestamp,
    alarm::{Episode, Rule, Severity, Target},
};
use engine_http::{Json, Problem, axum::extract::State};
use jobs::backtest::{ASSUMED, Backtest, OfDevice, Told, WouldHaveBeen, untriable};
use records::{alert_rules::rule_id, readings::RAW_RETENTION, users::User};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{form::RuleForm, may_change, proof::Seen};
use crate::{
    backtest::{plot, tried_on},
    error::ApiError,
    moment::{self, Moment},
    site::Site,
    visitor::SignedIn,
};

const DEFAULT_SPAN: Duration = Duration::from_hours(7 * 24);
/// More are for the command line.
const MOST_READINGS: usize = 100_000;
const MOST_LISTED: usize = 500;

/// A rule to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    /// The rule. Nothing of it is stored.
    rule: RuleForm,
    /// The first instant of arrival: RFC 3339 or milliseconds since 1970. Seven days before `to` when absent.
    from: Option<String>,
    /// The last instant of arrival. Now when absent.
    to: Option<String>,
    /// Whether a plot is wanted of the device with the most alarms.
    #[serde(default)]
    plot: bool,
}

/// What a rule would have raised, and whom it would have told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Backtested {
    /// The first instant of arrival.
    from: Moment,
    /// The last one.
    to: Moment,
    /// How many devices it was tried on.
    devices: usize,
    /// How many devices it was not tried on any more, since there were too many readings: make the time shorter, or the scope
    /// smaller.
    left_out: usize,
    /// On how many readings.
    readings: usize,
    /// How many alarms there would have been.
    alarms: usize,
    /// How many of them would still stand.
    standing: usize,
    /// For how long there would have been an alarm, over all devices, in milliseconds.
    active_ms: u64,
    /// The latest of them, newest first.
    latest: Vec<BacktestedAlarm>,
    /// How often each person would have been told on each channel.
    notices: Vec<BacktestedNotices>,
    /// What was taken for granted when they were counted, and what was left out, in words.
    assumed: Vec<&'static str>,
    /// What can hardly be meant of the rule: names that no value of the devices in its scope has.
    warnings: Vec<String>,
    /// An SVG document, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    plot: Option<String>,
}

/// An alarm that would have been.
#[derive(Debug, Serialize, ToSchema)]
struct BacktestedAlarm {
    /// The terminal.
    mac: String,
    /// What people call it.
    terminal: String,
    /// The device's address.
    pid: u8,
    /// When the condition began.
    since: Moment,
    /// When it would have been raised.
    raised_at: Moment,
    /// When it would have ended; null while it would stand.
    #[schema(required)]
    cleared_at: Option<Moment>,
    /// For how long, up to now where it would stand, in milliseconds.
    duration_ms: u64,
    /// How much it would have mattered at most: `info`, `warning` or `critical`.
    #[schema(value_type = String)]
    severity: Severity,
    /// What was seen.
    detail: String,
}

/// How often one person would have been told on one channel.
#[derive(Debug, Serialize, ToSchema)]
struct BacktestedNotices {
    /// The user.
    user: String,
    /// On which channel.
    channel: String,
    /// Of alarms that began, or came to matter more or less, maybe beside others that ended.
    alarms: usize,
    /// Of ends alone.
    recoveries: usize,
    /// That say again what stands and nobody acknowledged.
    repeats: usize,
    /// To those who hear since nobody acknowledged.
    escalations: usize,
}

/// Try an alert rule on what was read
///
/// Tells what it would have raised, when and for how long, and how often it would have told whom, had it been in force and nothing
/// been active before. Notices are counted as routing tells: gathered by the routing policies into incidents, with follow-ups,
/// repeats, escalation and one recovery; `assumed` says what that takes for granted. What was missed or lost is not kept, so conditions that rest on that are refused; `no_data` counts also
/// the time in which the way to the device was lost. Nothing is stored, and nobody is told.
#[utoipa::path(
    post, path = "/api/alerts/rules/backtest", operation_id = "backtest_alert_rule", tag = "alert rules",
    request_body = Trial, responses((status = 200, description = "What would have been", body = Backtested))
)]
pub(super) async fn backtest(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(trial): Json<Trial>,
) -> Result<Json<Backtested>, ApiError> {
    let owner = (!trial.rule.everybody).then_some(user.user.as_str());
    may_change(&user, owner)?;
    let warnings = must_be_triable(&site, &user, &trial.rule).await?;
    let (from, to) = span(&trial, site.clock.now())?;
    let rule = Rule { id: rule_id(owner, "backtest"), ..trial.rule.rule() };
    let terminals = tried_on(&*site.table, Some(&user), trial.rule.scope.mac()).await?;
    let (terms, recipients) = (site.terms.clone(), trial.rule.recipients.clone());
    let backtest = Backtest { rule, recipients, terms, terminals, from, to, most_readings: MOST_READINGS };
    let scope = &trial.rule.scope;
    let found = backtest.run(&*site.table, |terminal, mounted| scope.holds(terminal, mounted), |_| {}).await?;
    let plot = trial.plot.then(|| plot(&found, &backtest.rule, from, to)).flatten();
    Ok(Json(Backtested { warnings, ..answer(found, from, to, plot) }))
}

async fn must_be_triable(site: &Site, user: &User, form: &RuleForm) -> Result<Vec<String>, ApiError> {
    let seen = Seen::by(site, user, &[form]).await?;
    let mut faults = seen.faults(form);
    if form.target != Target::Device {
        faults.push("target: only what devices said is kept, so only rules about devices can be tried".to_owned());
    }
    if untriable(&form.condition) {
        faults.push("condition: what was missed or lost is not kept, so it cannot be tried on the past".to_owned());
    }
    if faults.is_empty() {
        return Ok(seen.warnings(form));
    }
    Err(Problem::faults("bad-rule", "Nothing was tried: the rule is wrong, errors says where.", faults).into())
}

fn span(trial: &Trial, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let (from, to) = moment::span(trial.from.as_deref(), trial.to.as_deref(), now, DEFAULT_SPAN)?;
    if to.since(from) > RAW_RETENTION {
        return Err(Problem::bad_request("bad-time", "Readings are kept for 30 days: give a shorter time."));
    }
    Ok((from, to))
}

fn answer(found: WouldHaveBeen, from: Timestamp, to: Timestamp, plot: Option<String>) -> Backtested {
    let millis = |lasted: Duration| u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX);
    let seen = |device: &OfDevice, alarm: &Episode| BacktestedAlarm {
        mac: device.device.mac.to_string(),
        terminal: device.terminal.clone(),
        pid: device.device.pid,
        since: Moment(alarm.since),
        raised_at: Moment(alarm.raised),
        cleared_at: alarm.cleared.map(Moment),
        duration_ms: millis(alarm.lasted(to)),
        severity: alarm.severity,
        detail: alarm.detail.clone(),
    };
    let alarms = found.latest();
    Backtested {
        from: Moment(from),
        to: Moment(to),
        devices: found.devices.len(),
        left_out: found.left_out,
        readings: found.readings,
        alarms: alarms.len(),
        standing: found.standing(),
        active_ms: millis(found.active(to)),
        latest: alarms.iter().take(MOST_LISTED).map(|(device, alarm)| seen(device, alarm)).collect(),
        notices: found.told.into_iter().map(BacktestedNotices::from).collect(),
        assumed: ASSUMED.to_vec(),
        warnings: Vec::new(),
        plot,
    }
}

impl From<Told> for BacktestedNotices {
    fn from(told: Told) -> Self {
        let Told { user, channel, alarms, recoveries, repeats, escalations } = told;
        Self { user, channel, alarms, recoveries, repeats, escalations }
    }
}
