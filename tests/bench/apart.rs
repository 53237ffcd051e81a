//! This program again, in a process of its own, as one of the bare servers.

use std::process::Stdio;

use anyhow::{Context, Result};
use axum::{Router, serve::ListenerExt};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

/// A bare server that runs. It ends when this is dropped.
pub(crate) struct Apart {
    child: Child,
    /// Where it is, as `http://host:port`.
    pub(crate) url: String,
}

impl Apart {
    /// Starts the server that these arguments stand for.
    pub(crate) async fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(arguments).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("it has a stdout")?).lines();
        let address = lines.next_line().await?.context("the bare server says where it listens")?;
        Ok(Self { child, url: format!("http://{address}") })
    }

    /// The process.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("the bare server runs")
    }
}

/// Serves until it is killed. The first line says where.
pub(crate) async fn serve(router: Router) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}
