//! The server that is measured, and where it comes from.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Builds it as it is released, beside this program, unless `TELLTALE_BIN` names one.
pub(crate) async fn server() -> Result<()> {
    if std::env::var_os("TELLTALE_BIN").is_some() {
        return Ok(());
    }
    let bench = std::env::current_exe()?;
    // `<target>/release/deps/<bench>`
    let target = bench.ancestors().nth(3).context("a bench lies in a target folder")?;
    let cargo = std::env::var_os("CARGO").context("cargo runs this")?;
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--release", "--package", "telltale", "--target-dir"]).arg(target);
    let status = command.current_dir(workspace()?).status().await?;
    ensure!(status.success(), "the server cannot be built: {status}");
    Ok(())
}

/// The workspace's folder.
pub(crate) fn workspace() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in the workspace")
}
