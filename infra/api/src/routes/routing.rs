//! How alarms are routed: policies and rotas, for administrators.

mod policies;
mod proof;
mod rotas;

use std::sync::Arc;

use engine_http::{
    Json, Problem,
    axum::{self, http::StatusCode},
};
use records::{
    routing::{self, MOST, Routed, Written},
    users::User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, moment::Moment, site::Site};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(policies::list, policies::create))
        .routes(routes!(policies::get, policies::replace, policies::delete))
        .routes(routes!(rotas::list, rotas::create))
        .routes(routes!(rotas::get, rotas::replace, rotas::delete))
        .routes(routes!(rotas::on_call))
}

/// What was made, with its versions.
#[derive(Debug, Serialize, ToSchema)]
struct Kept<T> {
    /// Its id.
    id: String,
    /// Which writing of it this is, 1 for the first.
    version: u64,
    /// When it was changed last.
    changed_at: Moment,
    /// Who did that.
    changed_by: String,
    /// What it is.
    #[serde(flatten)]
    form: T,
}

impl<T> Kept<T> {
    fn of<S: Into<T>>(written: Written<S>) -> Self {
        let Written { id, version, changed_at, changed_by, value } = written;
        Self { id, version, changed_at: Moment(changed_at), changed_by, form: value.into() }
    }
}

/// Which version is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The version that you saw: 409 when it was changed since.
    version: u64,
}

/// What the API takes and shows of something that is stored in a form of its own.
trait Form: From<Self::Stored> {
    /// As it is stored.
    type Stored: Routed + Clone + From<Self>;

    /// Refuses what makes no sense.
    async fn prove(site: &Site, stored: &Self::Stored) -> Result<(), ApiError>;
}

async fn list<F: Form>(site: &Site) -> Result<Vec<Kept<F>>, ApiError> {
    Ok(routing::all::<F::Stored>(&*site.table).await?.into_iter().map(Kept::of).collect())
}

async fn get<F: Form>(site: &Site, id: &str) -> Result<Json<Kept<F>>, ApiError> {
    Ok(Json(Kept::of(found::<F::Stored>(site, id).await?)))
}

async fn create<F: Form>(site: &Site, user: &User, form: F) -> Result<(StatusCode, Json<Kept<F>>), ApiError> {
    let stored = F::Stored::from(form);
    F::prove(site, &stored).await?;
    Ok((StatusCode::CREATED, Json(Kept::of(store(site, user, stored, None).await?))))
}

async fn replace<F: Form>(
    site: &Site,
    user: &User,
    (id, version): (&str, u64),
    form: F,
) -> Result<Json<Kept<F>>, ApiError> {
    let (before, stored) = (seen(site, id, version).await?, F::Stored::from(form));
    F::prove(site, &stored).await?;
    Ok(Json(Kept::of(store(site, user, stored, Some(&before)).await?)))
}

async fn found<T: Routed>(site: &Site, id: &str) -> Result<Written<T>, ApiError> {
    let found = routing::get(&*site.table, id).await?;
    Ok(found.ok_or_else(|| Problem::not_found("There is nothing of this id."))?)
}

/// Stores something new, or in the place of `before`.
async fn store<T: Routed + Clone>(
    site: &Site,
    user: &User,
    value: T,
    before: Option<&Written<T>>,
) -> Result<Written<T>, ApiError> {
    if before.is_none() && routing::all::<T>(&*site.table).await?.len() >= MOST {
        return Err(Problem::conflict("too-many", format!("There may be at most {MOST}: delete one first.")).into());
    }
    let at = site.clock.now();
    let written = Written {
        id: before.map_or_else(|| site.new_id(), |before| before.id.clone()),
        version: before.map_or(0, |before| before.version) + 1,
        changed_at: at,
        changed_by: user.user.clone(),
        value,
    };
    if !routing::put(&*site.table, &written).await? {
        return Err(conflict().into());
    }
    tracing::info!(user.name = user.user, id = written.id, "The routing of alarms was changed");
    Ok(written)
}

/// What is to be replaced or deleted, if it is what the caller saw.
async fn seen<T: Routed>(site: &Site, id: &str, version: u64) -> Result<Written<T>, ApiError> {
    let before = found::<T>(site, id).await?;
    if before.version == version { Ok(before) } else { Err(conflict().into()) }
}

async fn delete<F: Form>(site: &Site, id: &str, version: u64) -> Result<StatusCode, ApiError> {
    let before = seen::<F::Stored>(site, id, version).await?;
    let is_gone = routing::delete::<F::Stored>(&*site.table, &before.id, version).await?;
    if is_gone { Ok(StatusCode::NO_CONTENT) } else { Err(conflict().into()) }
}

fn conflict() -> Problem {
    Problem::conflict("version-conflict", "It was changed meanwhile: get it anew, and change what it is now.")
}
