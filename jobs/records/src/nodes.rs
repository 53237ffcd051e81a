//! Gateway programs, and which broker holds each.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Node`] | `node` | name |
//! | the node with a token | `node-token#` SHA-256 of the token | `node` |
//! | the node behind an address | `node-ip#` address | `node` |
//! | [`Session`] | `session` | name |
//! | [`RunInfo`] | `node-run-info` | name |

use std::collections::BTreeMap;

use domain::{NodeName, Timestamp, time::is_ahead};
use serde::{Deserialize, Serialize};

use crate::{
    Condition, Item, Key, Outcome, Range, Table, TableError, Versioned, Write, fingerprint::sha256_hex, record,
};

const PAGE: usize = 500;

/// A gateway program that is allowed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// The address it comes from, for programs without a token.
    pub ip: Option<String>,
    /// The port its DTUs connect to.
    pub port: u16,
    /// The most DTU connections it takes.
    pub max_connections: u32,
    /// SHA-256 of its token, in hex. The token itself is not kept.
    pub token_sha256: Option<String>,
}

/// A node's standing on a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The node.
    pub node: NodeName,
    /// The broker that holds it.
    pub broker: String,
    /// The connection that can be addressed.
    pub connection: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether the node has said `ready` on it.
    pub ready: bool,
}

/// What a node last said of the machine it runs on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// When.
    pub at: Timestamp,
    /// As it said it: host name, memory, load.
    pub info: serde_json::Value,
    /// How many DTU connections it held.
    pub connections: u32,
}

/// SHA-256 of a token, in hex: what is stored and looked up instead of the token.
pub fn token_sha256(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

/// Stores a node, in place of one of the same name; its old token and address no longer lead to it.
pub async fn put(table: &dyn Table, node: &Node) -> Result<(), TableError> {
    let mut writes = vec![record::put(key(&node.name), node)?];
    let doors = doors(node);
    if let Some(old) = get(table, &node.name).await? {
        let stale = self::doors(&old).into_iter().filter(|door| !doors.contains(door));
        writes.extend(stale.map(record::delete));
    }
    for door in doors {
        writes.push(record::put(door, &node.name)?);
    }
    record::commit(table, writes).await
}

/// Removes a node: nothing leads to it any more, and it has no session.
pub async fn delete(table: &dyn Table, node: &Node) -> Result<(), TableError> {
    let mut keys = doors(node);
    keys.extend([key(&node.name), session_key(&node.name), Key::new("node-run-info", &node.name)]);
    record::commit(table, keys.into_iter().map(record::delete).collect()).await
}

/// The node of that name.
pub async fn get(table: &dyn Table, name: &str) -> Result<Option<Node>, TableError> {
    Ok(record::get(table, &key(name)).await?.map(|node| node.value))
}

/// Every node.
pub async fn list(table: &dyn Table) -> Result<Vec<Node>, TableError> {
    record::all(table, Range::all("node", PAGE)).await
}

/// The node whose token has this hash.
pub async fn by_token(table: &dyn Table, token_sha256: &str) -> Result<Option<Node>, TableError> {
    behind(table, &token_door(token_sha256)).await
}

/// The node that is registered with this address.
pub async fn by_ip(table: &dyn Table, ip: &str) -> Result<Option<Node>, TableError> {
    behind(table, &ip_door(ip)).await
}

async fn behind(table: &dyn Table, door: &Key) -> Result<Option<Node>, TableError> {
    match record::get::<NodeName>(table, door).await? {
        Some(name) => get(table, &name.value).await,
        None => Ok(None),
    }
}

/// What became of a session that was to stand for its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It stands for the node.
    Stands,
    /// Another one came between. Whether that or this one is to stand is to be looked at again.
    Overtaken,
    /// A newer one stands for the node.
    Outlived,
}

/// Stores a session, in place of the one that is found there now, if one is.
pub async fn open_session(table: &dyn Table, session: &Session) -> Result<Opened, TableError> {
    let found = found_session(table, &session.node).await?;
    open_in_place_of(table, session, found.as_ref()).await
}

/// Stores a session, in place of the one that was found and of no other: a hello that took long cannot evict who came meanwhile.
/// Its version is at least its instant, so that the end of an earlier one, which another broker may be at, does not take it for that.
pub async fn open_in_place_of(
    table: &dyn Table,
    session: &Session,
    found: Option<&Versioned<Session>>,
) -> Result<Opened, TableError> {
    let is_newer = |other: &Session| other.connection != session.connection && is_ahead(other.since, session.since);
    // It began so much later that it is newer, by whatever clocks.
    if found.is_some_and(|found| is_newer(&found.value)) {
        return Ok(Opened::Outlived);
    }
    let version = found.map_or(0, |found| found.version);
    let condition = if version == 0 { Condition::Absent } else { Condition::Version(version) };
    let since = u64::try_from(session.since.0).unwrap_or(0);
    let item = Item { version: since.max(version + 1), ..record::item(session_key(&session.node), session)? };
    Ok(match table.write(Write::Put(item, condition)).await? {
        Outcome::Applied => Opened::Stands,
        Outcome::Refused { .. } => Opened::Overtaken,
    })
}

/// Ends a session, if it is still the one on this broker and connection: a late goodbye cannot evict the newcomer.
pub async fn close_session(
    table: &dyn Table,
    node: &str,
    broker: &str,
    connection: &str,
) -> Result<Closed, TableError> {
    let Some(session) =
        found_session(table, node).await?.filter(|s| s.value.broker == broker && s.value.connection == connection)
    else {
        return Ok(Closed::NotThere);
    };
    let delete = Write::Delete(session_key(node), Condition::Version(session.version));
    Ok(match table.write(delete).await? {
        Outcome::Applied => Closed::Ended,
        Outcome::Refused { .. } => Closed::NotThere,
    })
}

/// Whether a session was there to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It was, and is no more.
    Ended,
    /// Another one stands in its place, or none.
    NotThere,
}

/// The node's session, if it is connected.
pub async fn session(table: &dyn Table, node: &str) -> Result<Option<Session>, TableError> {
    Ok(found_session(table, node).await?.map(|session| session.value))
}

/// The same, and which writing of it was found.
pub async fn found_session(table: &dyn Table, node: &str) -> Result<Option<Versioned<Session>>, TableError> {
    record::get(table, &session_key(node)).await
}

/// Every session.
pub async fn sessions(table: &dyn Table) -> Result<Vec<Session>, TableError> {
    record::all(table, Range::all("session", PAGE)).await
}

/// Stores what a node said of its machine.
pub async fn put_run_info(table: &dyn Table, node: &str, run_info: &RunInfo) -> Result<(), TableError> {
    record::commit(table, vec![record::put(Key::new("node-run-info", node), run_info)?]).await
}

/// What a node last said of its machine.
pub async fn run_info(table: &dyn Table, node: &str) -> Result<Option<RunInfo>, TableError> {
    Ok(record::get(table, &Key::new("node-run-info", node)).await?.map(|info| info.value))
}

/// What nodes last said of their machines; those that said nothing are left out.
pub async fn run_infos(table: &dyn Table, nodes: &[&str]) -> Result<BTreeMap<NodeName, RunInfo>, TableError> {
    let keys: Vec<Key> = nodes.iter().map(|node| Key::new("node-run-info", *node)).collect();
    let items = table.get_many(&keys).await?;
    items.iter().map(|item| Ok((item.key.sk.clone(), record::decode(item)?.value))).collect()
}

pub(crate) fn key(name: &str) -> Key {
    Key::new("node", name)
}

fn session_key(name: &str) -> Key {
    Key::new("session", name)
}

fn token_door(token_sha256: &str) -> Key {
    Key::new(format!("node-token#{token_sha256}"), "node")
}

fn ip_door(ip: &str) -> Key {
    Key::new(format!("node-ip#{ip}"), "node")
}

fn doors(node: &Node) -> Vec<Key> {
    let token = node.token_sha256.as_deref().map(token_door);
    // A node with a token comes in by it alone, so that its address is free for a tokenless one.
    let ip = node.ip.as_deref().filter(|_| node.token_sha256.is_none()).map(ip_door);
    token.into_iter().chain(ip).collect()
}
