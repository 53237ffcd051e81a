//! Terminals, devices and rules out of service.

use std::{sync::Arc, time::Duration};

use domain::{
    Source,
    alarm::{Act, Deed, Quiet, owner},
};
use engine_http::{
    Json, Path, Problem, Query,
    axum::{extract::State, http::StatusCode},
};
use records::{
    alarms,
    users::{Role, User},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    acknowledge::{check_note, check_time},
    rules,
};
use crate::{error::ApiError, moment::Moment, routes::terminals::show_changed, site::Site, visitor::SignedIn};

/// What is out of service.
#[derive(Serialize, ToSchema)]
pub(super) struct OutOfService {
    /// The device; the terminal itself without.
    #[schema(required)]
    pid: Option<u8>,
    /// The rule; all of it without.
    #[schema(required)]
    rule: Option<String>,
    /// Who took it out.
    by: String,
    /// Why.
    #[schema(required)]
    note: Option<String>,
    /// Since when.
    since: Moment,
    /// Until when; until somebody puts it back without.
    #[schema(required)]
    until: Option<Moment>,
}

/// Of what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// The device; the terminal and all its devices without.
    pid: Option<u8>,
    /// The rule, as its alarms name it; all rules without.
    rule: Option<String>,
}

/// Why it is taken out, and for how long.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct Reason {
    /// For the others.
    #[schema(max_length = 1000)]
    note: Option<String>,
    /// For how long, in milliseconds; until somebody puts it back without.
    #[schema(minimum = 1)]
    for_ms: Option<u64>,
}

/// What of a terminal is out of service
#[utoipa::path(
    get, path = "/api/terminals/{mac}/out-of-service", operation_id = "list_out_of_service", tag = "alarms",
    params(("mac" = String, Path, description = "The terminal")),
    responses((status = 200, description = "The terminal's, its devices' and their rules'", body = Vec<OutOfService>))
)]
pub(super) async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(mac): Path<String>,
) -> Result<Json<Vec<OutOfService>>, ApiError> {
    let mut found = Vec::new();
    for source in sources(&site, &user, &mac, None).await? {
        let watch = alarms::watch(&*site.table, &source).await?.value;
        let quiets = watch.state.out_of_service.into_iter().filter(|(rule, _)| may_name(&user, rule));
        found.extend(quiets.map(|(rule, quiet)| OutOfService::of(&source, rule, quiet)));
    }
    Ok(Json(found))
}

/// Take a terminal, a device or a rule out of service
///
/// What happens is recorded meanwhile, and nobody is told. When it is in service again, people are told what stands.
#[utoipa::path(
    put, path = "/api/terminals/{mac}/out-of-service", operation_id = "take_out_of_service", tag = "alarms",
    params(("mac" = String, Path, description = "The terminal"), Part), request_body = Option<Reason>,
    responses((status = 204, description = "It is out of service"))
)]
pub(super) async fn take_out(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(mac): Path<String>,
    Query(part): Query<Part>,
    reason: Option<Json<Reason>>,
) -> Result<StatusCode, ApiError> {
    let Reason { note, for_ms } = reason.map(|Json(reason)| reason).unwrap_or_default();
    check_note(note.as_deref())?;
    check_time(for_ms)?;
    let until = for_ms.map(|time| site.clock.now().plus(Duration::from_millis(time)));
    if let Some(rule) = &part.rule
        && may_be_named(&user, rule)
        && !rules::watches(&site, &user, (&mac, part.pid), rule).await?
    {
        return Err(no_rule().into());
    }
    let deed = Deed::TakeOut { rule: part.rule.clone(), until };
    act(&site, &user, &mac, &part, &Act { by: user.user.clone(), why: note, deed }).await
}

/// Put a terminal, a device or a rule back into service
///
/// What is in service is left as it is.
#[utoipa::path(
    delete, path = "/api/terminals/{mac}/out-of-service", operation_id = "put_back_into_service", tag = "alarms",
    params(("mac" = String, Path, description = "The terminal"), Part),
    responses((status = 204, description = "It is in service"))
)]
pub(super) async fn put_back(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(mac): Path<String>,
    Query(part): Query<Part>,
) -> Result<StatusCode, ApiError> {
    let act_of = Act { by: user.user.clone(), why: None, deed: Deed::PutBack { rule: part.rule.clone() } };
    act(&site, &user, &mac, &part, &act_of).await
}

async fn act(site: &Site, user: &User, mac: &str, part: &Part, act: &Act) -> Result<StatusCode, ApiError> {
    if part.rule.as_ref().is_some_and(|rule| !may_be_named(user, rule)) {
        return Err(no_rule().into());
    }
    for source in sources(site, user, mac, part.pid).await? {
        alarms::act(&*site.table, &source, act, site.clock.now()).await?;
    }
    if let Ok(mac) = mac.parse() {
        show_changed(site, &mac).await;
    }
    tracing::info!(terminal.mac = mac, user.name = user.user, deed = ?act.deed, "Somebody changed what is in service");
    Ok(StatusCode::NO_CONTENT)
}

const MOST_RULE_BYTES: usize = 500;

fn no_rule() -> Problem {
    Problem::not_found("There is no such rule among everybody's and yours.")
}

fn may_be_named(user: &User, rule: &str) -> bool {
    !rule.is_empty() && rule.len() <= MOST_RULE_BYTES && may_name(user, rule)
}

/// A person's own rule is nobody else's business.
fn may_name(user: &User, rule: &str) -> bool {
    user.role == Role::Admin || owner(rule).is_none_or(|owner| owner == user.user)
}

/// The terminal and its devices, or one of them.
pub(super) async fn sources(site: &Site, user: &User, mac: &str, pid: Option<u8>) -> Result<Vec<Source>, ApiError> {
    let terminal = site.terminal(user, mac).await?;
    let devices = terminal.devices.iter().filter(|device| pid.is_none_or(|pid| device.pid == pid));
    let devices = devices.map(|device| Source::Device(terminal.device_id(device.pid)));
    let itself = pid.is_none().then(|| Source::Terminal(terminal.mac.clone()));
    let sources: Vec<Source> = itself.into_iter().chain(devices).collect();
    if sources.is_empty() {
        return Err(Problem::not_found("There is no such device on the terminal.").into());
    }
    Ok(sources)
}

impl OutOfService {
    fn of(source: &Source, rule: String, quiet: Quiet) -> Self {
        let pid = match source {
            Source::Device(device) => Some(device.pid),
            _ => None,
        };
        let Quiet { by, why, since, until, .. } = quiet;
        let rule = Some(rule).filter(|rule| !rule.is_empty());
        Self { pid, rule, by, note: why, since: Moment(since), until: until.map(Moment) }
    }
}
