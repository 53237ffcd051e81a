//! Whether the server is well.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use engine_http::{
    Json, Problem,
    axum::{self, extract::State},
};
use records::readiness;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, site::Site};

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_millis(2500);

/// For how long what was found stands: anybody may ask, and a write is not for nothing.
const FRESH: Duration = Duration::from_secs(1);

/// What was found when the store was last tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tried {
    at: Timestamp,
    is_well: bool,
}

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
/// It can when the store takes a write and gives it back; 503 when it does not. It is tried once a second at most.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, description = "All is well", body = Health))
)]
async fn ready(State(site): State<Arc<Site>>) -> Result<Json<Health>, ApiError> {
    let mut tried = site.tried.lock().await;
    let now = site.clock.now();
    let is_fresh = |tried: &Tried| now >= tried.at && now.since(tried.at) < FRESH;
    let is_well = if let Some(tried) = tried.filter(is_fresh) {
        tried.is_well
    } else {
        let is_well = does_its_work(&site, now).await;
        *tried = Some(Tried { at: now, is_well });
        is_well
    };
    if is_well { Ok(WELL) } else { Err(Problem::unavailable("store-away", "The store takes no writes now.").into()) }
}

async fn does_its_work(site: &Site, now: Timestamp) -> bool {
    match timeout(PATIENCE, readiness::prove(&*site.table, now)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(%error, "The store does not do its work"),
        Err(_) => tracing::warn!("The store does not answer within {PATIENCE:?}"),
    }
    false
}
