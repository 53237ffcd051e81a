//! Jobs that could not be done, for administrators.

use std::sync::Arc;

use engine_http::{
    Json, Path, Problem, Query,
    axum::{self, extract::State, http::StatusCode},
};
use jobs::{JOB_NAMES, ports};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, moment::Moment, paging::Paging, site::Site, visitor::Admin};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(list))
        .routes(routes!(redrive))
        .routes(routes!(discard))
}

/// How much of one job there is to do.
#[derive(Serialize, ToSchema)]
struct JobDepth {
    /// The job's name.
    job: &'static str,
    /// How many are due, or due later.
    waiting: usize,
    /// How many run.
    running: usize,
    /// How many are dead letters.
    dead: usize,
}

/// A job that could not be done.
#[derive(Serialize, ToSchema)]
struct DeadLetter {
    /// Names it, to redrive it.
    id: String,
    /// Names the work.
    key: String,
    /// What was to be done.
    #[schema(value_type = Object)]
    body: serde_json::Value,
    /// How often it was run.
    attempts: u32,
    /// What was wrong last.
    why: String,
    /// Since when it is dead.
    at: Moment,
}

/// How much there is to do
///
/// Every job, in the order of a poll's way. For administrators.
#[utoipa::path(
    get, path = "/api/jobs", operation_id = "list_jobs", tag = "jobs",
    responses((status = 200, description = "Every job", body = Vec<JobDepth>))
)]
async fn list_jobs(State(site): State<Arc<Site>>, Admin: Admin) -> Result<Json<Vec<JobDepth>>, ApiError> {
    let mut depths = Vec::new();
    for job in JOB_NAMES {
        let ports::Depth { waiting, running, dead } = site.queue.depth(job).await?;
        depths.push(JobDepth { job, waiting, running, dead });
    }
    Ok(Json(depths))
}

/// A job's dead letters
///
/// The oldest, up to `limit`; the rest is seen once they are redriven. For administrators.
#[utoipa::path(
    get, path = "/api/jobs/{job}/dead-letters", operation_id = "list_dead_letters", tag = "jobs",
    params(
        ("job" = String, Path, description = "The job"),
        ("limit" = Option<u32>, Query, description = "How many: 1 to 200, 50 when absent", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "Dead letters, oldest first", body = Vec<DeadLetter>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(job): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Vec<DeadLetter>>, ApiError> {
    let letters = site.queue.dead_letters(known(&job)?, paging.limit()?).await?;
    Ok(Json(letters.into_iter().map(DeadLetter::from).collect()))
}

/// Try a dead letter again
///
/// It is due at once, with all its attempts before it. For administrators.
#[utoipa::path(
    post, path = "/api/jobs/{job}/dead-letters/{id}/redrive", operation_id = "redrive_dead_letter", tag = "jobs",
    params(("job" = String, Path, description = "The job"), ("id" = String, Path, description = "The dead letter")),
    responses((status = 204, description = "It is tried again"))
)]
async fn redrive(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path((job, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    if !site.queue.redrive(known(&job)?, &id).await? {
        return Err(Problem::not_found("There is no such dead letter: somebody else may have redriven it.").into());
    }
    tracing::info!(job.name = job, dead_letter.id = id, "A dead letter is tried again");
    Ok(StatusCode::NO_CONTENT)
}

/// Forget a dead letter
///
/// What was to be done is not done. (Dead letters go by themselves after fourteen days.) For administrators.
#[utoipa::path(
    delete, path = "/api/jobs/{job}/dead-letters/{id}", operation_id = "discard_dead_letter", tag = "jobs",
    params(("job" = String, Path, description = "The job"), ("id" = String, Path, description = "The dead letter")),
    responses((status = 204, description = "It is gone"))
)]
async fn discard(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path((job, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    if !site.queue.discard(known(&job)?, &id).await? {
        return Err(Problem::not_found("There is no such dead letter.").into());
    }
    tracing::info!(job.name = job, dead_letter.id = id, "A dead letter is discarded");
    Ok(StatusCode::NO_CONTENT)
}

/// The name of a job that there is.
pub(super) fn known(job: &str) -> Result<&'static str, Problem> {
    let known = JOB_NAMES.into_iter().find(|name| *name == job);
    known.ok_or_else(|| Problem::not_found("There is no such job: GET /api/jobs lists them."))
}

impl From<ports::DeadLetter> for DeadLetter {
    fn from(letter: ports::DeadLetter) -> Self {
        let ports::DeadLetter { id, message, attempts, why, at } = letter;
        // A dead letter may be one because its body is no JSON.
        let body = serde_json::from_slice(&message.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&message.body).into_owned().into());
        Self { id, key: message.key, body, attempts, why, at: Moment(at) }
    }
}
