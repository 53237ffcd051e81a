//! Who is let in as a node: names, addresses and tokens.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use engine_http::{
    Json, Path, Problem,
    axum::{
        extract::State,
        http::{StatusCode, header},
        response::{AppendHeaders, IntoResponse},
    },
};
use jobs::{
    DispatchQueries, Job,
    ports::{Dice, LinkError, NodeCommand},
};
use records::nodes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Node, registered, shown};
use crate::{error::ApiError, site::Site, visitor::Admin};

/// The port that DTUs connect to, unless told otherwise.
const USUAL_PORT: u16 = 9000;
/// How many DTU connections a program takes, unless told otherwise.
const USUAL_CONNECTIONS: u32 = 2000;

/// The name that no node can have: what stands at `/api/nodes/refused` is no node.
const RESERVED: &str = "refused";

/// What a node is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeForm {
    /// The address that its program comes from. A node without a token is known by it; one with a token is not.
    #[schema(example = "203.0.113.7")]
    ip: Option<String>,
    /// The port its DTUs connect to: 9000 when absent.
    #[serde(default = "usual_port")]
    port: u16,
    /// The most DTU connections it takes: 2000 when absent.
    #[serde(default = "usual_connections")]
    max_connections: u32,
}

/// A new node.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNode {
    /// Its name: 1 to 200 bytes, for ever the same.
    name: String,
    /// The address that its program comes from, if it is to be known by that.
    #[schema(example = "203.0.113.7")]
    ip: Option<String>,
    /// The port its DTUs connect to: 9000 when absent.
    #[serde(default = "usual_port")]
    port: u16,
    /// The most DTU connections it takes: 2000 when absent.
    #[serde(default = "usual_connections")]
    max_connections: u32,
}

/// A node, and its token where it has a new one.
#[derive(Serialize, ToSchema)]
pub(super) struct Admitted {
    /// The node.
    node: Node,
    /// What its program brings as `auth.token`. It is shown now and never again; only its hash is kept.
    #[schema(required)]
    token: Option<String>,
}

fn usual_port() -> u16 {
    USUAL_PORT
}

fn usual_connections() -> u32 {
    USUAL_CONNECTIONS
}

/// Let a node in
///
/// With an `ip` it is known by that address; without one, by a token, which this answer shows once. For administrators.
#[utoipa::path(
    post, path = "/api/nodes", operation_id = "create_node", tag = "nodes", request_body = NewNode,
    responses((status = 201, description = "It may come in", body = Admitted))
)]
pub(super) async fn create(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Json(new): Json<NewNode>,
) -> Result<impl IntoResponse, ApiError> {
    let NewNode { name, ip, port, max_connections } = new;
    if !domain::is_name(&name) {
        let form = "A node's name is 1 to 200 bytes without control characters.";
        return Err(Problem::bad_request("bad-name", form).into());
    }
    if name == RESERVED {
        let why = "This name is an address of the API: take another.";
        return Err(Problem::bad_request("bad-name", why).into());
    }
    if nodes::get(&*site.table, &name).await?.is_some() {
        return Err(Problem::conflict("node-exists", "There is a node of this name: change that one.").into());
    }
    let ip = canonical(ip.as_deref())?;
    let token = ip.is_none().then(|| new_token(site.dice.as_ref()));
    let node = nodes::Node { name, ip, port, max_connections, token_sha256: token.as_deref().map(nodes::token_sha256) };
    admit(&site, &node).await?;
    Ok((StatusCode::CREATED, shown_once(&site, node, token).await?))
}

/// Change a node
///
/// Its token stays. Its program is disconnected and comes back by itself, if it still may. For administrators.
#[utoipa::path(
    put, path = "/api/nodes/{name}", operation_id = "change_node", tag = "nodes", request_body = NodeForm,
    params(("name" = String, Path, description = "The node")),
    responses((status = 200, description = "It is changed", body = Node))
)]
pub(super) async fn change(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
    Json(form): Json<NodeForm>,
) -> Result<Json<Node>, ApiError> {
    let known = registered(&site, &name).await?;
    let ip = canonical(form.ip.as_deref())?;
    if ip.is_none() && known.token_sha256.is_none() {
        let how = "This node has no token: give an ip, or give it a token first.";
        return Err(Problem::bad_request("known-by-nothing", how).into());
    }
    let node = nodes::Node { ip, port: form.port, max_connections: form.max_connections, ..known.clone() };
    if node != known {
        let session = reachable(&site, &name).await?;
        admit(&site, &node).await?;
        shed_from(&site, &name, session).await?;
    }
    Ok(Json(shown(&site, node).await?))
}

/// Give a node a new token
///
/// The old one is good no more, and a node that was known by its address is known by the token alone. Its program is
/// disconnected. The token is shown in this answer and never again. For administrators.
#[utoipa::path(
    post, path = "/api/nodes/{name}/token", operation_id = "renew_node_token", tag = "nodes",
    params(("name" = String, Path, description = "The node")),
    responses((status = 200, description = "The token", body = Admitted))
)]
pub(super) async fn renew_token(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let known = registered(&site, &name).await?;
    let token = new_token(site.dice.as_ref());
    let node = nodes::Node { token_sha256: Some(nodes::token_sha256(&token)), ..known };
    let session = reachable(&site, &name).await?;
    admit(&site, &node).await?;
    shed_from(&site, &name, session).await?;
    tracing::info!(node.name = name, "A node has a new token");
    shown_once(&site, node, Some(token)).await
}

/// An address in the one form that addresses are looked up by; none when it is blank.
fn canonical(ip: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(ip) = ip.map(str::trim).filter(|ip| !ip.is_empty()) else { return Ok(None) };
    let address: IpAddr =
        ip.parse().map_err(|_| Problem::bad_request("bad-address", format!("{ip:?} is not an IP address.")))?;
    Ok(Some(address.to_canonical().to_string()))
}

/// Stores a node, if nobody else is known by its address.
async fn admit(site: &Site, node: &nodes::Node) -> Result<(), ApiError> {
    if let Some(ip) = node.ip.as_deref().filter(|_| node.token_sha256.is_none())
        && let Some(other) = nodes::by_ip(&*site.table, ip).await?.filter(|other| other.name != node.name)
    {
        let how = format!("Node {} is known by this address already: give one of the two a token.", other.name);
        return Err(Problem::conflict("address-taken", how).into());
    }
    Ok(nodes::put(&*site.table, node).await?)
}

/// The node's session, if it has one, once the way to its broker is there: what is changed about a node must reach the one who
/// holds it, so nothing is changed that could not be told.
pub(super) async fn reachable(site: &Site, name: &str) -> Result<Option<nodes::Session>, ApiError> {
    let session = nodes::session(&*site.table, name).await?;
    if session.is_some() {
        // Commands go the way of jobs.
        let there = site.queue.depth(DispatchQueries::NAME).await;
        there.map_err(|error| LinkError::Away(error.to_string()))?;
    }
    Ok(session)
}

/// Breaks the node's connections on the broker of this session, so that it is looked at anew.
pub(super) async fn shed_from(site: &Site, name: &str, session: Option<nodes::Session>) -> Result<(), ApiError> {
    if let Some(session) = session {
        site.link.command(&session.broker, NodeCommand::Shed { node: name.to_owned() }).await?;
    }
    Ok(())
}

/// 256 bits of chance.
fn new_token(dice: &dyn Dice) -> String {
    let bits: [[u8; 8]; 4] = std::array::from_fn(|_| dice.roll().to_le_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bits.concat())
}

async fn shown_once(
    site: &Site,
    node: nodes::Node,
    token: Option<String>,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let body = Json(Admitted { node: shown(site, node).await?, token });
    Ok((AppendHeaders([(header::CACHE_CONTROL, "no-store")]), body))
}
