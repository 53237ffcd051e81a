//! Whether the server is well.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use engine_http::{
    Json, Problem,
    axum::{self, extract::State},
};
use jobs::ports::SpoolState;
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

/// That the server can do its work.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ok`, or `spooling`: what gateways say waits here for the queue, which is away.
    #[schema(example = "ok")]
    status: &'static str,
    /// The server's version.
    version: &'static str,
    /// What waits so, where the server can keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    spool: Option<Spool>,
    /// What is wrong, though the work goes on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amiss: Vec<Amiss>,
    /// By how many milliseconds the server's clock is ahead of that of the queue, where it has one of its own; negative behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_ahead_ms: Option<i64>,
}

/// Something that is wrong.
#[derive(Serialize, ToSchema)]
struct Amiss {
    /// `queue-away`, `queue-lost`, `queue-forgets`, `clock-apart`.
    #[schema(example = "queue-forgets")]
    code: &'static str,
    /// What it is, and what to do.
    why: String,
}

/// What waits for the queue.
#[derive(Serialize, ToSchema)]
struct Spool {
    /// How many messages.
    messages: u64,
    /// How many bytes.
    bytes: u64,
    /// How many bytes there may be.
    most_bytes: u64,
    /// Whether the disk would take nothing now: it is full, or read-only.
    disk_is_full: bool,
}

/// Whether the server can do its work
///
/// It can when the store takes a write and gives it back, which is tried once a second at most, and when there is room for what
/// gateways say while the queue is away. 503 when not: `store-away`, `spool-full`, `spool-failed`; `clock-apart`; and of a server without
/// a broker, which cannot wait for it, `queue-away`, `queue-lost`.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, description = "All is well", body = Readiness))
)]
async fn ready(State(site): State<Arc<Site>>) -> Result<Json<Readiness>, ApiError> {
    let state = site.spool.as_ref().map(|spool| spool.state());
    if let Some((code, why)) = state.and_then(|state| state.why_not_ready()) {
        return Err(Problem::unavailable(code, why).into());
    }
    if !was_well_lately(&site).await {
        return Err(Problem::unavailable("store-away", "The store takes no writes now.").into());
    }
    let meeting = site.meeting.as_ref().map(|meeting| meeting.state()).unwrap_or_default();
    if let Some((code, why)) = meeting.why_not_ready(site.spool.is_some()) {
        return Err(Problem::unavailable(code, why).into());
    }
    let amiss = meeting.amiss().into_iter().map(|(code, why)| Amiss { code, why }).collect();
    let status = if state.is_some_and(|state| state.messages > 0) { "spooling" } else { WELL.0.status };
    let spool = state.map(|SpoolState { messages, bytes, most_bytes, disk_is_full, .. }| Spool {
        messages,
        bytes,
        most_bytes,
        disk_is_full,
    });
    Ok(Json(Readiness { status, version: WELL.0.version, spool, amiss, clock_ahead_ms: meeting.clock_ahead_ms }))
}

/// Whether the store did its work when it was last tried, which is a moment ago or now.
async fn was_well_lately(site: &Site) -> bool {
    let mut tried = site.tried.lock().await;
    let now = site.clock.now();
    let is_fresh = |tried: &Tried| now >= tried.at && now.since(tried.at) < FRESH;
    if let Some(tried) = tried.filter(is_fresh) {
        return tried.is_well;
    }
    let is_well = does_its_work(site, now).await;
    *tried = Some(Tried { at: now, is_well });
    is_well
}

async fn does_its_work(site: &Site, now: Timestamp) -> bool {
    match timeout(PATIENCE, readiness::prove(&*site.table, now)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(%error, "The store does not do its work"),
        Err(_) => tracing::warn!("The store does not answer within {PATIENCE:?}"),
    }
    false
}
