//! How people are spoken to: their language, and the clocks that they go by.

use std::sync::Arc;

use engine_http::{
    Json, Path, Problem,
    axum::{self, extract::State},
};
use records::{
    locale::{self, Language},
    users,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    site::Site,
    visitor::{Admin, AdminUser, SignedIn},
};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(get_own, put_own)).routes(routes!(get_of, put_of))
}

/// How somebody is spoken to. What is null or left out is as the operator chose.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Locale {
    /// The language of their notices and pages: `en` or `zh`.
    #[serde(default)]
    #[schema(required, value_type = Option<String>, example = "zh")]
    language: Option<Language>,
    /// The IANA zone whose clocks their notices go by.
    #[serde(default)]
    #[schema(required, example = "Asia/Shanghai")]
    zone: Option<String>,
}

/// How you are spoken to
#[utoipa::path(
    get, path = "/api/me/locale", operation_id = "get_own_locale", tag = "people",
    responses((status = 200, description = "What you chose", body = Locale))
)]
async fn get_own(SignedIn(user): SignedIn) -> Json<Locale> {
    Json(user.locale.into())
}

/// Say how you want to be spoken to
///
/// It holds for what is sent from now on.
#[utoipa::path(
    put, path = "/api/me/locale", operation_id = "put_own_locale", tag = "people", request_body = Locale,
    responses((status = 200, description = "It holds for you", body = Locale))
)]
async fn put_own(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(chosen): Json<Locale>,
) -> Result<Json<Locale>, ApiError> {
    store(&site, &user.user, &user.user, chosen).await
}

/// How somebody is spoken to
///
/// For administrators.
#[utoipa::path(
    get, path = "/api/users/{user}/locale", operation_id = "get_locale", tag = "people",
    params(("user" = String, Path, description = "The sign-in name")),
    responses((status = 200, description = "What was chosen", body = Locale))
)]
async fn get_of(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(user): Path<String>,
) -> Result<Json<Locale>, ApiError> {
    let user = users::get(&*site.table, &user).await?.ok_or_else(nobody)?;
    Ok(Json(user.locale.into()))
}

/// Say how somebody is to be spoken to
///
/// For administrators. It holds for what is sent from now on.
#[utoipa::path(
    put, path = "/api/users/{user}/locale", operation_id = "put_locale", tag = "people", request_body = Locale,
    params(("user" = String, Path, description = "The sign-in name")),
    responses((status = 200, description = "It holds for them", body = Locale))
)]
async fn put_of(
    State(site): State<Arc<Site>>,
    AdminUser(admin): AdminUser,
    Path(user): Path<String>,
    Json(chosen): Json<Locale>,
) -> Result<Json<Locale>, ApiError> {
    store(&site, &admin.user, &user, chosen).await
}

async fn store(site: &Site, by: &str, user: &str, chosen: Locale) -> Result<Json<Locale>, ApiError> {
    if let Some(zone) = chosen.zone.as_deref().filter(|zone| jiff::tz::TimeZone::get(zone).is_err()) {
        let why = format!("zone: there is no time zone {zone:?}; zones are written as Europe/Berlin.");
        return Err(Problem::bad_request("bad-locale", why).into());
    }
    let Locale { language, zone } = chosen;
    let locale = locale::Locale { language, zone };
    if !users::put_locale(&*site.table, user, &locale).await? {
        return Err(nobody().into());
    }
    tracing::info!(user.name = by, of = user, "A language and a time zone were stored");
    Ok(Json(locale.into()))
}

fn nobody() -> Problem {
    Problem::not_found("There is no such user.")
}

impl From<locale::Locale> for Locale {
    fn from(locale::Locale { language, zone }: locale::Locale) -> Self {
        Self { language, zone }
    }
}
