//! Alarms.

mod acknowledge;
mod acting;
mod explain;
mod list;
mod rules;
mod service;
mod shown;
mod standing;
mod statistics;

pub(crate) use acknowledge::{Remark, take_on};
pub(crate) use explain::Explained;

use std::sync::Arc;

use engine_http::{
    Json, Path, Problem,
    axum::{self, extract::State},
};
use jobs::told_by_name;
use records::{
    Versioned, alarms,
    users::{self, Role, User},
};
use ulid::Ulid;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::list::{every_standing, every_visible};
use self::shown::Alarm;
pub(crate) use self::shown::Source;
use crate::{error::ApiError, site::Site, visitor::SignedIn};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get))
        .routes(routes!(explain::explain))
        .routes(routes!(acknowledge::acknowledge))
        .routes(routes!(acting::reset))
        .routes(routes!(acting::shelve))
        .routes(routes!(acting::unshelve))
        .routes(routes!(service::get, service::take_out, service::put_back))
        .routes(routes!(statistics::statistics))
        .routes(routes!(statistics::summary))
}

/// One alarm
#[utoipa::path(
    get, path = "/api/alarms/{id}", operation_id = "get_alarm", tag = "alarms",
    params(("id" = String, Path, description = "The alarm")),
    responses((status = 200, description = "The alarm", body = Alarm))
)]
async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Alarm>, ApiError> {
    Ok(Json(standing::shown_alone(&site, visible(&site, &user, &id).await?.value).await?))
}

/// The alarm of that id; not found when it is not there, and just so when the user may not see it: neither its source, nor because
/// they were told of it by name.
async fn visible(site: &Site, user: &User, id: &str) -> Result<Versioned<alarms::Alarm>, ApiError> {
    let nowhere = || Problem::not_found("There is no such alarm among yours.");
    Ulid::from_string(id).map_err(|_| nowhere())?;
    let mut alarm = alarms::get(&*site.table, id).await?.ok_or_else(nowhere)?;
    alarm.value = attended(site, alarm.value);
    if !concerns(&alarm.value, user) {
        return Err(nowhere().into());
    }
    let may_see = users::may_see_source(&*site.table, user, &alarm.value.source).await?
        || !told_by_name::among(&*site.table, &user.user, &[&alarm.value]).await?.is_empty();
    if may_see { Ok(alarm) } else { Err(nowhere().into()) }
}

/// Those of the alarms that a user may see.
pub(crate) async fn those_visible(
    site: &Site,
    user: &User,
    ids: impl IntoIterator<Item = &str>,
) -> Result<Vec<alarms::Alarm>, ApiError> {
    let mut seen = Vec::new();
    for id in ids {
        match visible(site, user, id).await {
            Ok(alarm) => seen.push(alarm.value),
            // It is not there, or not theirs.
            Err(ApiError::Problem(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(seen)
}

/// Those of the alarms that a user may see, by a few reads however many there are.
pub(crate) async fn seen_among(
    site: &Site,
    user: &User,
    alarms: Vec<alarms::Alarm>,
) -> Result<Vec<alarms::Alarm>, ApiError> {
    let seen = users::seen_among(&*site.table, user, alarms.iter().map(|alarm| &alarm.source)).await?;
    let unseen: Vec<&alarms::Alarm> = alarms.iter().filter(|alarm| !seen.contains(&alarm.source)).collect();
    let told = told_by_name::among(&*site.table, &user.user, &unseen).await?;
    let may_see =
        |alarm: &alarms::Alarm| (seen.contains(&alarm.source) || told.contains(&alarm.id)) && concerns(alarm, user);
    let alarms: Vec<alarms::Alarm> = alarms.iter().filter(|alarm| may_see(alarm)).cloned().collect();
    Ok(alarms.into_iter().map(|alarm| attended(site, alarm)).collect())
}

/// The alarm as it is attended to now: nobody has it on where the word that somebody gave holds no more, and another may be given.
fn attended(site: &Site, mut alarm: alarms::Alarm) -> alarms::Alarm {
    let (now, lasts) = (site.clock.now(), site.terms.word_lasts());
    if alarm.cleared_at.is_none() && alarm.acknowledged.as_ref().is_some_and(|word| !word.holds(now, lasts)) {
        alarm.acknowledged = None;
    }
    alarm
}

/// Whether an alarm is any of a user's business: what a person's own rule raised is theirs, and the administrators'.
fn concerns(alarm: &alarms::Alarm, user: &User) -> bool {
    user.role == Role::Admin || alarm.owner().is_none_or(|owner| owner == user.user)
}
