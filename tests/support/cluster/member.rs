//! One process of a cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

use super::CONFIG;
use crate::{environment, process::Process, server::without_our_variables, tap::Taps};

/// What shows another time to a program, where the package `faketime` puts it; the loader knows `$LIB`.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// How a process is started.
#[derive(Debug, Default)]
pub(super) struct Launch {
    pub(super) role: &'static str,
    /// Where the configuration is.
    pub(super) folder: PathBuf,
    /// What its clock shows more than others', as `faketime` takes it.
    pub(super) ahead: Option<String>,
    /// What it reaches the others through.
    pub(super) taps: Option<Taps>,
}

/// One process. It can be killed, and started again.
pub struct Member {
    launch: Launch,
    process: Process,
}

impl Member {
    pub(super) async fn start(launch: Launch, import: Option<&Path>) -> Result<Self> {
        let mut command = launch.command("127.0.0.1:0")?;
        if let Some(import) = import {
            command.env("TELLTALE_IMPORT", import);
        }
        let process = Process::start(command).await;
        let process = process.with_context(|| format!("telltale {} does not start", launch.role))?;
        Ok(Self { launch, process })
    }

    pub(super) fn address(&self) -> &str {
        &self.process.address
    }

    /// Where it is, as `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.process.address)
    }

    /// The process.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Asks it to stop, as a service manager does, and waits until it has. It must end well, and soon.
    pub async fn terminate(&mut self) -> Result<()> {
        self.process.terminate().await
    }

    /// Starts it again after it ended, at the same address.
    pub async fn restart(&mut self) -> Result<()> {
        let listen = if self.process.address.is_empty() { "127.0.0.1:0" } else { self.process.address.as_str() };
        self.process = Process::start(self.launch.command(listen)?).await?;
        Ok(())
    }
}

impl Launch {
    fn command(&self, listen: &str) -> Result<Command> {
        let mut command = Command::new(environment::telltale()?);
        without_our_variables(&mut command);
        if let Some(ahead) = &self.ahead {
            // Its own command starts another process, which would outlive it when it is killed.
            command.env("LD_PRELOAD", FAKETIME).env("FAKETIME", ahead);
        }
        command.arg(self.role).arg("--config").arg(self.folder.join(CONFIG)).args(["--listen", listen]);
        if let Some(taps) = &self.taps {
            command.arg("--data").arg(&taps.data).args(["--redis", &taps.redis]);
        }
        Ok(command)
    }
}
