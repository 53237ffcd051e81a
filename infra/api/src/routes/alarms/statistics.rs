//! How many alarms there were and are, and how soon somebody cared.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::Timestamp;
use engine_http::{Json, Problem, Query, axum::extract::State};
use records::{alarms, users::User};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    attended, concerns,
    list::{Scope, WantedState, newest, scope},
};
use crate::{error::ApiError, moment::Moment, site::Site, visitor::SignedIn};

/// So many alarms are looked at, the newest.
const MOST: usize = 20_000;
const PAGE: usize = 500;
/// So many sources are told of, those with the most alarms.
const MOST_SOURCES: usize = 20;

/// What time is looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Period {
    /// `24h`, `7d`, `30d` or `90d`: the alarms that were raised in it; `24h` when absent.
    period: Option<String>,
}

/// Some alarms, counted.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct AlarmStatistics {
    /// How many were raised.
    total: usize,
    /// How many stand how: `active`, `acknowledged` (and active), `cleared`.
    by_status: BTreeMap<String, usize>,
    /// How many of each severity.
    by_severity: BTreeMap<String, usize>,
    /// The sources that had the most, and how many.
    by_source: Vec<Counted>,
    /// How long it took until somebody acknowledged, in seconds on average, of those that somebody did; null when none.
    #[schema(required)]
    mean_time_to_acknowledge_s: Option<f64>,
    /// How long they lasted, in seconds on average, of those that are over; null when none is.
    #[schema(required)]
    mean_time_to_resolve_s: Option<f64>,
    /// Whether there were more than are counted.
    truncated: bool,
}

/// A source and how many alarms it had.
#[derive(Debug, Serialize, ToSchema)]
struct Counted {
    /// `device:<mac>/<pid>`, `terminal:<mac>`, `node:<name>` or `platform:<part>/<need>`.
    source: String,
    /// How many.
    alarms: usize,
}

/// What stands now.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct AlarmSummary {
    /// How many are active.
    active: usize,
    /// How many of them nobody has on: nobody acknowledged them, or their word holds no more, or is for less than they matter by now.
    unacknowledged: usize,
    /// How many of each severity are active.
    by_severity: BTreeMap<String, usize>,
    /// How many were raised in the last 24 hours.
    raised_24h: usize,
    /// Since when the oldest is active; null when none is.
    #[schema(required)]
    oldest: Option<Moment>,
}

/// Statistics of alarms
///
/// Of the alarms that you may see. Those of rules that are only tried out are left out.
#[utoipa::path(
    get, path = "/api/alerts/statistics", operation_id = "get_alarm_statistics", tag = "alarms", params(Period),
    responses((status = 200, description = "The statistics", body = AlarmStatistics))
)]
pub(super) async fn statistics(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(period): Query<Period>,
) -> Result<Json<AlarmStatistics>, ApiError> {
    let since = site.clock.now().minus(period.length()?);
    let (alarms, truncated) = raised_since(&site, &user, WantedState::All, since).await?;
    Ok(Json(AlarmStatistics { truncated, ..counted(&site, &alarms) }))
}

/// What stands now
///
/// A summary of the alarms that you may see. Those of rules that are only tried out are left out.
#[utoipa::path(
    get, path = "/api/alerts/summary", operation_id = "get_alarm_summary", tag = "alarms",
    responses((status = 200, description = "The summary", body = AlarmSummary))
)]
pub(super) async fn summary(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
) -> Result<Json<AlarmSummary>, ApiError> {
    let (active, _) = raised_since(&site, &user, WantedState::Active, Timestamp(0)).await?;
    let since = site.clock.now().minus(Duration::from_hours(24));
    let (lately, _) = raised_since(&site, &user, WantedState::All, since).await?;
    Ok(Json(AlarmSummary {
        active: active.len(),
        unacknowledged: active.iter().filter(|alarm| !is_taken_on(&site, alarm)).count(),
        by_severity: by(&active, |alarm| alarm.severity.to_string()),
        raised_24h: lately.len(),
        oldest: active.iter().map(|alarm| alarm.raised_at).min().map(Moment),
    }))
}

/// Whether somebody has an alarm on: their word holds still, and for as much as it matters by now.
fn is_taken_on(site: &Site, alarm: &alarms::Alarm) -> bool {
    attended(site, alarm.clone()).is_taken_on()
}

impl Period {
    fn length(&self) -> Result<Duration, Problem> {
        let hours = match self.period.as_deref() {
            None | Some("24h") => 24,
            Some("7d") => 7 * 24,
            Some("30d") => 30 * 24,
            Some("90d") => 90 * 24,
            Some(_) => return Err(Problem::bad_request("bad-query", "period is 24h, 7d, 30d or 90d.")),
        };
        Ok(Duration::from_hours(hours))
    }
}

/// The alarms that a user may see and that began since then, and whether there are more.
async fn raised_since(
    site: &Site,
    user: &User,
    state: WantedState,
    since: Timestamp,
) -> Result<(Vec<alarms::Alarm>, bool), ApiError> {
    let scope: Scope = scope(site, user, None).await?;
    let lists = scope.lists(state);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = newest(&*site.table, &lists, PAGE, after).await?;
        // Ids go by the time of what raised them, which is a delay later than the beginning.
        let is_at_the_end = page.items.last().is_some_and(|last| told(&last.id) < since);
        let wanted = page
            .items
            .into_iter()
            .filter(|alarm| alarm.raised_at >= since && !alarm.shadow && scope.holds(alarm) && concerns(alarm, user));
        found.extend(wanted);
        after = page.next;
        if found.len() >= MOST {
            return Ok((found, after.is_some() && !is_at_the_end));
        }
        if after.is_none() || is_at_the_end {
            return Ok((found, false));
        }
    }
}

/// The instant in an alarm's id.
fn told(id: &str) -> Timestamp {
    let at = ulid::Ulid::from_string(id).map_or(0, |id| id.timestamp_ms());
    Timestamp(i64::try_from(at).unwrap_or(i64::MAX))
}

fn counted(site: &Site, alarms: &[alarms::Alarm]) -> AlarmStatistics {
    let mut by_source: Vec<Counted> = by(alarms, |alarm| alarm.source.to_string())
        .into_iter()
        .map(|(source, alarms)| Counted { source, alarms })
        .collect();
    by_source.sort_by(|a, b| b.alarms.cmp(&a.alarms).then_with(|| a.source.cmp(&b.source)));
    by_source.truncate(MOST_SOURCES);
    let to = |end: fn(&alarms::Alarm) -> Option<Timestamp>| {
        mean(alarms.iter().filter_map(|alarm| Some(end(alarm)?.since(alarm.raised_at))))
    };
    AlarmStatistics {
        total: alarms.len(),
        by_status: by(alarms, |alarm| status(alarm, is_taken_on(site, alarm))),
        by_severity: by(alarms, |alarm| alarm.severity.to_string()),
        by_source,
        mean_time_to_acknowledge_s: to(|alarm| alarm.acknowledged.as_ref().map(|word| word.at)),
        mean_time_to_resolve_s: to(|alarm| alarm.cleared_at),
        truncated: false,
    }
}

fn status(alarm: &alarms::Alarm, is_taken_on: bool) -> String {
    let status = match (alarm.cleared_at, is_taken_on) {
        (Some(_), _) => "cleared",
        (None, true) => "acknowledged",
        (None, false) => "active",
    };
    status.to_owned()
}

fn by(alarms: &[alarms::Alarm], key: impl Fn(&alarms::Alarm) -> String) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for alarm in alarms {
        *counts.entry(key(alarm)).or_default() += 1;
    }
    counts
}

fn mean(times: impl Iterator<Item = Duration>) -> Option<f64> {
    let (count, sum) = times.fold((0_u32, Duration::ZERO), |(count, sum), time| (count + 1, sum + time));
    (count > 0).then(|| sum.as_secs_f64() / f64::from(count))
}
