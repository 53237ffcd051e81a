//! What people have devices, terminals and nodes do, and what came of it.

mod at;
mod begin;
mod device;
mod restart;

use std::{collections::BTreeSet, sync::Arc};

use domain::Source;
use engine_http::{
    Json, Path, Query,
    axum::{self, extract::State},
};
use records::{brokers, nodes, operations, users::Role};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    moment::Moment,
    paging::{Listing, Paging},
    routes::nodes::registered,
    site::Site,
    visitor::{Admin, SignedIn},
};

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(list_of_node))
        .routes(routes!(device::operate))
        .routes(routes!(at::send))
        .routes(routes!(restart::restart))
}

/// Something that somebody wants done.
#[derive(Serialize, ToSchema)]
struct Operation {
    /// Its id.
    id: String,
    /// What is done: an operation of a device's protocol, an AT command, or a restart of the node.
    kind: Kind,
    /// The device's address on the line; null where it is none.
    #[schema(required)]
    pid: Option<u8>,
    /// The operation's name, the AT command (`at` for those who may not read it), or `restart`.
    what: String,
    /// The number that was given.
    #[schema(required)]
    value: Option<f64>,
    /// Who wants it.
    by: String,
    /// Since when.
    at: Moment,
    /// How it stands.
    state: Standing,
    /// When it ended; null while it is waited for.
    #[schema(required)]
    ended: Option<Moment>,
    /// How long it took, in milliseconds; null while it is waited for.
    #[schema(required)]
    took_ms: Option<u64>,
    /// What was answered, or why nothing was.
    #[schema(required)]
    said: Option<String>,
    /// The bytes that came back, as hex.
    #[schema(required)]
    reply: Option<String>,
}

/// What is done.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationKind)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Device,
    At,
    Restart,
}

/// How an operation stands.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationState)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// It is waited for.
    Waiting,
    /// It was done: the reply is proven.
    Done,
    /// It was not done, or nothing proves that it was.
    Failed,
    /// The server ended while it was waited for: nobody knows whether it was done.
    Lost,
}

/// What was done to a terminal and its devices
///
/// Newest first. What an AT command says and is answered is for administrators.
#[utoipa::path(
    get, path = "/api/terminals/{mac}/operations", operation_id = "list_operations", tag = "operations",
    params(("mac" = String, Path, description = "The terminal"), Paging),
    responses((status = 200, description = "A page of operations", body = Listing<Operation>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    SignedIn(user): SignedIn,
    Path(mac): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Operation>>, ApiError> {
    let terminal = site.terminal(&user, &mac).await?;
    page(&site, &Source::Terminal(terminal.mac), &paging, user.role).await
}

/// What was done to a node
///
/// Newest first. For administrators.
#[utoipa::path(
    get, path = "/api/nodes/{name}/operations", operation_id = "list_node_operations", tag = "operations",
    params(("name" = String, Path, description = "The node"), Paging),
    responses((status = 200, description = "A page of operations", body = Listing<Operation>))
)]
async fn list_of_node(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Operation>>, ApiError> {
    let node = registered(&site, &name).await?;
    page(&site, &Source::Node(node.name), &paging, Role::Admin).await
}

async fn page(
    site: &Site,
    about: &Source,
    paging: &Paging,
    reader: Role,
) -> Result<Json<Listing<Operation>>, ApiError> {
    let list = format!("operations of {about}");
    let page = operations::list(&*site.table, about, paging.limit()?, paging.after(&list)?).await?;
    let now = site.clock.now();
    let waiting = page.items.iter().filter(|operation| operation.ended.is_none());
    let living = living(site, waiting.map(|operation| operation.node.as_str()).collect()).await?;
    let is_lost = |operation: &operations::Operation| operation.is_lost(now) || operation.is_left_behind(&living, now);
    let items = page.items.into_iter().map(|operation| {
        let is_lost = is_lost(&operation);
        Operation::new(operation, is_lost).seen_by(reader)
    });
    Ok(Listing::answer(&list, items.collect(), page.next))
}

/// The brokers that live, as far as these nodes are concerned. A server that runs alone gives no sign of life, and holds them.
async fn living(site: &Site, nodes: BTreeSet<&str>) -> Result<BTreeSet<String>, ApiError> {
    if nodes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let signs = brokers::all(&*site.table).await?.into_iter().map(|sign| sign.broker);
    let mut living: BTreeSet<String> = signs.collect();
    for node in nodes {
        living.extend(nodes::session(&*site.table, node).await?.map(|session| session.broker));
    }
    Ok(living)
}

impl Operation {
    /// AT commands may hold what only administrators know, such as the password of an access point.
    fn seen_by(self, reader: Role) -> Self {
        match (reader, &self.kind) {
            (Role::User, Kind::At) => Self { what: "at".to_owned(), said: None, reply: None, ..self },
            (Role::Admin, _) | (Role::User, Kind::Device | Kind::Restart) => self,
        }
    }

    fn new(operation: operations::Operation, is_lost: bool) -> Self {
        let (kind, pid, what, value) = match operation.what {
            operations::What::Device { pid, name, value, .. } => (Kind::Device, Some(pid), name, value),
            operations::What::At { command } => (Kind::At, None, command, None),
            operations::What::Restart => (Kind::Restart, None, "restart".to_owned(), None),
        };
        let state = match &operation.ended {
            Some(ended) if ended.done => Standing::Done,
            Some(_) => Standing::Failed,
            None if is_lost => Standing::Lost,
            None => Standing::Waiting,
        };
        let took =
            |ended: &operations::Ended| u64::try_from(ended.at.since(operation.at).as_millis()).unwrap_or(u64::MAX);
        Self {
            id: operation.id,
            kind,
            pid,
            what,
            value,
            by: operation.by,
            at: Moment(operation.at),
            state,
            ended: operation.ended.as_ref().map(|ended| Moment(ended.at)),
            took_ms: operation.ended.as_ref().map(took),
            said: operation.ended.as_ref().map(|ended| ended.said.clone()),
            reply: operation.ended.and_then(|ended| ended.reply),
        }
    }
}
