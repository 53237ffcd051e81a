//! How good the alarms are, and what to do about those that are not.

mod form;
mod suggestion;

use std::{sync::Arc, time::Duration};

use domain::{
    Timestamp,
    alarm::quality::{Quality, Raised},
};
use engine_http::{
    Json, Query,
    axum::{self, extract::State},
};
use records::{alarms, users::User};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::form::AlarmQuality;
use crate::{
    error::ApiError,
    moment,
    routes::alarms::{every_standing, every_visible},
    site::Site,
    visitor::SignedIn,
};

const DEFAULT_SPAN: Duration = Duration::from_hours(30 * 24);
/// The most alarms that are looked at.
const MOST_ALARMS: usize = 50_000;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(quality)).routes(routes!(suggestion::suggest))
}

/// Which time is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Period {
    /// Alarms that began from then on: RFC 3339 or milliseconds since 1970. Thirty days before `to` when absent.
    from: Option<String>,
    /// Up to when. Now when absent.
    to: Option<String>,
}

/// How good the alarms are
///
/// By the measures of ISA-18.2, of the alarms that you may see: the worst actors, what chatters (three in a minute), what is
/// fleeting (over within a minute), what stands for more than a day, whenever it began, and the floods (ten in ten minutes).
#[utoipa::path(
    get, path = "/api/alerts/quality", operation_id = "alarm_quality", tag = "alarms", params(Period),
    responses((status = 200, description = "The figures", body = AlarmQuality))
)]
async fn quality(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(period): Query<Period>,
) -> Result<Json<AlarmQuality>, ApiError> {
    let (from, to) = moment::span(period.from.as_deref(), period.to.as_deref(), site.clock.now(), DEFAULT_SPAN)?;
    let (raised, is_whole) = raised(&site, &user, from, to).await?;
    let (earlier, are_all) = standing(&site, &user, from).await?;
    Ok(Json(AlarmQuality::of(&Quality::of(raised, &earlier, to), from, to, is_whole && are_all)))
}

/// The alarms that the user may see and that somebody was told of, which began before the time and stand.
async fn standing(site: &Site, user: &User, from: Timestamp) -> Result<(Vec<Raised>, bool), ApiError> {
    let (found, is_whole) = every_standing(site, user, MOST_ALARMS).await?;
    let earlier = found.into_iter().filter(|alarm| !alarm.shadow && alarm.raised_at < from);
    Ok((earlier.map(of).collect(), is_whole))
}

/// The alarms of the time that the user may see and that somebody was told of, and whether those are all.
async fn raised(site: &Site, user: &User, from: Timestamp, to: Timestamp) -> Result<(Vec<Raised>, bool), ApiError> {
    let (found, is_whole) = every_visible(site, user, from, MOST_ALARMS).await?;
    let in_time = |alarm: &alarms::Alarm| !alarm.shadow && (from..=to).contains(&alarm.raised_at);
    Ok((found.into_iter().filter(in_time).map(of).collect(), is_whole))
}

fn of(alarm: alarms::Alarm) -> Raised {
    Raised {
        id: alarm.id,
        source: alarm.source,
        rule: alarm.rule,
        severity: alarm.severity,
        at: alarm.raised_at,
        cleared: alarm.cleared_at,
    }
}
