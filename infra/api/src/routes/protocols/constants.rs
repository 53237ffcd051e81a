//! What is normal for the devices of a protocol.

use std::sync::Arc;

use domain::protocol::ConstantsDocument;
use engine_http::{
    Json, Path, Problem,
    axum::{extract::State, http::StatusCode},
};
use records::protocols;

use super::{
    Taken,
    proof::{self, Offered},
    protocol,
};
use crate::{error::ApiError, site::Site, visitor::Admin};

/// What is normal for a protocol's devices
///
/// 404 when nothing of them is watched. For administrators.
#[utoipa::path(
    get, path = "/api/protocols/{name}/constants", operation_id = "get_constants", tag = "protocols",
    params(("name" = String, Path, description = "The protocol")),
    responses((status = 200, description = "The document", body = Object))
)]
pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
) -> Result<Json<ConstantsDocument>, ApiError> {
    protocol(&site, &name).await?;
    let constants = protocols::constants(&*site.table, &name).await?;
    Ok(Json(constants.ok_or_else(|| Problem::not_found("Nothing of this protocol's devices is watched."))?))
}

/// Say what is normal for a protocol's devices
///
/// In place of what was said before. Alarms follow it within 10 seconds. For administrators.
#[utoipa::path(
    put, path = "/api/protocols/{name}/constants", operation_id = "put_constants", tag = "protocols",
    params(("name" = String, Path, description = "The protocol")),
    request_body(content = Object, description = "The document; its `Protocol` is the name"),
    responses((status = 200, description = "It is stored", body = Taken))
)]
pub(super) async fn put(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
    Json(document): Json<ConstantsDocument>,
) -> Result<Json<Taken>, ApiError> {
    protocol(&site, &name).await?;
    proof::name_is(&name, &document.protocol)?;
    let offered = Offered { protocols: Vec::new(), constants: vec![document] }.proven(&site).await?;
    let taken = offered.compared(&site).await?.constants;
    offered.store(&site).await?;
    taken.into_iter().next().map(Json).ok_or_else(|| Problem::internal().into())
}

/// Watch nothing of a protocol's devices
///
/// Their alarms stand as they are. For administrators.
#[utoipa::path(
    delete, path = "/api/protocols/{name}/constants", operation_id = "delete_constants", tag = "protocols",
    params(("name" = String, Path, description = "The protocol")),
    responses((status = 204, description = "They are gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    protocol(&site, &name).await?;
    protocols::delete_constants(&*site.table, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
