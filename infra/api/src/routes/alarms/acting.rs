//! Shelving and resetting alarms.

use std::{sync::Arc, time::Duration};

use domain::alarm::{Act, Deed};
use engine_http::{Json, Path, Problem, axum::extract::State};
use records::{alarms, users::User};

use super::{Alarm, acknowledge::Remark, standing::shown_alone, visible};
use crate::{error::ApiError, site::Site, visitor::SignedIn};

/// Put an alarm on the shelf
///
/// For `for_ms`, at most for as long as the rule allows (7 days where it says nothing), and with `once` until the condition is
/// over if that is sooner. What the rule does on this source is recorded meanwhile, and nobody is told. When it is off the
/// shelf, people are told how it stands, unless they know. To shelve again says anew for how long.
#[utoipa::path(
    post, path = "/api/alarms/{id}/shelve", operation_id = "shelve_alarm", tag = "alarms",
    params(("id" = String, Path, description = "The alarm")), request_body = Option<Remark>,
    responses((status = 200, description = "The alarm", body = Alarm))
)]
pub(super) async fn shelve(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    remark: Option<Json<Remark>>,
) -> Result<Json<Alarm>, ApiError> {
    let remark = Remark::checked(remark)?;
    let alarm = standing(&site, &user, &id).await?;
    let until = remark.for_ms.map(|time| site.clock.now().plus(Duration::from_millis(time)));
    let deed = Deed::Shelve { rule: alarm.rule.clone(), until, once: remark.once };
    act(&site, &user, &alarm, remark, deed).await
}

/// Take an alarm off the shelf
///
/// What is not on it is left as it is.
#[utoipa::path(
    post, path = "/api/alarms/{id}/unshelve", operation_id = "unshelve_alarm", tag = "alarms",
    params(("id" = String, Path, description = "The alarm")), request_body = Option<Remark>,
    responses((status = 200, description = "The alarm", body = Alarm))
)]
pub(super) async fn unshelve(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    remark: Option<Json<Remark>>,
) -> Result<Json<Alarm>, ApiError> {
    let remark = Remark::checked(remark)?;
    let alarm = visible(&site, &user, &id).await?.value;
    let deed = Deed::Unshelve { rule: alarm.rule.clone() };
    act(&site, &user, &alarm, remark, deed).await
}

/// Reset a latched alarm
///
/// It ends, once its condition is over and somebody has acknowledged it. 409 `not-over`, `not-acknowledged` before.
#[utoipa::path(
    post, path = "/api/alarms/{id}/reset", operation_id = "reset_alarm", tag = "alarms",
    params(("id" = String, Path, description = "The alarm")), request_body = Option<Remark>,
    responses((status = 200, description = "The alarm, which is over", body = Alarm))
)]
pub(super) async fn reset(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
    remark: Option<Json<Remark>>,
) -> Result<Json<Alarm>, ApiError> {
    let remark = Remark::checked(remark)?;
    let alarm = standing(&site, &user, &id).await?;
    if alarm.life.over_at.is_none() {
        return Err(Problem::conflict("not-over", "The alarm's condition was not seen to be over.").into());
    }
    if alarm.acknowledged.is_none() {
        return Err(Problem::conflict("not-acknowledged", "Nobody has acknowledged the alarm.").into());
    }
    act(&site, &user, &alarm, remark, Deed::Reset { alarm: id }).await
}

/// The alarm of that id, which stands.
async fn standing(site: &Site, user: &User, id: &str) -> Result<alarms::Alarm, ApiError> {
    let alarm = visible(site, user, id).await?.value;
    if alarm.cleared_at.is_some() {
        return Err(Problem::conflict("cleared", "The alarm is over.").into());
    }
    Ok(alarm)
}

/// Does it, and shows what the alarm is then.
async fn act(
    site: &Site,
    user: &User,
    alarm: &alarms::Alarm,
    remark: Remark,
    deed: Deed,
) -> Result<Json<Alarm>, ApiError> {
    let now = site.clock.now();
    let act = Act { by: user.user.clone(), why: remark.note, deed };
    let changes = alarms::act(&*site.table, &alarm.source, &act, now).await?;
    tracing::info!(alarm.id = alarm.id, user.name = user.user, changes = changes.len(), "Somebody acted on an alarm");
    Ok(Json(shown_alone(site, visible(site, user, &alarm.id).await?.value).await?))
}
