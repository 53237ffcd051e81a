//! Which alarms speak for which others. For administrators.

use std::sync::Arc;

use domain::routing::{self, Matcher, Same};
use engine_http::{
    Json, Path, Problem,
    axum::{self, extract::State, http::StatusCode},
};
use records::{
    held,
    inhibitions::{self, Kept, MOST},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    moment::Moment,
    site::Site,
    visitor::{Admin, AdminUser},
};

const MOST_WHY_CHARS: usize = 500;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(delete))
}

/// What speaks for what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InhibitionForm {
    /// While an alarm of this is active: as a silence's `matcher`.
    #[schema(value_type = Object)]
    standing: Matcher,
    /// What is not told meanwhile: likewise.
    #[schema(value_type = Object)]
    mutes: Matcher,
    /// What the two have in common: `terminal` (when absent), `node`, `anything`.
    #[serde(default)]
    #[schema(value_type = String)]
    same: Same,
    /// Why, for others: at most 500 characters.
    #[serde(default)]
    why: String,
}

/// What speaks for what.
#[derive(Serialize, ToSchema)]
struct Inhibition {
    /// Its id.
    id: String,
    /// While an alarm of this is active,
    #[schema(value_type = Object)]
    standing: Matcher,
    /// this is not told,
    #[schema(value_type = Object)]
    mutes: Matcher,
    /// if the two have this in common: `terminal`, `node`, `anything`.
    #[schema(value_type = String)]
    same: Same,
    /// Why.
    why: String,
    /// Who made it.
    by: String,
    /// When.
    at: Moment,
}

/// All of them.
#[derive(Serialize, ToSchema)]
struct Inhibitions {
    /// In the order in which they were made.
    items: Vec<Inhibition>,
}

/// Which alarms speak for which others
#[utoipa::path(
    get, path = "/api/inhibitions", operation_id = "list_inhibitions", tag = "silences",
    responses((status = 200, description = "All of them", body = Inhibitions))
)]
async fn list(State(site): State<Arc<Site>>, _: Admin) -> Result<Json<Inhibitions>, ApiError> {
    let items = inhibitions::all(&*site.table).await?.into_iter().map(Inhibition::from).collect();
    Ok(Json(Inhibitions { items }))
}

/// Have an alarm speak for others
///
/// While it stands they are recorded and not told. When it is over, what still stands of them is told, within a minute.
#[utoipa::path(
    post, path = "/api/inhibitions", operation_id = "create_inhibition", tag = "silences", request_body = InhibitionForm,
    responses((status = 201, description = "It is in force", body = Inhibition))
)]
async fn create(
    State(site): State<Arc<Site>>,
    AdminUser(user): AdminUser,
    Json(form): Json<InhibitionForm>,
) -> Result<(StatusCode, Json<Inhibition>), ApiError> {
    let InhibitionForm { standing, mutes, same, why } = form;
    let is_anything = |matcher: &Matcher| *matcher == Matcher::default();
    if is_anything(&standing) || is_anything(&mutes) || why.chars().count() > MOST_WHY_CHARS {
        let what = format!("standing and mutes must name something, and why has at most {MOST_WHY_CHARS} characters.");
        return Err(Problem::bad_request("bad-inhibition", what).into());
    }
    if inhibitions::all(&*site.table).await?.len() >= MOST {
        let what = format!("There may be at most {MOST} of them: delete one first.");
        return Err(Problem::conflict("too-many-inhibitions", what).into());
    }
    let inhibition = routing::Inhibition { standing, mutes, same };
    let kept = Kept { id: site.new_id(), inhibition, why, by: user.user, at: site.clock.now() };
    if !inhibitions::put_new(&*site.table, &kept).await? {
        return Err(Problem::conflict("version-conflict", "Somebody made another one just now: try again.").into());
    }
    Ok((StatusCode::CREATED, Json(kept.into())))
}

/// Have an alarm no longer speak for others
#[utoipa::path(
    delete, path = "/api/inhibitions/{id}", operation_id = "delete_inhibition", tag = "silences",
    params(("id" = String, Path, description = "Which")),
    responses((status = 204, description = "It is gone"))
)]
async fn delete(State(site): State<Arc<Site>>, _: Admin, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let nowhere = || Problem::not_found("There is no such inhibition.");
    ulid::Ulid::from_string(&id).map_err(|_| nowhere())?;
    let kept = inhibitions::get(&*site.table, &id).await?.ok_or_else(nowhere)?;
    if !inhibitions::delete(&*site.table, &kept).await? {
        return Err(nowhere().into());
    }
    held::wake_all(&*site.table, None, site.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Kept> for Inhibition {
    fn from(kept: Kept) -> Self {
        let Kept { id, inhibition: routing::Inhibition { standing, mutes, same }, why, by, at } = kept;
        Self { id, standing, mutes, same, why, by, at: Moment(at) }
    }
}
