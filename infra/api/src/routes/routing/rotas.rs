//! Rotas: who is on call when.

use std::sync::Arc;

use domain::routing::rota::Rota;
use engine_http::{
    Json, Path, Query,
    axum::{extract::State, http::StatusCode},
};
use records::routing::StoredRota;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Form, Kept, Which, found, proof};
use crate::{
    error::ApiError,
    moment::{self, Moment},
    site::Site,
    visitor::{Admin, AdminUser},
};

/// Who is on call when.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OnCallRota {
    /// What people call it: 1 to 200 bytes.
    name: String,
    /// `{"zone": "Europe/Berlin", "people": ["ann", "bob"], "turn": "weekly", "hand_over": "08:00", "since": "2026-01-05",
    /// "overrides": [{"person": "cid", "from": "2026-12-24T12:00:00Z", "until": "2026-12-26T12:00:00Z"}]}`; `turn` is `daily` or
    /// `weekly`, and weekly turns end on the weekday of `since`.
    #[schema(value_type = Object)]
    rota: Rota,
}

impl From<OnCallRota> for StoredRota {
    fn from(form: OnCallRota) -> Self {
        Self { name: form.name, rota: form.rota }
    }
}

impl From<StoredRota> for OnCallRota {
    fn from(rota: StoredRota) -> Self {
        Self { name: rota.name, rota: rota.rota }
    }
}

impl Form for OnCallRota {
    type Stored = StoredRota;

    async fn prove(site: &Site, stored: &StoredRota) -> Result<(), ApiError> {
        proof::rota(site, stored).await
    }
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OnCallRotas {
    /// Oldest first.
    items: Vec<Kept<OnCallRota>>,
}

/// On-call rotas
///
/// All of them, oldest first. For administrators.
#[utoipa::path(
    get, path = "/api/alerts/rotas", operation_id = "list_rotas", tag = "routing",
    responses((status = 200, description = "The rotas", body = OnCallRotas))
)]
pub(super) async fn list(State(site): State<Arc<Site>>, Admin: Admin) -> Result<Json<OnCallRotas>, ApiError> {
    Ok(Json(OnCallRotas { items: super::list(&site).await? }))
}

/// One rota
#[utoipa::path(
    get, path = "/api/alerts/rotas/{id}", operation_id = "get_rota", tag = "routing",
    params(("id" = String, Path, description = "The rota")),
    responses((status = 200, description = "The rota", body = Kept<OnCallRota>))
)]
pub(super) async fn get(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(id): Path<String>,
) -> Result<Json<Kept<OnCallRota>>, ApiError> {
    super::get(&site, &id).await
}

/// Make a rota
///
/// Policies and alert rules may name it. For administrators.
#[utoipa::path(
    post, path = "/api/alerts/rotas", operation_id = "create_rota", tag = "routing",
    request_body = OnCallRota,
    responses((status = 201, description = "It is in force", body = Kept<OnCallRota>))
)]
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    AdminUser(user): AdminUser,
    Json(form): Json<OnCallRota>,
) -> Result<(StatusCode, Json<Kept<OnCallRota>>), ApiError> {
    super::create(&site, &user, form).await
}

/// Change a rota
///
/// Whoever is on call by it hears from now on. For administrators.
#[utoipa::path(
    put, path = "/api/alerts/rotas/{id}", operation_id = "replace_rota", tag = "routing",
    params(("id" = String, Path, description = "The rota"), Which), request_body = OnCallRota,
    responses((status = 200, description = "It is in force", body = Kept<OnCallRota>))
)]
pub(super) async fn replace(
    State(site): State<Arc<Site>>,
    AdminUser(user): AdminUser,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Json(form): Json<OnCallRota>,
) -> Result<Json<Kept<OnCallRota>>, ApiError> {
    super::replace(&site, &user, (&id, which.version), form).await
}

/// Delete a rota
///
/// Policies and rules that name it name nobody then. For administrators.
#[utoipa::path(
    delete, path = "/api/alerts/rotas/{id}", operation_id = "delete_rota", tag = "routing",
    params(("id" = String, Path, description = "The rota"), Which),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, ApiError> {
    super::delete::<OnCallRota>(&site, &id, which.version).await
}

/// When it is asked of.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct At {
    /// RFC 3339 or milliseconds since 1970; now when absent.
    at: Option<String>,
}

/// Who is on call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OnCall {
    /// A user's name; null before the first turn.
    #[schema(required)]
    person: Option<String>,
    /// When it is another one; null when not within a week.
    #[schema(required)]
    until: Option<Moment>,
}

/// Who is on call
///
/// At an instant, by a rota. For administrators.
#[utoipa::path(
    get, path = "/api/alerts/rotas/{id}/on-call", operation_id = "get_on_call", tag = "routing",
    params(("id" = String, Path, description = "The rota"), At),
    responses((status = 200, description = "Who it is", body = OnCall))
)]
pub(super) async fn on_call(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(id): Path<String>,
    Query(At { at }): Query<At>,
) -> Result<Json<OnCall>, ApiError> {
    let at = at.map(|at| moment::parse("at", &at)).transpose()?.unwrap_or_else(|| site.clock.now());
    let rota = found::<StoredRota>(&site, &id).await?.value.rota;
    let person = rota.on_call(at).map(str::to_owned);
    Ok(Json(OnCall { person, until: rota.next_change(at).map(Moment) }))
}
