//! Whether the server is well.

use std::{sync::Arc, time::Duration};

use engine_http::{
    Json, Problem,
    axum::{self, extract::State},
};
use records::users;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, site::Site};

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready))
}

/// That the server is well.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The server's version.
    version: &'static str,
}

const WELL: Json<Health> = Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") });

/// Whether the process is alive
#[utoipa::path(
    get, path = "/health", tag = "health", security(()),
    responses((status = 200, description = "All is well", body = Health))
)]
async fn alive() -> Json<Health> {
    WELL
}

/// Whether the server can do its work
///
/// It can when the store answers; 503 when that does not.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, description = "All is well", body = Health))
)]
async fn ready(State(site): State<Arc<Site>>) -> Result<Json<Health>, ApiError> {
    // Any read will do; nobody needs to have this name.
    match timeout(PATIENCE, users::get(&*site.table, "readiness")).await {
        Ok(read) => {
            read?;
            Ok(WELL)
        }
        Err(_) => Err(Problem::unavailable("store-away", "The store does not answer in time.").into()),
    }
}
