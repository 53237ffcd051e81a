//! A pipeline of npm's usual parts, to measure against.

use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::process::Command;

use super::script;
use crate::{RedisServer, environment, process::Process};

/// A pipeline that runs. It ends when this is dropped.
pub struct Pipeline(Process);

impl Pipeline {
    /// One that takes results on HTTP and shows them on Socket.IO.
    pub async fn serve(redis: &RedisServer) -> Result<Self> {
        Ok(Self(Process::start(command(redis, json!({}))?).await?))
    }

    /// Where it is, as `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// The process.
    pub fn pid(&self) -> Option<u32> {
        self.0.pid()
    }

    /// How many seconds it takes to push so many jobs and to run them.
    pub async fn drain(redis: &RedisServer, jobs: u32) -> Result<f64> {
        let output = command(redis, json!({ "drain": jobs }))?.stderr(Stdio::inherit()).output().await?;
        let told: Value = serde_json::from_slice(&output.stdout).context("the pipeline says how long it took")?;
        told["seconds"].as_f64().context("the pipeline says how long it took")
    }
}

fn command(redis: &RedisServer, mut settings: Value) -> Result<Command> {
    let modules = environment::installed("TELLTALE_TEST_NODE_MODULES", "node/node_modules")?;
    settings["modules"] = json!(modules);
    settings["redis"] = json!(redis.socket());
    let mut command = Command::new("node");
    command.arg(script("pipeline.mjs")).arg(settings.to_string()).kill_on_drop(true);
    Ok(command)
}
