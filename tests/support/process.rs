//! A program of ours that listens: it says where in its first line.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    PATIENCE,
    players::{Said, echo},
};

/// How long a program that is asked to stop may take: a little longer than it lets its parts finish what they hold.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// Before a program: it is told when a file may not grow, rather than killed.
pub(crate) const TOLD_OF_FULL_FILES: [&str; 3] = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""];

/// A program that runs. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
    /// What it wrote into its log.
    pub(crate) said: Said,
}

impl Process {
    /// Starts it, and waits until it listens.
    pub(crate) async fn start(mut command: Command) -> Result<Self> {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = piped.spawn()?;
        let said = echo("telltale", child.stderr.take().context("the server has a stderr")?);
        let stdout = child.stdout.take().context("the server has a stdout")?;
        let address =
            timeout(PATIENCE, listening(stdout)).await.context("the server does not say where it listens")??;
        Ok(Self { child, address, said })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.ended()?.is_some())
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// From now on each of its writes to a file fails, as on a disk that is broken. It began after [`TOLD_OF_FULL_FILES`].
    pub(crate) fn break_writes(&self) -> Result<()> {
        let process = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let none = Rlimit { current: Some(0), maximum: None };
        prlimit(Some(process.context("it has ended already")?), Resource::Fsize, none)?;
        Ok(())
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to stop, as a service manager does, and waits until it has. It must end well, and soon.
    pub(crate) async fn terminate(&mut self) -> Result<()> {
        signal(self.child.id(), Signal::TERM)?;
        let ended = timeout(STOPS_WITHIN, self.child.wait()).await;
        let status = ended.with_context(|| format!("the server does not stop within {STOPS_WITHIN:?}"))??;
        ensure!(status.success(), "the server stopped with {status}");
        Ok(())
    }
}

/// Sends a process that we started a signal.
pub(crate) fn signal(process: Option<u32>, signal: Signal) -> Result<()> {
    let process = process.and_then(|id| Pid::from_raw(id.try_into().ok()?));
    Ok(kill_process(process.context("it has ended already")?, signal)?)
}

/// The server's first line says where it listens; what it prints after that is nothing to the tests.
async fn listening(stdout: impl AsyncRead + Unpin + Send + 'static) -> Result<String> {
    let mut lines = BufReader::new(stdout).lines();
    let line = lines.next_line().await?.context("the server ended before it listened")?;
    let said: Value = serde_json::from_str(&line).with_context(|| format!("the server's first line is {line:?}"))?;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    match (&said["listening"], &said["running"]) {
        (Value::String(address), _) => Ok(address.clone()),
        // It has no socket.
        (Value::Null, Value::String(_)) => Ok(String::new()),
        _ => bail!("the server's first line is {line:?}"),
    }
}
