//! One process of a cluster.

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tokio::process::Command;

use crate::{
    AT_ONCE, environment,
    process::{Process, TOLD_OF_FULL_FILES, signal},
    server::without_our_variables,
    tap::Taps,
};

/// The configuration, in the cluster's folder.
pub(super) const CONFIG: &str = "telltale.toml";

/// What shows another time to a program, where the package `faketime` puts it; the loader knows `$LIB`.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// One process. It can be killed, and started again.
pub struct Member {
    start: Start,
    /// What it reaches the others through.
    taps: Option<Taps>,
    process: Process,
}

/// How a process is started.
#[derive(Clone)]
pub(super) struct Start {
    pub(super) role: &'static str,
    /// The folder of the configuration.
    pub(super) folder: PathBuf,
    pub(super) data: PathBuf,
    /// What its environment says.
    pub(super) variables: Vec<(String, String)>,
    /// What its clock shows more than others'.
    pub(super) ahead: Option<Ahead>,
}

/// What a clock shows more than others, as `faketime` takes it.
#[derive(Clone)]
pub(super) enum Ahead {
    /// Always this.
    By(String),
    /// What this file says at the time.
    AsSays(PathBuf),
}

impl Ahead {
    fn tell(&self, command: &mut Command) {
        // Its own command starts another process, which would outlive it when it is killed.
        command.env("LD_PRELOAD", FAKETIME);
        match self {
            Self::By(ahead) => command.env("FAKETIME", ahead),
            Self::AsSays(file) => {
                // What counts time from the start of the machine does not jump when somebody sets the clock.
                command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_CACHE_DURATION", "1");
                command.env("FAKETIME_TIMESTAMP_FILE", file)
            }
        };
    }
}

impl Member {
    pub(super) async fn start(start: Start, taps: Option<Taps>, import: Option<&Path>) -> Result<Self> {
        let mut command = start.command("127.0.0.1:0", taps.as_ref())?;
        if let Some(import) = import {
            command.env("TELLTALE_IMPORT", import);
        }
        let process = Process::start(command).await;
        let process = process.with_context(|| format!("telltale {} does not start", start.role))?;
        Ok(Self { start, taps, process })
    }

    /// Where it is, as `host:port`.
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

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        self.process.has_ended()
    }

    /// From now on each of its writes to a file fails, as on a disk that is broken.
    pub fn break_writes(&self) -> Result<()> {
        self.process.break_writes()
    }

    /// How it has ended, if it has done so by itself.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.ended()
    }

    /// It takes connections and answers nothing, until [`Member::goes_on`].
    pub fn hangs(&self) -> Result<()> {
        signal(self.process.pid(), Signal::STOP)
    }

    /// It goes on where it was.
    pub fn goes_on(&self) -> Result<()> {
        signal(self.process.pid(), Signal::CONT)
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
        self.process = Process::start(self.start.command(listen, self.taps.as_ref())?).await?;
        Ok(())
    }
}

impl Start {
    fn command(&self, listen: &str, taps: Option<&Taps>) -> Result<Command> {
        let [shell, before @ ..] = TOLD_OF_FULL_FILES;
        let mut command = Command::new(shell);
        command.args(before).arg(environment::telltale()?);
        without_our_variables(&mut command);
        command.envs(AT_ONCE);
        if let Some(ahead) = &self.ahead {
            ahead.tell(&mut command);
        }
        command.arg(self.role).arg("--config").arg(self.folder.join(CONFIG)).args(["--listen", listen]);
        command.arg("--data").arg(taps.map_or(&self.data, |taps| &taps.data)).envs(self.variables.iter().cloned());
        if let Some(taps) = taps {
            command.args(["--redis", &taps.redis]);
        }
        Ok(command)
    }

    /// Imports a site file by `telltale import`, which ends then.
    pub(super) async fn import(&self, site: &Path) -> Result<()> {
        let site = site.to_str().context("the site file's name is a text")?;
        self.tell("import", &[site]).await.context("the site is not imported").map(drop)
    }

    /// What `telltale COMMAND` prints, which ends then; what it complains of is the error.
    pub(super) async fn tell(&self, told: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(environment::telltale()?);
        without_our_variables(&mut command);
        command.arg(told).arg("--config").arg(self.folder.join(CONFIG)).args(arguments);
        let ended = command.envs(self.variables.iter().cloned()).kill_on_drop(true).output().await?;
        ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        Ok(String::from_utf8(ended.stdout)?)
    }
}
