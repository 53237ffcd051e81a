//! Terminals and what hangs on them.

mod mounting;
mod removal;

use std::{collections::BTreeMap, sync::Arc};

use domain::Mac;
use engine_http::{
    Json, Path, Query,
    axum::{self, extract::State},
};
use records::{
    Listed, Table, terminals,
    users::{self, Role, User},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

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
    /// What its node found out about it, as far as it was told: `ip`, `port`, `model`, `ver`, `gver`, `iotStat`,
    /// `location`, `uart`, `signal`.
    info: BTreeMap<String, String>,
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

/// The terminals you may see
///
/// In the order of their macs: an administrator sees all, others those bound to them.
#[utoipa::path(
    get, path = "/api/terminals", operation_id = "list_terminals", tag = "terminals", params(Paging),
    responses((status = 200, description = "A page of terminals", body = Listing<Terminal>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Terminal>>, ApiError> {
    let (limit, after) = (paging.limit()?, paging.after(LIST)?);
    let visible = visible(&*site.table, &user, limit, after).await?;
    let mut known = terminals::get_many(&*site.table, &visible.items).await?;
    let mut standings = terminals::standings(&*site.table, &visible.items).await?;
    let items = visible.items.iter().filter_map(|mac| {
        let terminal = known.remove(mac)?;
        Some(Terminal::new(terminal, &standings.remove(mac).unwrap_or_default()))
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
    Ok(Json(Terminal::new(terminal, &standing)))
}

async fn visible(table: &dyn Table, user: &User, limit: usize, after: Option<String>) -> Result<Listed<Mac>, ApiError> {
    match user.role {
        Role::Admin => Ok(terminals::list(table, limit, after).await?),
        Role::User => {
            let bound = users::terminals(table, &user.user).await?;
            let (items, next) = page_of(bound, Mac::as_str, limit, after.as_deref());
            Ok(Listed { items, next })
        }
    }
}

impl Terminal {
    fn new(terminal: terminals::Terminal, standing: &terminals::Standing) -> Self {
        let heard_of = standing.since != domain::Timestamp::default();
        Self {
            mac: terminal.mac.into(),
            name: terminal.name,
            node: terminal.node,
            presence: standing.presence.into(),
            since: heard_of.then_some(Moment(standing.since)),
            devices: terminal.devices.into_iter().map(Device::from).collect(),
            iccid: terminal.iccid,
            info: terminal.info,
        }
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
