//! What to do about a rule that raises too much, tried on what was read.

use std::{sync::Arc, time::Duration};

use domain::{Pid, alarm::Rule};
use engine_http::{Json, Problem, axum::extract::State};
use jobs::backtest::{Remedy, Variant, untriable, variants};
use records::{
    alarm_setups,
    alert_rules::Scope,
    protocols,
    terminals::{Device, Terminal},
    users::{Role, User},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::millis;
use crate::{
    error::ApiError,
    moment::{self, Moment},
    routes::{RuleForm, alert_rule},
    site::Site,
    visitor::SignedIn,
};

const DEFAULT_SPAN: Duration = Duration::from_hours(7 * 24);
const MOST_READINGS: usize = 100_000;

/// A rule on a device that raises too much.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TooMuch {
    /// The terminal.
    mac: String,
    /// The device's address.
    pid: Pid,
    /// The rule, as the alarm says it.
    rule: String,
    /// The first instant of arrival: RFC 3339 or milliseconds since 1970. Seven days before `to` when absent.
    from: Option<String>,
    /// The last instant of arrival. Now when absent.
    to: Option<String>,
}

/// What was tried.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Suggestion {
    /// The first instant of arrival.
    from: Moment,
    /// The last one.
    to: Moment,
    /// How many readings each was tried on.
    readings: usize,
    /// Whether those are all of the time: else they are its beginning. Make the time shorter then.
    is_whole: bool,
    /// The rule as it is, then with each remedy, the gentlest of a kind first.
    tried: Vec<TriedRule>,
    /// The place in `tried` of the gentlest remedy that leaves at most a fifth of the alarms and raises all that lasted ten minutes;
    /// null when none does.
    #[schema(required)]
    suggested: Option<usize>,
}

/// A rule with a remedy, and what it would have raised.
#[derive(Debug, Serialize, ToSchema)]
struct TriedRule {
    /// What was done: `nothing`, `deadband`, `off_delay` or `on_delay`.
    remedy: &'static str,
    /// The deadband, where that was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    deadband: Option<f64>,
    /// The delay in milliseconds, where that was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    delay_ms: Option<u64>,
    /// How many alarms there would have been.
    alarms: usize,
    /// For how long, all in all, in milliseconds.
    active_ms: u64,
    /// How many of the alarms that lasted ten minutes and more it would still have raised.
    kept: usize,
    /// The rule with it, as `/api/alerts/rules` takes it.
    rule: RuleForm,
}

/// What to do about a rule that raises too much
///
/// Tries deadbands and delays on what the device said. Nothing is stored. A rule that was made here is changed by its
/// `/api/alerts/rules/{id}`; in place of a protocol's constant make the rule that is suggested, which `replaces` it. A setup of
/// your own is changed where it is.
#[utoipa::path(
    post, path = "/api/alerts/quality/suggestions", operation_id = "suggest_alert_rule", tag = "alarms",
    request_body = TooMuch, responses((status = 200, description = "What was tried", body = Suggestion))
)]
pub(super) async fn suggest(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(asked): Json<TooMuch>,
) -> Result<Json<Suggestion>, ApiError> {
    let terminal = site.terminal(&user, &asked.mac).await?;
    let nowhere = || Problem::not_found("There is no such device on this terminal.");
    let device = terminal.device(asked.pid).ok_or_else(nowhere)?;
    let form = form(&site, &user, (&terminal, device), &asked.rule).await?;
    let rule = Rule { id: asked.rule.clone(), ..form.rule() };
    if untriable(&rule.condition) {
        let why = "What was missed or lost is not kept, so nothing can be tried for this rule.";
        return Err(Problem::bad_request("untriable", why).into());
    }
    let (from, to) = moment::span(asked.from.as_deref(), asked.to.as_deref(), site.clock.now(), DEFAULT_SPAN)?;
    let found = variants(&*site.table, (&terminal, asked.pid), &rule, (from, to), MOST_READINGS).await?;
    Ok(Json(Suggestion {
        from: Moment(from),
        to: Moment(to),
        readings: found.readings,
        is_whole: found.is_whole,
        tried: found.tried.iter().map(|variant| TriedRule::of(variant, &form)).collect(),
        suggested: found.suggested,
    }))
}

/// The rule that an alarm of the device names, as a form: one that was made here, a protocol's constant, or somebody's setup.
async fn form(
    site: &Site,
    user: &User,
    (terminal, device): (&Terminal, &Device),
    rule: &str,
) -> Result<RuleForm, ApiError> {
    let nowhere = || Problem::not_found("There is no such rule among those that watch this device for you.");
    let table = &*site.table;
    let (owner, common) = (domain::alarm::owner(rule), domain::alarm::unowned(rule));
    if owner.as_ref().is_some_and(|owner| *owner != user.user) {
        return Err(nowhere().into());
    }
    if let Some(id) = common.strip_prefix("rule:") {
        let made = alert_rule(site, user, id).await?;
        let made = made.filter(|made| made.rule.id == rule && made.scope.holds(terminal, device));
        return Ok(made.map(RuleForm::from).ok_or_else(nowhere)?);
    }
    let protocol = &device.protocol;
    let constants = match &owner {
        Some(owner) => alarm_setups::get(table, owner, protocol).await?.map(|setup| setup.constants),
        None => protocols::constants(table, protocol).await?,
    };
    let rules = constants.map_or_else(Vec::new, |constants| constants.rules().unwrap_or_default());
    let found = rules.into_iter().find(|found| found.id == common).ok_or_else(nowhere)?;
    let everybody = owner.is_none() && user.role == Role::Admin;
    let scope = Scope::Protocol { protocol: protocol.clone() };
    // A setup is its owner's own: it is changed where it is.
    let replaces = owner.is_none().then(|| common.to_owned());
    Ok(RuleForm { replaces, ..RuleForm::of_rule(common.to_owned(), everybody, scope, found) })
}

impl TriedRule {
    fn of(variant: &Variant, form: &RuleForm) -> Self {
        let (remedy, deadband, delay) = match variant.remedy {
            Remedy::Nothing => ("nothing", None, None),
            Remedy::Deadband(by) => ("deadband", Some(by), None),
            Remedy::OffDelay(delay) => ("off_delay", None, Some(delay)),
            Remedy::OnDelay(delay) => ("on_delay", None, Some(delay)),
        };
        Self {
            remedy,
            deadband,
            delay_ms: delay.map(millis),
            alarms: variant.alarms,
            active_ms: millis(variant.active),
            kept: variant.kept,
            rule: form.with_rule(variant.rule.clone()),
        }
    }
}
