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

/// So many connections fill what a process had free: ours, which took its site in, has more of that than a bare one.
const FILLING: u32 = 1000;
/// What so many more take is measured.
const MEASURED: u32 = 2000;

/// Kibibytes of resident memory that one more idle connection takes.
pub(crate) struct Connection {
    /// Of a bare socket server.
    pub(crate) bare: f64,
    /// Of ours, a registered node's.
    pub(crate) ours: f64,
}

/// Kibibytes of resident memory.
pub(crate) struct Memory {
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

/// Measures a server of `scale`.
pub(crate) async fn measure(scale: Scale) -> Result<Memory> {
    let server = quiet_server(scale).await?;
    let pid = server.pid().context("the server runs")?;
    let idle = at_rest(pid).await?;
    let mut held = JoinSet::new();
    for number in 0..scale.gateways {
        let mut gateway = Gateway::connect(server.url(), scale, number).await?;
        gateway.announce().await?;
        held.spawn(gateway.stay());
    }
    let whole = at_rest(pid).await?;
    Ok(Memory { idle, whole })
}

/// Measures one more idle connection, of a server and of the bare one.
pub(crate) async fn connection() -> Result<Connection> {
    let bare = Apart::start(&[SERVE]).await?;
    let mut sockets = Vec::new();
    let bare = one_more(bare.pid()?, async |_| {
        sockets.push(Socket::connect(&bare.url, "/node", "").await?);
        Ok(())
    })
    .await?;
    let nodes = FILLING + MEASURED;
    let scale = Scale { gateways: nodes, terminals: nodes };
    let server = quiet_server(scale).await?;
    let mut gateways = Vec::new();
    let ours = one_more(server.pid().context("the server runs")?, async |number| {
        gateways.push(Gateway::connect(server.url(), scale, number).await?);
        Ok(())
    })
    .await?;
    Ok(Connection { bare, ours })
}

/// Nobody is asked while memory is measured: what a poll costs is measured elsewhere.
async fn quiet_server(scale: Scale) -> Result<Server> {
    Server::start(&site::site(scale)?, "[schedule]\nminimum_interval_ms = 3600000\n").await
}

async fn one_more(pid: u32, mut connect: impl AsyncFnMut(u32) -> Result<()>) -> Result<f64> {
    for number in 0..FILLING {
        connect(number).await?;
    }
    let before = at_rest(pid).await?;
    for number in FILLING..FILLING + MEASURED {
        connect(number).await?;
    }
    let grown = at_rest(pid).await?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of a process are far below 2^52")]
    Ok(grown as f64 / f64::from(MEASURED))
}

/// What a process holds once it is at rest, in kibibytes.
async fn at_rest(pid: u32) -> Result<u64> {
    tokio::time::sleep(REST).await;
    process::resident(pid)
}
