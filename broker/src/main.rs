//! `telltale-broker`: the broker on AWS, the one process there that lives on. What it sees goes to SQS, what it remembers
//! to DynamoDB, and what it is told comes by its own inbox queue.

mod config;
mod server;

use anyhow::Context as _;

use crate::{config::Config, server::Server};

/// What it reads and writes is many small pieces on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    boot::init_log("info");
    let server = Server::start(Config::load()?).await?;
    println!("{}", serde_json::json!({ "listening": server.address.to_string() }));
    let dead = server.taken_for_dead();
    tokio::select! {
        told = boot::stop_signal() => told.context("this system takes no signal handlers")?,
        () = dead.cancelled() => {}
    }
    tracing::info!("stopping: finishing what was begun");
    server.stop().await
}
