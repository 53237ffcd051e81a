//! Signing in and out.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use engine_http::{
    Json, Problem,
    axum::{
        self,
        extract::State,
        http::{HeaderMap, Method, StatusCode, header},
        response::{AppendHeaders, IntoResponse},
    },
    credential_of,
};
use records::{
    sign_ins,
    users::{self, Role, User},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::Instrument;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    moment::Moment,
    password,
    site::{ApiSettings, Site},
    visitor::refuse_foreign_page,
};

const MOST_NAME_BYTES: usize = 128;
/// How long a sign-in may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(sign_in)).routes(routes!(sign_out))
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
struct Login {
    /// The sign-in name.
    #[schema(max_length = 128)]
    user: String,
    /// The password.
    #[schema(format = Password, max_length = 1024)]
    password: String,
}

/// Who signed in.
#[derive(Serialize, ToSchema)]
struct Session {
    /// What to send as `Authorization: Bearer`.
    token: String,
    /// When it stops being good.
    expires: Moment,
    /// The sign-in name.
    user: String,
    /// What the user may do: `admin` or `user`.
    #[schema(example = "user")]
    role: &'static str,
}

/// Sign in
///
/// The token is in the answer and, for browsers, in the cookie `token`. 401 for a wrong name or password. After five
/// wrong passwords a name is locked for 30 minutes: 429, with `Retry-After`.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "sign-in", security(()), request_body = Login,
    responses((status = 200, description = "You are signed in", body = Session))
)]
async fn sign_in(State(site): State<Arc<Site>>, Json(login): Json<Login>) -> Result<impl IntoResponse, ApiError> {
    check_form(&login)?;
    let settings = site.settings;
    // In a task of its own: a caller who hangs up early would otherwise guess without being counted.
    let opening = async move { open_session(&site, login).await }.in_current_span();
    let session = tokio::spawn(opening).await.map_err(|_| Problem::internal())??;
    let cookie = cookie(&session.token, settings.session, settings);
    let headers = AppendHeaders([(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, "no-store".to_owned())]);
    Ok((headers, Json(session)))
}

/// Sign out
///
/// Takes the cookie away. A token that a program keeps stays good until it expires.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "sign-in", security(()),
    responses((status = 204, description = "You are signed out"))
)]
async fn sign_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Result<impl IntoResponse, ApiError> {
    if let Some(credential) = credential_of(&headers) {
        refuse_foreign_page(&Method::POST, &headers, credential)?;
    }
    let gone = cookie("", Duration::ZERO, site.settings);
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, gone)])))
}

fn check_form(login: &Login) -> Result<(), Problem> {
    let Login { user, password } = login;
    if user.is_empty() || user.len() > MOST_NAME_BYTES || user.contains('\0') || password.len() > password::MOST_BYTES {
        let form = format!("user has 1 to {MOST_NAME_BYTES} bytes, password at most {}.", password::MOST_BYTES);
        return Err(Problem::bad_request("bad-body", form));
    }
    Ok(())
}

async fn open_session(site: &Site, login: Login) -> Result<Session, ApiError> {
    // One who waits here was not counted yet, so what runs at once bounds by how much the limit can be overrun.
    let Ok(Ok(_turn)) = timeout(PATIENCE, site.password_checks.acquire()).await else {
        return Err(Problem::unavailable("sign-in-busy", "Many sign in just now. Try again in a moment.").into());
    };
    let now = site.clock.now();
    let wrong = sign_ins::wrong_passwords(&*site.table, &login.user, now).await?;
    if let Some(until) = wrong.locked_until() {
        return Err(locked(until.since(now)).into());
    }
    let Some(user) = user_of(site, &login).await? else {
        sign_ins::count_wrong(&*site.table, &login.user, now).await?;
        return Err(Problem::unauthorized("wrong-sign-in", "The name or the password is wrong.").into());
    };
    if wrong.count > 0 {
        sign_ins::forget(&*site.table, &user.user).await?;
    }
    session_for(site, user, now)
}

/// The user whose name and password these are. Takes as long when nobody has the name.
async fn user_of(site: &Site, login: &Login) -> Result<Option<User>, ApiError> {
    let user = users::get(&*site.table, &login.user).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let password = login.password.clone();
    let checked = tokio::task::spawn_blocking(move || password::is_password_of(hash.as_deref(), &password)).await;
    let right = checked.map_err(|_| Problem::internal())?;
    if let Some(user) = user.as_ref().filter(|_| !right) {
        tracing::warn!(user.name = user.user, "Wrong password");
    }
    Ok(user.filter(|_| right))
}

fn session_for(site: &Site, user: User, now: Timestamp) -> Result<Session, ApiError> {
    let role = match user.role {
        Role::Admin => "admin",
        Role::User => "user",
    };
    let lives = site.settings.session;
    let token = site.tokens.issue(&user.user, role, now, lives).map_err(|error| {
        tracing::error!(%error, "A sign-in failed");
        Problem::internal()
    })?;
    tracing::info!(user.name = user.user, user.role = role, "Signed in");
    Ok(Session { token, expires: Moment(now.plus(lives)), user: user.user, role })
}

fn locked(left: Duration) -> Problem {
    let minutes = left.as_secs().div_ceil(60);
    let why = format!("Too many wrong passwords: this name is locked for {minutes} more minutes.");
    Problem::too_many("sign-in-locked", why, left)
}

fn cookie(token: &str, lives: Duration, settings: ApiSettings) -> String {
    let secure = if settings.secure_cookie { "; Secure" } else { "" };
    format!("token={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={}{secure}", lives.as_secs())
}
