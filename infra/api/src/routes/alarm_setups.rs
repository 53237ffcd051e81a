//! What the one who asks calls normal, in place of what a protocol's constants say.

use std::sync::Arc;

use domain::protocol::ConstantsDocument;
use engine_http::{
    Json, Path, Problem,
    axum::{self, extract::State, http::StatusCode},
};
use records::{
    alarm_setups::{self, AlarmSetup},
    protocols, terminals,
    users::{self, Role, User},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// The most limits and states of one setup: every reading is held against them.
const MOST_RULES: usize = 500;
/// The most bytes a setup may have.
const MOST_BYTES: usize = 64 * 1024;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete))
}

/// The protocols that you have an alarm setup of your own for.
#[derive(Serialize, ToSchema)]
struct Protocols {
    /// Their names, in order.
    items: Vec<String>,
}

/// Your alarm setups
#[utoipa::path(
    get, path = "/api/me/alarm-setups", operation_id = "list_alarm_setups", tag = "alarms",
    responses((status = 200, description = "The protocols you have one for", body = Protocols))
)]
async fn list(State(site): State<Arc<Site>>, SignedIn(user): SignedIn) -> Result<Json<Protocols>, ApiError> {
    Ok(Json(Protocols { items: alarm_setups::of_user(&*site.table, &user.user).await? }))
}

/// Your alarm setup for a protocol
///
/// 404 when you have none: then the protocol's constants hold for you.
#[utoipa::path(
    get, path = "/api/me/alarm-setups/{protocol}", operation_id = "get_alarm_setup", tag = "alarms",
    params(("protocol" = String, Path, description = "The protocol")),
    responses((status = 200, description = "The document", body = Object))
)]
async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(protocol): Path<String>,
) -> Result<Json<ConstantsDocument>, ApiError> {
    Ok(Json(own(&site, &user, &protocol).await?.constants))
}

/// Say what is normal for you
///
/// A document as a protocol's constants are. What it names stands, for you, in place of the constants of the same name; a
/// state without normal values is not watched for you. Alarms it raises are told to you alone. For a protocol that a
/// device on one of your terminals speaks. Alarms follow it within 10 seconds.
#[utoipa::path(
    put, path = "/api/me/alarm-setups/{protocol}", operation_id = "put_alarm_setup", tag = "alarms",
    params(("protocol" = String, Path, description = "The protocol")),
    request_body(content = Object, description = "The document; its `Protocol` is the protocol"),
    responses((status = 200, description = "It holds for you", body = Object))
)]
async fn put(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(protocol): Path<String>,
    Json(mut constants): Json<ConstantsDocument>,
) -> Result<Json<ConstantsDocument>, ApiError> {
    let table = &*site.table;
    if !speaks(&site, &user, &protocol).await? {
        return Err(Problem::not_found("No device on a terminal of yours speaks this protocol.").into());
    }
    // What devices can be told to do is the administrators' to say.
    constants.operations.clear();
    check(&protocol, &constants)?;
    let earlier = alarm_setups::get(table, &user.user, &protocol).await?;
    let since = earlier.map_or_else(|| site.clock.now(), |earlier| earlier.since);
    let setup = AlarmSetup { user: user.user, since, constants };
    alarm_setups::put(table, &setup).await?;
    tracing::info!(user.name = setup.user, protocol.name = protocol, "An alarm setup was stored");
    Ok(Json(setup.constants))
}

/// Go back to what is normal for everybody
///
/// Alarms of your own rules end when the device is next heard of.
#[utoipa::path(
    delete, path = "/api/me/alarm-setups/{protocol}", operation_id = "delete_alarm_setup", tag = "alarms",
    params(("protocol" = String, Path, description = "The protocol")),
    responses((status = 204, description = "The protocol's constants hold for you"))
)]
async fn delete(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(protocol): Path<String>,
) -> Result<StatusCode, ApiError> {
    own(&site, &user, &protocol).await?;
    alarm_setups::delete(&*site.table, &user.user, &protocol).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn own(site: &Site, user: &User, protocol: &str) -> Result<AlarmSetup, ApiError> {
    let nowhere = || Problem::not_found("You have no alarm setup for this protocol.");
    if !domain::is_name(protocol) {
        return Err(nowhere().into());
    }
    Ok(alarm_setups::get(&*site.table, &user.user, protocol).await?.ok_or_else(nowhere)?)
}

/// Whether a device that the user may see speaks this protocol. To an administrator every protocol is open.
async fn speaks(site: &Site, user: &User, protocol: &str) -> Result<bool, ApiError> {
    let table = &*site.table;
    if !domain::is_name(protocol) || protocols::get(table, protocol).await?.is_none() {
        return Ok(false);
    }
    if user.role == Role::Admin {
        return Ok(true);
    }
    let macs = users::terminals(table, &user.user).await?;
    let terminals = terminals::get_many(table, &macs).await?;
    Ok(terminals.values().flat_map(|terminal| &terminal.devices).any(|device| device.protocol == protocol))
}

fn check(protocol: &str, constants: &ConstantsDocument) -> Result<(), Problem> {
    if constants.protocol != protocol {
        let why = format!("The document's Protocol is {:?}, the address says {protocol:?}.", constants.protocol);
        return Err(Problem::bad_request("other-name", why));
    }
    let count = constants.threshold.len() + constants.alarm_stat.len();
    let bytes = serde_json::to_vec(constants).map_or(usize::MAX, |json| json.len());
    if count > MOST_RULES || bytes > MOST_BYTES {
        let most = format!("A setup has at most {MOST_RULES} limits and states in {MOST_BYTES} bytes.");
        return Err(Problem::bad_request("setup-too-large", most));
    }
    let why = |error: domain::protocol::ProtocolError| {
        Problem::faults("bad-setup", "Nothing was stored: errors says what is wrong.", vec![error.to_string()])
    };
    constants.rules().map(|_| ()).map_err(why)
}
