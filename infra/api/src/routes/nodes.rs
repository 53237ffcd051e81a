//! Gateway programs, for administrators.

mod admission;
mod refused;
mod removal;

use std::{collections::BTreeMap, sync::Arc};

use engine_http::{
    Json, Path, Problem, Query,
    axum::{self, extract::State},
};
use records::nodes;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    moment::Moment,
    paging::{Listing, Paging, page_of},
    site::Site,
    visitor::Admin,
};

const LIST: &str = "nodes";

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(list, admission::create))
        .routes(routes!(get, admission::change, removal::delete))
        .routes(routes!(admission::renew_token))
        .routes(routes!(refused::list))
}

/// A gateway program that is allowed in.
#[derive(Serialize, ToSchema)]
struct Node {
    /// Its name.
    name: String,
    /// The address it comes from, when one is registered.
    #[schema(required)]
    ip: Option<String>,
    /// The port its DTUs connect to.
    port: u16,
    /// The most DTU connections it takes.
    max_connections: u32,
    /// How it is known: by its token, or by its address.
    known_by: KnownBy,
    /// Its connection; null when it has none.
    #[schema(required)]
    session: Option<NodeSession>,
    /// What it last said of the machine that it runs on; null before it said anything.
    #[schema(required)]
    run_info: Option<RunInfo>,
}

/// What a node said of its machine.
#[derive(Serialize, ToSchema)]
struct RunInfo {
    /// When.
    at: Moment,
    /// How many DTU connections it held.
    connections: u32,
    /// In its own words: `hostname`, `totalmem`, `freemem`, `loadavg`, `type`, `uptime`, `version`.
    #[schema(value_type = Object)]
    info: serde_json::Value,
}

/// How a node is known.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum KnownBy {
    Token,
    Address,
}

/// A node's connection.
#[derive(Serialize, ToSchema)]
struct NodeSession {
    /// The broker that holds it.
    broker: String,
    /// Since when.
    since: Moment,
    /// Whether the node has said that it is ready.
    ready: bool,
}

/// Every node
///
/// In the order of their names. For administrators.
#[utoipa::path(
    get, path = "/api/nodes", operation_id = "list_nodes", tag = "nodes", params(Paging),
    responses((status = 200, description = "A page of nodes", body = Listing<Node>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Node>>, ApiError> {
    let (limit, after) = (paging.limit()?, paging.after(LIST)?);
    let all = nodes::list(&*site.table).await?;
    let sessions = nodes::sessions(&*site.table).await?;
    let mut sessions: BTreeMap<_, _> = sessions.into_iter().map(|session| (session.node.clone(), session)).collect();
    let (page, next) = page_of(all, |node| &node.name, limit, after.as_deref());
    let names: Vec<&str> = page.iter().map(|node| node.name.as_str()).collect();
    let mut run_infos = nodes::run_infos(&*site.table, &names).await?;
    let items = page.into_iter().map(|node| {
        let (session, run_info) = (sessions.remove(&node.name), run_infos.remove(&node.name));
        Node::new(node, session, run_info)
    });
    Ok(Listing::answer(LIST, items.collect(), next))
}

/// One node
///
/// For administrators.
#[utoipa::path(
    get, path = "/api/nodes/{name}", operation_id = "get_node", tag = "nodes",
    params(("name" = String, Path, description = "The node")),
    responses((status = 200, description = "The node", body = Node))
)]
async fn get(State(site): State<Arc<Site>>, Admin: Admin, Path(name): Path<String>) -> Result<Json<Node>, ApiError> {
    let node = registered(&site, &name).await?;
    Ok(Json(shown(&site, node).await?))
}

pub(super) async fn registered(site: &Site, name: &str) -> Result<nodes::Node, ApiError> {
    let nowhere = || Problem::not_found("There is no such node.");
    if !domain::is_name(name) {
        return Err(nowhere().into());
    }
    Ok(nodes::get(&*site.table, name).await?.ok_or_else(nowhere)?)
}

/// A node as it is shown, with what is known of its connection and its machine.
async fn shown(site: &Site, node: nodes::Node) -> Result<Node, ApiError> {
    let session = nodes::session(&*site.table, &node.name).await?;
    let run_info = nodes::run_info(&*site.table, &node.name).await?;
    Ok(Node::new(node, session, run_info))
}

impl Node {
    fn new(node: nodes::Node, session: Option<nodes::Session>, run_info: Option<nodes::RunInfo>) -> Self {
        Self {
            name: node.name,
            ip: node.ip,
            port: node.port,
            max_connections: node.max_connections,
            known_by: if node.token_sha256.is_some() { KnownBy::Token } else { KnownBy::Address },
            session: session.map(|s| NodeSession { broker: s.broker, since: Moment(s.since), ready: s.ready }),
            run_info: run_info.map(|r| RunInfo { at: Moment(r.at), connections: r.connections, info: r.info }),
        }
    }
}
