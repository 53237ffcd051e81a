//! The broker's program on AWS.

use anyhow::Result;
use tokio::process::Command;

use crate::{environment, process::Process};

/// What tests sign sign-ins with.
const SIGNING_KEY: &str = "only-tests-sign-with-this-key-of-theirs";

/// A `telltale-broker` that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct AwsBroker {
    variables: Vec<(String, String)>,
    process: Process,
}

impl AwsBroker {
    /// Starts it with these variables, and no others of ours, in its environment.
    pub async fn start(variables: &[(&str, &str)]) -> Result<Self> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<(String, String)> = variables.iter().map(own).collect();
        let process = launch(&variables, "127.0.0.1:0").await?;
        Ok(Self { variables, process })
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> &str {
        &self.process.address
    }

    /// Whether it has ended by itself: others took it for dead.
    pub fn has_ended(&mut self) -> Result<bool> {
        self.process.has_ended()
    }

    /// Starts another in its place, at the same address, as ECS does.
    pub async fn restart(&mut self) -> Result<()> {
        self.process = launch(&self.variables, &self.process.address).await?;
        Ok(())
    }

    /// Where it is, as `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.process.address)
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Asks it to stop, as ECS does, and waits until it has. It must end well, and soon.
    pub async fn terminate(&mut self) -> Result<()> {
        self.process.terminate().await
    }
}

async fn launch(variables: &[(String, String)], listen: &str) -> Result<Process> {
    let mut command = Command::new(environment::broker()?);
    command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    command.env("TELLTALE_LISTEN", listen).env("TELLTALE_SIGNING_KEY", SIGNING_KEY);
    Process::start(command).await
}
