//! Alarms.

mod acknowledge;
mod list;

pub(crate) use acknowledge::take_on;

use std::sync::Arc;

use domain::alarm;
use engine_http::{
    Json, Path, Problem,
    axum::{self, extract::State},
};
use records::{
    Versioned, alarms,
    users::{self, Role, User},
};
use serde::Serialize;
use ulid::Ulid;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{error::ApiError, moment::Moment, site::Site, visitor::SignedIn};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(get)).routes(routes!(acknowledge::acknowledge))
}

/// One condition on one source, with its life.
#[derive(Serialize, ToSchema)]
struct Alarm {
    /// Its id.
    id: String,
    /// What it is about.
    source: Source,
    /// The rule that raised it.
    rule: String,
    /// How much it matters.
    severity: Severity,
    /// Whether the condition holds.
    state: AlarmState,
    /// What was seen when it was raised.
    detail: String,
    /// When the condition began.
    raised_at: Moment,
    /// When the condition was seen to be over.
    #[schema(required)]
    cleared_at: Option<Moment>,
    /// What was seen then.
    #[schema(required)]
    cleared_by: Option<String>,
    /// Who took it on.
    #[schema(required)]
    acknowledged: Option<Acknowledgement>,
}

/// What an alarm or a notice is about.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Source {
    /// A device on a terminal's line.
    Device {
        /// The terminal.
        mac: String,
        /// The device's address.
        pid: u8,
    },
    /// A terminal.
    Terminal {
        /// The terminal.
        mac: String,
    },
    /// A gateway program.
    Node {
        /// The node.
        name: String,
    },
    /// A part of the platform. For administrators.
    Platform {
        /// The part: `broker:8081`.
        part: String,
        /// What it needs, and cannot reach: `queue`, `store`, or room in its `spool`.
        needs: String,
    },
}

/// How much an alarm matters, least first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look, today.
    Warning,
    /// Somebody should look, now.
    Critical,
}

/// Whether an alarm's condition holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AlarmState {
    /// It holds.
    Active,
    /// It is over.
    Cleared,
}

/// Somebody's word that they take an alarm on.
#[derive(Serialize, ToSchema)]
struct Acknowledgement {
    /// The user.
    by: String,
    /// When.
    at: Moment,
    /// What they said.
    #[schema(required)]
    note: Option<String>,
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
    Ok(Json(visible(&site, &user, &id).await?.value.into()))
}

/// The alarm of that id; not found when it is not there, and just so when the user may not see it.
async fn visible(site: &Site, user: &User, id: &str) -> Result<Versioned<alarms::Alarm>, ApiError> {
    let nowhere = || Problem::not_found("There is no such alarm among yours.");
    Ulid::from_string(id).map_err(|_| nowhere())?;
    let alarm = alarms::get(&*site.table, id).await?.ok_or_else(nowhere)?;
    let may_see = match alarm.value.source.mac() {
        Some(mac) => users::may_see(&*site.table, user, mac).await?,
        None => user.role == Role::Admin,
    };
    if may_see && concerns(&alarm.value, user) { Ok(alarm) } else { Err(nowhere().into()) }
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

/// Whether an alarm is any of a user's business: what a person's own rule raised is theirs, and the administrators'.
fn concerns(alarm: &alarms::Alarm, user: &User) -> bool {
    user.role == Role::Admin || alarm.owner().is_none_or(|owner| owner == user.user)
}

impl From<alarms::Alarm> for Alarm {
    fn from(alarm: alarms::Alarm) -> Self {
        Self {
            id: alarm.id,
            source: alarm.source.into(),
            rule: alarm.rule,
            severity: alarm.severity.into(),
            state: if alarm.cleared_at.is_some() { AlarmState::Cleared } else { AlarmState::Active },
            detail: alarm.detail,
            raised_at: Moment(alarm.raised_at),
            cleared_at: alarm.cleared_at.map(Moment),
            cleared_by: alarm.cleared_by,
            acknowledged: alarm.acknowledged.map(|word| Acknowledgement {
                by: word.by,
                at: Moment(word.at),
                note: word.note,
            }),
        }
    }
}

impl From<domain::Source> for Source {
    fn from(source: domain::Source) -> Self {
        match source {
            domain::Source::Device(device) => Self::Device { mac: device.mac.into(), pid: device.pid },
            domain::Source::Terminal(mac) => Self::Terminal { mac: mac.into() },
            domain::Source::Node(name) => Self::Node { name },
            domain::Source::Platform(domain::Need { part, needs }) => Self::Platform { part, needs },
        }
    }
}

impl From<alarm::Severity> for Severity {
    fn from(severity: alarm::Severity) -> Self {
        match severity {
            alarm::Severity::Info => Self::Info,
            alarm::Severity::Warning => Self::Warning,
            alarm::Severity::Critical => Self::Critical,
        }
    }
}
