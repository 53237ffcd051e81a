//! The broker's program on AWS.

use anyhow::Result;
use tokio::process::Command;

use crate::{environment, process::Process};

/// What tests sign sign-ins with.
const SIGNING_KEY: &str = "only-tests-sign-with-this-key-of-theirs";

/// A `telltale-broker` that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct AwsBroker {
    process: Process,
}

impl AwsBroker {
    /// Starts it with these variables, and no others of ours, in its environment.
    pub async fn start(variables: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(environment::broker()?);
        command.env_clear().envs(variables.iter().copied());
        command.env("TELLTALE_LISTEN", "127.0.0.1:0").env("TELLTALE_SIGNING_KEY", SIGNING_KEY);
        Ok(Self { process: Process::start(command).await? })
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
