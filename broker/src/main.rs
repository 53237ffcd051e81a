//! `telltale-broker`: the broker on AWS, the one process there that lives on. What it sees goes to SQS, what it remembers
//! to DynamoDB, and what it is told comes by its own inbox queue.

mod config;
mod server;

use anyhow::Context as _;

use crate::{config::Config, server::Server};

/// To go on would be to hold gateways that others hold by now.
const TAKEN_FOR_DEAD: &str = "other brokers took this one for dead, since it gave no sign of life for too long (it hung, or DynamoDB could \
                              not be reached from here): what it held is theirs by now. Started again, it is a new one";

/// What it reads and writes is many small pieces on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    boot::init_log("info");
    let server = Server::start(Config::load()?).await?;
    println!("{}", serde_json::json!({ "listening": server.address.to_string() }));
    let dead = server.taken_for_dead();
    let failure = tokio::select! {
        told = boot::stop_signal() => told.context("this system takes no signal handlers").map(|()| None)?,
        () = dead.cancelled() => Some(TAKEN_FOR_DEAD),
    };
    if let Some(why) = failure {
        tracing::error!("{why}");
    }
    tracing::info!("stopping: finishing what was begun");
    match (failure, server.stop().await) {
        (None, stopped) => stopped,
        // Whoever looks after the process starts it again.
        (Some(why), Ok(())) => Err(anyhow::anyhow!(why)),
        (Some(why), Err(error)) => Err(error.context(why)),
    }
}
