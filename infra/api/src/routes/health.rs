//! Whether the server is well.

use std::sync::Arc;

use engine_http::{
    Json, Problem,
    axum::{self, extract::State},
};
use jobs::ports::SpoolState;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, site::Site};

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
    /// How many messages no queue would take, since they are damaged: they are kept, and do not wait.
    set_aside: u64,
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
    if !site.store_proof.is_well().await {
        return Err(Problem::unavailable("store-away", "The store takes no writes now.").into());
    }
    let meeting = site.meeting.as_ref().map(|meeting| meeting.state()).unwrap_or_default();
    if let Some((code, why)) = meeting.why_not_ready(site.spool.is_some()) {
        return Err(Problem::unavailable(code, why).into());
    }
    let amiss = meeting.amiss().into_iter().map(|(code, why)| Amiss { code, why }).collect();
    let status = if state.is_some_and(|state| state.messages > 0) { "spooling" } else { WELL.0.status };
    let spool = state.map(|SpoolState { messages, bytes, most_bytes, disk_is_full, set_aside, .. }| Spool {
        messages,
        bytes,
        most_bytes,
        disk_is_full,
        set_aside,
    });
    Ok(Json(Readiness { status, version: WELL.0.version, spool, amiss, clock_ahead_ms: meeting.clock_ahead_ms }))
}
