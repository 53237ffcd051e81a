//! `template.yaml` as AWS is given it in the end.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::environment;

/// The template after the SAM transform: what moto and the linters take in silence, a test can look at here.
pub fn translated_template() -> Result<Value> {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(environment::installed("TELLTALE_TEST_SAM_PYTHON", "sam/bin/python")?)
        .args([&format!("{root}/players/translate_template.py"), &format!("{root}/../template.yaml")])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the SAM transform does not take the template:\n{complaint}");
    serde_json::from_slice(&output.stdout).context("the transform's output is JSON")
}
