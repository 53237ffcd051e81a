//! What a device's protocol lets people do.

use std::sync::Arc;

use domain::{
    Source,
    protocol::{BadOperation, ConstantsDocument, Operation, OperationDocument, Protocol, ProtocolDocument},
};
use engine_http::{
    Json, Path, Problem,
    axum::{extract::State, http::StatusCode},
};
use jobs::ports::Order;
use records::{operations::What, protocols, terminals::Device};
use serde::Deserialize;
use tokio::task;
use utoipa::ToSchema;

use super::begin::{Begun, Wish, begin};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// What a device is to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationForm {
    /// The name of one of the operations in its protocol's constants.
    name: String,
    /// The number, where the operation takes one.
    value: Option<f64>,
}

/// Have a device do something
///
/// It is done as soon as the line is free. Only a reply that proves it makes it done.
#[utoipa::path(
    post, path = "/api/terminals/{mac}/devices/{pid}/operations", operation_id = "operate_device", tag = "operations",
    params(("mac" = String, Path, description = "The terminal"), ("pid" = u8, Path, description = "The device")),
    request_body = OperationForm,
    responses((status = 202, description = "It is under way", body = Begun))
)]
pub(super) async fn operate(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path((mac, pid)): Path<(String, String)>,
    Json(form): Json<OperationForm>,
) -> Result<(StatusCode, Json<Begun>), ApiError> {
    let terminal = site.terminal(&user, &mac).await?;
    let device = pid.parse().ok().and_then(|pid| terminal.device(pid));
    let device = device.ok_or_else(|| Problem::not_found("There is no such device on this terminal."))?.clone();
    let Instructions { document, operation } = instructions(&site, &device, &form.name).await?;
    let line = document.line.code();
    let made = made(&site, document, operation, device.pid, form.value).await?;
    let Device { pid, protocol, .. } = device;
    let (content, proof) = (made.content, made.proof);
    let order = Order::Device {
        mac: terminal.mac.clone(),
        pid,
        line,
        protocol: protocol.clone(),
        content: content.clone(),
        proof,
    };
    let what = What::Device { pid, protocol, name: form.name, value: form.value, content, proof };
    begin(&site, Wish { about: Source::Terminal(terminal.mac), node: terminal.node, by: user.user, what, order }).await
}

/// What an operation is made of.
struct Instructions {
    document: ProtocolDocument,
    operation: OperationDocument,
}

async fn instructions(site: &Site, device: &Device, name: &str) -> Result<Instructions, ApiError> {
    let document = protocols::get(&*site.table, &device.protocol).await?;
    let constants = protocols::constants(&*site.table, &device.protocol).await?;
    let operation = constants.as_ref().and_then(|constants| constants.operation(name)).cloned();
    if let (Some(document), Some(operation)) = (document, operation) {
        return Ok(Instructions { document, operation });
    }
    let known = constants.as_ref().map(names).filter(|names| !names.is_empty());
    let known = known.unwrap_or_else(|| "none".to_owned());
    let why = format!("The device's protocol has no operation {name:?}. It has: {known}.");
    Err(Problem::bad_request("unknown-operation", why).into())
}

fn names(constants: &ConstantsDocument) -> String {
    constants.operations.iter().map(|operation| operation.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The bytes to send. Coefficients and scripts may run for it: bounded, but too long for a thread that others wait for.
async fn made(
    site: &Site,
    document: ProtocolDocument,
    operation: OperationDocument,
    pid: domain::Pid,
    value: Option<f64>,
) -> Result<Operation, ApiError> {
    let scripts = Arc::clone(&site.scripts);
    let made = task::spawn_blocking(move || {
        let protocol = Protocol::compile(&document, scripts.as_ref()).map_err(|error| error.to_string())?;
        let filled = operation.filled(value, scripts.as_ref());
        filled.and_then(|filled| protocol.operation(pid, &filled)).map_err(|bad: BadOperation| bad.to_string())
    });
    let made = made.await.map_err(|_| Problem::internal())?;
    Ok(made.map_err(|why| Problem::bad_request("bad-operation", format!("The operation cannot be done: {why}.")))?)
}
