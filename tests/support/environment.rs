//! Where `tests/run` put things, and what the person who runs the tests says.

use std::{path::PathBuf, process::Command, str::FromStr};

use anyhow::{Context, Result, ensure};

/// What `tests/run` installed: the path in `variable`, or its usual place below the tests' cache folder.
pub(crate) fn installed(variable: &str, usual: &str) -> Result<PathBuf> {
    let path = match read(variable) {
        Some(path) => PathBuf::from(path),
        None => cache()?.join("telltale/tests").join(usual),
    };
    ensure!(path.exists(), "{} is not there: run `tests/run` once, it installs what the tests need", path.display());
    Ok(path)
}

/// DynamoDB Local's jar, which `tests/run` fetches for those who hold an AWS account.
pub(crate) fn dynamodb_local() -> Result<PathBuf> {
    let path = match read("TELLTALE_TEST_DYNAMODB_LOCAL") {
        Some(path) => PathBuf::from(path),
        None => cache()?.join("telltale/tests/dynamodb-local/package/emulator/DynamoDBLocal.jar"),
    };
    ensure!(path.exists(), "{} is not there: `ACCEPT_DYNAMODB_LOCAL_LICENSE=1 tests/run` fetches it", path.display());
    Ok(path)
}

/// Prometheus' own check of rules.
pub fn promtool() -> Result<PathBuf> {
    installed("TELLTALE_TEST_PROMTOOL", "prometheus/usr/bin/promtool")
}

/// The `telltale` program: the path in `TELLTALE_BIN`, or the one that lies beside this test.
pub(crate) fn telltale() -> Result<PathBuf> {
    let path = match read("TELLTALE_BIN") {
        Some(path) => PathBuf::from(path),
        None => beside_this_test("telltale")?,
    };
    ensure!(
        path.exists(),
        "{} is not there: run `cargo build -p telltale --features dynamodb` first, or `--release` for a benchmark",
        path.display()
    );
    Ok(path)
}

/// The `telltale` program, to be run once.
pub fn telltale_command() -> Result<Command> {
    Ok(Command::new(telltale()?))
}

/// A function's program, which lies beside this test.
pub(crate) fn function(name: &str) -> Result<PathBuf> {
    let path = beside_this_test(name)?;
    ensure!(path.exists(), "{} is not there: run `cargo build -p functions` first", path.display());
    Ok(path)
}

/// The broker's program for AWS, which lies beside this test.
pub(crate) fn broker() -> Result<PathBuf> {
    let path = beside_this_test("telltale-broker")?;
    ensure!(path.exists(), "{} is not there: run `cargo build -p telltale-broker` first", path.display());
    Ok(path)
}

/// Tests lie in `<target>/<profile>/deps`, programs one folder up.
fn beside_this_test(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("a test lies in a target folder")?;
    Ok(folder.join(name))
}

fn cache() -> Result<PathBuf> {
    match read("XDG_CACHE_HOME") {
        Some(cache) => Ok(PathBuf::from(cache)),
        None => Ok(PathBuf::from(read("HOME").context("there is no HOME")?).join(".cache")),
    }
}

/// What the person who runs the tests says in `variable`, if it can be understood.
pub fn told<T: FromStr>(variable: &str) -> Option<T> {
    read(variable)?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "tests are told where their tools are, there is no configuration here")]
fn read(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}
