//! What devices said.

use std::{sync::Arc, time::Duration};

use domain::{Pid, Timestamp, alarm::Observed, reading};
use engine_http::{
    Json, Path, Problem, Query,
    axum::{self, extract::State},
};
use records::readings::{self, Span};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    moment::{self, Moment},
    paging::{Listing, Paging},
    site::Site,
    visitor::SignedIn,
};

const LIST: &str = "history";
const DEFAULT_SPAN: Duration = Duration::from_hours(24);

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(latest)).routes(routes!(history))
}

/// What one query of one device brought.
#[derive(Serialize, ToSchema)]
struct Reading {
    /// The terminal.
    mac: String,
    /// The device's address on its line.
    pid: u8,
    /// When the query was sent.
    asked: Moment,
    /// The device's time when it can be believed, else the time of arrival.
    at: Moment,
    /// When the reply reached the server.
    arrived: Moment,
    /// Whether it came too late to raise an alarm.
    late: bool,
    /// The values, in the protocol's order.
    values: Vec<NamedValue>,
}

/// One named value.
#[derive(Serialize, ToSchema)]
pub(super) struct NamedValue {
    /// What it is called.
    name: String,
    /// The machine form; null when the device gave none.
    #[schema(required)]
    value: Option<Datum>,
    /// What a person is shown, without the unit.
    display: String,
    /// The unit; empty for a state.
    unit: String,
    /// How far it can be believed.
    quality: Quality,
}

/// A value's machine form.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Datum {
    Number(f64),
    Text(String),
}

/// How far a value can be believed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Quality {
    /// Proven and fresh.
    Good,
    /// Proven, but something about it is doubtful.
    Uncertain,
    /// The device answered, and the answer holds no value.
    Bad,
    /// Was good once; nothing newer has come in time.
    Stale,
}

/// Which part of the history is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Period {
    /// The first instant of arrival: RFC 3339 or milliseconds since 1970. A day before `to` when absent.
    from: Option<String>,
    /// The last instant of arrival. Now when absent.
    to: Option<String>,
}

/// What a device said last
///
/// 404 when it never said anything.
#[utoipa::path(
    get, path = "/api/terminals/{mac}/devices/{pid}/latest", operation_id = "latest_reading", tag = "readings",
    params(
        ("mac" = String, Path, description = "The terminal"), ("pid" = u8, Path, description = "The device's address"),
    ),
    responses((status = 200, description = "The reading", body = Reading))
)]
async fn latest(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path((mac, pid)): Path<(String, Pid)>,
) -> Result<Json<Reading>, ApiError> {
    let terminal = site.terminal(&user, &mac).await?;
    let mut latest = readings::latest(&*site.table, &terminal.mac).await?.value;
    let reading =
        latest.devices.remove(&pid).ok_or_else(|| Problem::not_found("This device has not said anything yet."))?;
    Ok(Json(reading.into()))
}

/// What a device said
///
/// Newest first. A page may hold a few readings more than its limit.
#[utoipa::path(
    get, path = "/api/terminals/{mac}/devices/{pid}/history", operation_id = "list_readings", tag = "readings",
    params(
        ("mac" = String, Path, description = "The terminal"), ("pid" = u8, Path, description = "The device's address"),
        Period, Paging,
    ),
    responses((status = 200, description = "A page of readings", body = Listing<Reading>))
)]
async fn history(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path((mac, pid)): Path<(String, Pid)>,
    Query(period): Query<Period>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Reading>>, ApiError> {
    let terminal = site.terminal(&user, &mac).await?;
    let (from, to) = period.bounds(site.clock.now())?;
    let span = Span { from, to, limit: paging.limit()?, after: paging.after(LIST)? };
    let page = readings::history(&*site.table, &terminal.mac, pid, &span).await?;
    Ok(Listing::answer(LIST, page.items.into_iter().map(Reading::from).collect(), page.next))
}

impl Period {
    fn bounds(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
        moment::span(self.from.as_deref(), self.to.as_deref(), now, DEFAULT_SPAN)
    }
}

impl From<reading::Reading> for Reading {
    fn from(reading: reading::Reading) -> Self {
        Self {
            mac: reading.device.mac.into(),
            pid: reading.device.pid,
            asked: Moment(reading.asked),
            at: Moment(reading.at),
            arrived: Moment(reading.arrived),
            late: reading.late,
            values: reading.values.into_iter().map(NamedValue::from).collect(),
        }
    }
}

impl From<reading::Value> for NamedValue {
    fn from(value: reading::Value) -> Self {
        let reading::Value { name, value, display, unit, quality } = value;
        let value = match value {
            reading::Datum::Number(number) => Some(Datum::Number(number)),
            reading::Datum::Text(text) => Some(Datum::Text(text)),
            reading::Datum::None => None,
        };
        Self { name, value, display, unit, quality: quality.into() }
    }
}

impl From<Observed> for NamedValue {
    fn from(observed: Observed) -> Self {
        let Observed { name, value, display, unit, quality } = observed;
        Self::from(reading::Value { name, value, display, unit, quality })
    }
}

impl From<reading::Quality> for Quality {
    fn from(quality: reading::Quality) -> Self {
        match quality {
            reading::Quality::Good => Self::Good,
            reading::Quality::Uncertain => Self::Uncertain,
            reading::Quality::Bad => Self::Bad,
            reading::Quality::Stale => Self::Stale,
        }
    }
}
