//! A server that must not start.

use std::{path::Path, process::Stdio};

use anyhow::{Result, ensure};
use tokio::{process::Command, time::timeout};

use crate::{PATIENCE, environment, process::Process, server::without_our_variables};

/// Starts `telltale serve` on this configuration, which is put into `folder`, and gives what it says of why it does not start.
pub async fn refusal(folder: &Path, config: &str) -> Result<String> {
    refusal_of("serve", folder, config, &[]).await
}

/// The same for any part of `telltale`, with these variables in its environment.
pub async fn refusal_of(part: &str, folder: &Path, config: &str, variables: &[(String, String)]) -> Result<String> {
    let mut command = command(part, folder, config, variables)?;
    if part != "config" {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    let ended = timeout(PATIENCE, command.stdin(Stdio::null()).kill_on_drop(true).output()).await??;
    ensure!(!ended.status.success(), "it ended well");
    Ok(String::from_utf8(ended.stderr)?)
}

/// Starts a part that listens nowhere in the same way, and ends it once it runs.
pub async fn starts(part: &str, folder: &Path, config: &str, variables: &[(String, String)]) -> Result<()> {
    Process::start(command(part, folder, config, variables)?).await.map(drop)
}

fn command(part: &str, folder: &Path, config: &str, variables: &[(String, String)]) -> Result<Command> {
    let file = folder.join("refused.toml");
    std::fs::write(&file, config)?;
    let mut command = Command::new(environment::telltale()?);
    without_our_variables(&mut command);
    command.arg(part).arg("--config").arg(file).envs(variables.iter().cloned());
    Ok(command)
}
