//! Making, changing and deleting a rule.

use std::sync::Arc;

use engine_http::{
    Json, Path, Problem, Query,
    axum::{extract::State, http::StatusCode},
};
use records::{alert_rules::Change, users::User};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    commit, conflict,
    form::{AlertRule, Replacement, RuleForm},
    may_change,
    proof::Seen,
    record, rule,
};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// Make an alert rule
///
/// Alarms follow it within 10 seconds. 400 tells each part of it that makes no sense with its place.
#[utoipa::path(
    post, path = "/api/alerts/rules", operation_id = "create_alert_rule", tag = "alert rules", request_body = RuleForm,
    responses((status = 201, description = "It is in force", body = AlertRule))
)]
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Json(form): Json<RuleForm>,
) -> Result<(StatusCode, Json<AlertRule>), ApiError> {
    let owner = (!form.everybody).then_some(user.user.as_str());
    may_change(&user, owner)?;
    let warnings = proven(&site, &user, &form).await?;
    let rule = record(&site, &user, form, None);
    commit(&site, &user, &[Change::create(rule.clone())]).await?;
    Ok((StatusCode::CREATED, Json(AlertRule::from(rule).warned(warnings))))
}

/// Change an alert rule
///
/// `version` is that which you saw: 409 when the rule was changed since. It stays whose it is. Alarms that stand end only
/// when their devices are seen to be normal by what the rule says now.
#[utoipa::path(
    put, path = "/api/alerts/rules/{id}", operation_id = "replace_alert_rule", tag = "alert rules",
    params(("id" = String, Path, description = "The rule")), request_body = Replacement,
    responses((status = 200, description = "It is in force", body = AlertRule))
)]
pub(super) async fn replace(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Json(Replacement { version, form }): Json<Replacement>,
) -> Result<Json<AlertRule>, ApiError> {
    let before = rule(&site, &user, &id).await?;
    may_change(&user, before.owner.as_deref())?;
    if form.everybody != before.owner.is_none() {
        let why = "A rule stays whose it is: everybody must be what it was. Make another rule instead.";
        return Err(Problem::bad_request("other-owner", why).into());
    }
    let warnings = proven(&site, &user, &form).await?;
    if version != before.version {
        return Err(conflict().into());
    }
    let after = record(&site, &user, form, Some(&before));
    commit(&site, &user, &[Change::replace(before, after.clone())]).await?;
    Ok(Json(AlertRule::from(after).warned(warnings)))
}

/// Which version is meant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// The version that you saw: 409 when the rule was changed since. Whatever it is now when absent.
    version: Option<u64>,
}

/// Delete an alert rule
///
/// Its alarms end when their devices are next heard of.
#[utoipa::path(
    delete, path = "/api/alerts/rules/{id}", operation_id = "delete_alert_rule", tag = "alert rules",
    params(("id" = String, Path, description = "The rule"), Which),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<StatusCode, ApiError> {
    let before = rule(&site, &user, &id).await?;
    may_change(&user, before.owner.as_deref())?;
    if which.version.is_some_and(|version| version != before.version) {
        return Err(conflict().into());
    }
    commit(&site, &user, &[Change::delete(before)]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What can hardly be meant of a rule that makes sense.
async fn proven(site: &Site, user: &User, form: &RuleForm) -> Result<Vec<String>, ApiError> {
    let seen = Seen::by(site, user, &[form]).await?;
    let faults = seen.faults(form);
    if faults.is_empty() {
        return Ok(seen.warnings(form));
    }
    Err(Problem::faults("bad-rule", "Nothing was stored: the rule is wrong, errors says where.", faults).into())
}
