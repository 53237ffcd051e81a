//! What the sockets count.

use std::{collections::BTreeMap, sync::Arc};

use engine_http::{
    Json,
    axum::{self, extract::State},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, site::Site, visitor::Admin};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What the sockets count
///
/// Since the server started: what is connected, what was sent and answered, what made no sense. For administrators.
#[utoipa::path(
    get, path = "/api/counters", operation_id = "list_counters", tag = "health",
    responses((status = 200, description = "Each number by its name", body = BTreeMap<String, u64>))
)]
async fn list(State(site): State<Arc<Site>>, Admin: Admin) -> Result<Json<BTreeMap<String, u64>>, ApiError> {
    Ok(Json(site.door.seen().await?.counts))
}
