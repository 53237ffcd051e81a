//! Terminals and what hangs on them.

mod mounting;
mod removal;

use std::{collections::BTreeMap, sync::Arc};

use domain::{Mac, schedule};
use engine_http::{
    Json, Path, Problem, Query,
    axum::{self, extract::State},
};
use records::{
    Listed, Table, sites, terminals,
    users::{self, Role, User},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::removal::show_changed;
use crate::{
    error::ApiError,
    moment::Moment,
    paging::{Listing, Paging, page_of},
    site::Site,
    visitor::SignedIn,
};

const LIST: &str = "terminals";

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, mounting::put, removal::delete))
}

/// A DTU and what hangs on its line.
#[derive(Serialize, ToSchema)]
struct Terminal {
    /// Its name on the wire.
    #[schema(example = "AABBCCDDEEFF")]
    mac: String,
    /// What people call it.
    name: String,
    /// The node it connects to.
    node: String,
    /// The site it is at; null when nobody said.
    #[schema(required)]
    site: Option<String>,
    /// Whether it can be asked.
    presence: Presence,
    /// Since when; null when it was never heard of.
    #[schema(required)]
    since: Option<Moment>,
    /// The devices on its line.
    devices: Vec<Device>,
    /// Its SIM's number, when it has one.
    #[schema(required)]
    iccid: Option<String>,
    /// The SIM's data plan, when it is known.
    #[schema(required)]
    data_plan: Option<DataPlan>,
    /// What its node found out about it, as far as it was told: `uptime` (when it was told last), `AT` (whether it answers
    /// AT commands), `ip`, `port`, `model`, `ver`, `gver`, `iotStat`, `location`, `uart`, `signal`, `state`, `score`,
    /// `alert` (the last warning).
    info: BTreeMap<String, String>,
    /// How the line is.
    line: LineHealth,
}

/// A SIM's data plan, as the carrier tells it. Of small plans of one kind less is asked.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DataPlan {
    /// The plan's name (`resName`).
    name: String,
    /// Its kind (`ali_1`, `ali_2`).
    #[serde(default)]
    version: String,
    /// What it allows, in KB.
    flow_kb: u64,
    /// What of it is used, in KB; null when that is not known.
    #[serde(default)]
    #[schema(required)]
    used_kb: Option<u64>,
    /// What is left of it, in KB; null when that is not known. Alarms begin below a tenth of what it allows.
    #[serde(default)]
    #[schema(required)]
    left_kb: Option<u64>,
    /// When it ends; null when that is not known. Alarms begin 30 days before.
    #[serde(default)]
    #[schema(required)]
    expires: Option<Moment>,
    /// Whether it goes on by itself: then nobody is told.
    #[serde(default)]
    renews_itself: bool,
    /// When the carrier told this; null when that is not known.
    #[serde(default)]
    #[schema(required)]
    told: Option<Moment>,
}

/// What is wrong on a line.
#[derive(Serialize, ToSchema)]
struct LineHealth {
    /// How many queries in a row each device missed that answers none, by its address.
    misses: BTreeMap<u8, u32>,
    /// How many instructions of its last query each device left unanswered that answers in part, by its address.
    unanswered: BTreeMap<u8, u32>,
    /// How many replies could not be believed, ever, by the reason: `crc`, `short`, `foreign`, `late`, `exception`, …
    rejected: BTreeMap<String, u64>,
}

/// Whether a terminal can be asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Presence {
    /// Not heard of since we know it, or its node is lost.
    Unknown,
    /// On its node.
    Online,
    /// Off its node.
    Offline,
}

/// A device on a terminal's line.
#[derive(Serialize, ToSchema)]
struct Device {
    /// Its address on the line.
    pid: u8,
    /// The model's name.
    model: String,
    /// The kind of device.
    kind: String,
    /// The protocol it speaks.
    protocol: String,
    /// The shortest poll interval it stands, in milliseconds.
    min_interval_ms: u64,
}

/// Which terminals are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those at this site. All when absent.
    site: Option<String>,
}

/// The terminals you may see
///
/// In the order of their macs: an administrator sees all, others those bound to them.
#[utoipa::path(
    get, path = "/api/terminals", operation_id = "list_terminals", tag = "terminals", params(Which, Paging),
    responses((status = 200, description = "A page of terminals", body = Listing<Terminal>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(which): Query<Which>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Terminal>>, ApiError> {
    let (limit, after) = (paging.limit()?, paging.after(LIST)?);
    if which.site.as_deref().is_some_and(|site| !domain::is_name(site)) {
        return Err(Problem::bad_request("bad-query", "site is no site's name.").into());
    }
    let visible = visible(&*site.table, &user, which.site.as_deref(), limit, after).await?;
    let mut sites = sites::of_many(&*site.table, &visible.items).await?;
    let mut known = terminals::get_many(&*site.table, &visible.items).await?;
    let mut standings = terminals::standings(&*site.table, &visible.items).await?;
    let items = visible.items.iter().filter_map(|mac| {
        let terminal = known.remove(mac)?;
        Some(Terminal::new(terminal, sites.remove(mac), &standings.remove(mac).unwrap_or_default()))
    });
    Ok(Listing::answer(LIST, items.collect(), visible.next))
}

/// One terminal
#[utoipa::path(
    get, path = "/api/terminals/{mac}", operation_id = "get_terminal", tag = "terminals",
    params(("mac" = String, Path, description = "The terminal")),
    responses((status = 200, description = "The terminal", body = Terminal))
)]
async fn get(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(mac): Path<String>,
) -> Result<Json<Terminal>, ApiError> {
    let terminal = site.terminal(&user, &mac).await?;
    let standing = terminals::standing(&*site.table, &terminal.mac).await?.value;
    let at = sites::of(&*site.table, &terminal.mac).await?;
    Ok(Json(Terminal::new(terminal, at, &standing)))
}

async fn visible(
    table: &dyn Table,
    user: &User,
    site: Option<&str>,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Mac>, ApiError> {
    match (user.role, site) {
        (Role::Admin, None) => Ok(terminals::list(table, limit, after).await?),
        (Role::Admin, Some(site)) => Ok(sites::terminals(table, site, limit, after).await?),
        (Role::User, site) => {
            let mut bound = users::terminals(table, &user.user).await?;
            if let Some(site) = site {
                let sites = sites::of_many(table, &bound).await?;
                bound.retain(|mac| sites.get(mac).is_some_and(|at| at == site));
            }
            let (items, next) = page_of(bound, Mac::as_str, limit, after.as_deref());
            Ok(Listed { items, next })
        }
    }
}

impl Terminal {
    fn new(terminal: terminals::Terminal, site: Option<String>, standing: &terminals::Standing) -> Self {
        let heard_of = standing.since != domain::Timestamp::default();
        Self {
            mac: terminal.mac.into(),
            name: terminal.name,
            node: terminal.node,
            site,
            presence: standing.presence.into(),
            since: heard_of.then_some(Moment(standing.since)),
            devices: terminal.devices.into_iter().map(Device::from).collect(),
            iccid: terminal.iccid,
            data_plan: terminal.data_plan.map(DataPlan::from),
            info: terminal.info,
            line: LineHealth {
                misses: standing.misses.clone(),
                unanswered: standing.unanswered.clone(),
                rejected: standing.rejected.clone(),
            },
        }
    }
}

impl From<schedule::DataPlan> for DataPlan {
    fn from(plan: schedule::DataPlan) -> Self {
        let schedule::DataPlan { name, version, flow_kb, used_kb, left_kb, expires, renews_itself, told } = plan;
        let (expires, told) = (expires.map(Moment), told.map(Moment));
        Self { name, version, flow_kb, used_kb, left_kb, expires, renews_itself, told }
    }
}

impl From<DataPlan> for schedule::DataPlan {
    fn from(plan: DataPlan) -> Self {
        let DataPlan { name, version, flow_kb, used_kb, left_kb, expires, renews_itself, told } = plan;
        let (expires, told) = (expires.map(|at| at.0), told.map(|at| at.0));
        Self { name, version, flow_kb, used_kb, left_kb, expires, renews_itself, told }
    }
}

impl From<terminals::Presence> for Presence {
    fn from(presence: terminals::Presence) -> Self {
        match presence {
            terminals::Presence::Unknown => Self::Unknown,
            terminals::Presence::Online => Self::Online,
            terminals::Presence::Offline => Self::Offline,
        }
    }
}

impl From<terminals::Device> for Device {
    fn from(device: terminals::Device) -> Self {
        Self {
            pid: device.pid,
            model: device.model,
            kind: device.kind,
            protocol: device.protocol,
            min_interval_ms: device.min_interval_ms,
        }
    }
}
