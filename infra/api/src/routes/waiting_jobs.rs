//! Jobs that wait, for administrators.

use std::sync::Arc;

use engine_http::{
    Json, Path, Problem, Query,
    axum::{self, extract::State, http::StatusCode},
};
use jobs::ports;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::dead_letters::known;
use crate::{error::ApiError, moment::Moment, paging::Paging, site::Site, visitor::Admin};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(cancel))
}

/// A job that waits.
#[derive(Serialize, ToSchema)]
struct WaitingJob {
    /// Names the work.
    key: String,
    /// What is to be done.
    #[schema(value_type = Object)]
    body: serde_json::Value,
    /// From when on it is done.
    due: Moment,
    /// How often it was run.
    attempts: u32,
}

impl From<ports::Waiting> for WaitingJob {
    fn from(waiting: ports::Waiting) -> Self {
        let ports::Waiting { message, due, attempts } = waiting;
        let body = serde_json::from_slice(&message.body).unwrap_or_default();
        Self { key: message.key, body, due: Moment(due), attempts }
    }
}

/// A job's messages that wait
///
/// Those that are done next, up to `limit`. Not on AWS, whose queues do not tell. For administrators.
#[utoipa::path(
    get, path = "/api/jobs/{job}/waiting", operation_id = "list_waiting_jobs", tag = "jobs",
    params(
        ("job" = String, Path, description = "The job"),
        ("limit" = Option<u32>, Query, description = "How many: 1 to 200, 50 when absent", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "What waits, the next first", body = Vec<WaitingJob>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(job): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Vec<WaitingJob>>, ApiError> {
    let waiting = site.queue.waiting(known(&job)?, paging.limit()?).await?;
    Ok(Json(waiting.into_iter().map(WaitingJob::from).collect()))
}

/// Cancel a message that waits
///
/// What was to be done is not done; what runs already is not stopped. Not on AWS. For administrators.
#[utoipa::path(
    delete, path = "/api/jobs/{job}/waiting/{key}", operation_id = "cancel_waiting_job", tag = "jobs",
    params(("job" = String, Path, description = "The job"), ("key" = String, Path, description = "Names the work")),
    responses((status = 204, description = "It is gone"))
)]
async fn cancel(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path((job, key)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    if !site.queue.cancel(known(&job)?, &key).await? {
        return Err(Problem::not_found("Nothing of this key waits: it may run, or be done.").into());
    }
    tracing::info!(job.name = job, job.key = key, "A job that waited is cancelled");
    Ok(StatusCode::NO_CONTENT)
}
