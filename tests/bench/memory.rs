//! What a server holds in memory: at rest, with its gateways connected, with their terminals there.

use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use socketioxide::{SocketIo, extract::SocketRef};
use telltale_tests::Server;
use tokio::task::JoinSet;

use crate::{
    apart::{self, Apart},
    gateways::Gateway,
    process,
    site::{self, Scale},
    socket::Socket,
};

/// The argument that makes this program the bare socket server.
pub(crate) const SERVE: &str = "serve-bare-sockets";

/// How long a process is given to come to rest: work on what just happened, and the allocator's own.
const REST: Duration = Duration::from_secs(12);

/// Kibibytes of resident memory.
pub(crate) struct Memory {
    /// One idle node connection of a bare socket server.
    pub(crate) bare_connection: f64,
    /// One idle node connection of ours, registered.
    pub(crate) connection: f64,
    /// The server with its site and nobody connected.
    pub(crate) idle: u64,
    /// The server with every gateway and terminal there.
    pub(crate) whole: u64,
}

/// Serves sockets that are held and never spoken to, until it is killed. Its first line says where.
pub(crate) async fn serve() -> Result<()> {
    let (sockets, io) = SocketIo::builder().req_path("/client").build_svc();
    io.ns("/node", async |_: SocketRef| {});
    apart::serve(Router::new().route_service("/client/", sockets)).await
}

/// Measures a server of `scale`, and the bare one with as many connections.
pub(crate) async fn measure(scale: Scale) -> Result<Memory> {
    let bare_connection = bare(scale.gateways).await?;
    // Nobody is asked while it is measured: what a poll costs is measured elsewhere.
    let settings = "[schedule]\nminimum_interval_ms = 3600000\n";
    let server = Server::start(&site::site(scale)?, settings).await?;
    let pid = server.pid().context("the server runs")?;
    let idle = at_rest(pid).await?;
    let mut gateways = Vec::new();
    for number in 0..scale.gateways {
        gateways.push(Gateway::connect(server.url(), scale, number).await?);
    }
    let connected = at_rest(pid).await?;
    let mut held = JoinSet::new();
    for mut gateway in gateways {
        gateway.announce().await?;
        held.spawn(gateway.stay());
    }
    let whole = at_rest(pid).await?;
    Ok(Memory { bare_connection, connection: each(idle, connected, scale.gateways), idle, whole })
}

async fn bare(connections: u32) -> Result<f64> {
    let server = Apart::start(&[SERVE]).await?;
    let idle = at_rest(server.pid()?).await?;
    let mut sockets = Vec::new();
    for _ in 0..connections {
        sockets.push(Socket::connect(&server.url, "/node", "").await?);
    }
    let connected = at_rest(server.pid()?).await?;
    Ok(each(idle, connected, connections))
}

fn each(before: u64, after: u64, connections: u32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of a process are far below 2^52")]
    let grown = after.saturating_sub(before) as f64;
    grown / f64::from(connections)
}

/// What a process holds once it is at rest, in kibibytes.
async fn at_rest(pid: u32) -> Result<u64> {
    tokio::time::sleep(REST).await;
    process::resident(pid)
}
