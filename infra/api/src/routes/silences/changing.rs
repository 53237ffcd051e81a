//! Making, changing and ending a silence.

use std::sync::Arc;

use domain::routing::Matcher;
use engine_http::{
    Json, Path, Problem,
    axum::{extract::State, http::StatusCode},
};
use records::{
    Versioned,
    silences::{self, Kept},
    users::{Role, User},
};

use super::{
    find,
    form::{Silence, SilenceForm},
    look_again, may_change,
};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// Silence something
///
/// What fits is recorded and not told while the silence holds. At its end what began in it and still stands is told, and what came
/// and went meanwhile, as one notice on each channel; what was told before it, the snooze of a notice's link tells again. Screens show alarms all the same.
#[utoipa::path(
    post, path = "/api/silences", operation_id = "create_silence", tag = "silences", request_body = SilenceForm,
    responses((status = 201, description = "It is in force", body = Silence))
)]
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(form): Json<SilenceForm>,
) -> Result<(StatusCode, Json<Silence>), ApiError> {
    let owner = (!form.everybody).then(|| user.user.clone());
    may_change(&user, owner.as_deref())?;
    may_name(&site, &user, &form.matcher).await?;
    let at = site.clock.now();
    if silences::count(&*site.table, owner.as_deref(), at).await? >= silences::MOST {
        let why = format!("There may be at most {} silences: delete one first.", silences::MOST);
        return Err(Problem::conflict("too-many-silences", why).into());
    }
    let kept = Kept { id: site.new_id(), owner, silence: form.silence(at)?, why: form.why, by: user.user, at };
    store(&site, Versioned { value: kept.clone(), version: 0 }).await?;
    Ok((StatusCode::CREATED, Json(Silence::of(kept, at))))
}

/// Change a silence
///
/// It stays whose it is. What it no longer holds back is told.
#[utoipa::path(
    put, path = "/api/silences/{id}", operation_id = "replace_silence", tag = "silences",
    params(("id" = String, Path, description = "The silence")), request_body = SilenceForm,
    responses((status = 200, description = "It is in force", body = Silence))
)]
pub(super) async fn replace(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(form): Json<SilenceForm>,
) -> Result<Json<Silence>, ApiError> {
    let before = find(&site, &user, &id).await?;
    let owner = before.value.owner.clone();
    may_change(&user, owner.as_deref())?;
    if form.everybody != owner.is_none() {
        let why = "A silence stays whose it is: everybody must be what it was. Make another one instead.";
        return Err(Problem::bad_request("other-owner", why).into());
    }
    may_name(&site, &user, &form.matcher).await?;
    let at = site.clock.now();
    let kept = Kept { id, owner, silence: form.silence(at)?, why: form.why, by: user.user, at };
    store(&site, Versioned { value: kept.clone(), version: before.version }).await?;
    look_again(&site, kept.owner.as_deref()).await?;
    Ok(Json(Silence::of(kept, at)))
}

/// End a silence
///
/// What it held back is told.
#[utoipa::path(
    delete, path = "/api/silences/{id}", operation_id = "delete_silence", tag = "silences",
    params(("id" = String, Path, description = "The silence")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let kept = find(&site, &user, &id).await?;
    may_change(&user, kept.value.owner.as_deref())?;
    if !silences::delete(&*site.table, &kept).await? {
        return Err(conflict().into());
    }
    tracing::info!(user.name = user.user, silence.id = id, "A silence was ended");
    look_again(&site, kept.value.owner.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// That the user may see what a silence names.
async fn may_name(site: &Site, user: &User, matcher: &Matcher) -> Result<(), ApiError> {
    for mac in matcher.macs() {
        site.terminal(user, mac.as_str()).await?;
    }
    if matcher.is_for_administrators() && user.role != Role::Admin {
        return Err(Problem::not_found("There is no such node among yours.").into());
    }
    Ok(())
}

async fn store(site: &Site, kept: Versioned<Kept>) -> Result<(), ApiError> {
    if !silences::put(&*site.table, &kept).await? {
        return Err(conflict().into());
    }
    let Kept { by, id, .. } = &kept.value;
    tracing::info!(user.name = by, silence.id = id, "A silence was stored");
    Ok(())
}

fn conflict() -> Problem {
    Problem::conflict("version-conflict", "The silence was changed meanwhile: get it anew, and change what it is now.")
}
