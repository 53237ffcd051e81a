//! A `telltale serve` of its own for one test: a fresh data folder, a port that was free, a site to begin with.

use std::{
    ffi::OsStr,
    path::Path,
    sync::{Once, PoisonError},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{AT_ONCE, PATIENCE, environment, process::Process, session::Session, small_disk::SmallDisk};

/// The configuration, in the server's folder.
const CONFIG: &str = "telltale.toml";
/// What differs from start to start.
const LISTEN: &str = "TELLTALE_LISTEN";
const IMPORT: &str = "TELLTALE_IMPORT";

/// A running server. It ends when this is dropped, and its data with it.
#[derive(Debug)]
pub struct Server {
    url: String,
    client: reqwest::Client,
    process: Process,
    /// Its disk, if it has one of its own.
    disk: Option<SmallDisk>,
    folder: TempDir,
}

impl Server {
    /// Starts a server on `site`, with `settings` beside what says where its data are and where it listens.
    pub async fn start(site: &Value, settings: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (data, site_file) = (folder.path().join("data"), folder.path().join("site.json"));
        std::fs::write(&site_file, site.to_string())?;
        std::fs::write(folder.path().join(CONFIG), format!("data = '{}'\n{settings}\n", data.display()))?;
        let variables = [(LISTEN, OsStr::new("127.0.0.1:0")), (IMPORT, site_file.as_os_str())];
        let process = launch(None, folder.path(), &variables).await?;
        Ok(Self { url: format!("http://{}", process.address), client: http_client()?, process, disk: None, folder })
    }

    /// Whether the system lets this user have disks of their own.
    pub async fn may_have_small_disks() -> bool {
        SmallDisk::may_be_had().await
    }

    /// The same with its data on a small disk of its own, in memory, which ends with it.
    pub async fn start_on_small_disk(site: &Value, settings: &str, megabytes: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (data, site_file) = (folder.path().join("data"), folder.path().join("site.json"));
        std::fs::create_dir(&data)?;
        std::fs::write(&site_file, site.to_string())?;
        std::fs::write(folder.path().join(CONFIG), format!("data = '{}'\n{settings}\n", data.display()))?;
        let disk = Some(SmallDisk::mount(&data, megabytes).await?);
        let variables = [(LISTEN, OsStr::new("127.0.0.1:0")), (IMPORT, site_file.as_os_str())];
        let process = launch(disk.as_ref(), folder.path(), &variables).await?;
        Ok(Self { url: format!("http://{}", process.address), client: http_client()?, process, disk, folder })
    }

    /// Fills its small disk to the last byte.
    pub fn fill_disk(&self) -> Result<()> {
        self.disk()?.fill()
    }

    /// Makes room again.
    pub fn free_disk(&self) -> Result<()> {
        self.disk()?.free()
    }

    /// Its small disk becomes read-only, or takes writes again.
    pub async fn set_disk_read_only(&self, is_read_only: bool) -> Result<()> {
        self.disk()?.set_read_only(is_read_only).await
    }

    /// From now on each of its writes to a file fails, as on a disk that is broken.
    pub fn break_writes(&self) -> Result<()> {
        self.process.break_writes()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        self.process.has_ended()
    }

    fn disk(&self) -> Result<&SmallDisk> {
        self.disk.as_ref().context("the server has no disk of its own")
    }

    /// Where it is, as `http://host:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it wrote into its log since it was started last.
    pub fn log(&self) -> Vec<String> {
        self.process.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it signs with.
    pub fn signing_key(&self) -> Result<Vec<u8>> {
        Ok(std::fs::read(self.folder.path().join("data/signing-key"))?)
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

    /// Starts it again after it ended, at the same address, with nothing to go on but its data.
    pub async fn restart(&mut self) -> Result<()> {
        let variables = [(LISTEN, OsStr::new(&self.process.address))];
        self.process = launch(self.disk.as_ref(), self.folder.path(), &variables).await?;
        Ok(())
    }

    /// Signs in.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Session> {
        sign_in(&self.client, &self.url, user, password).await
    }

    /// Posts `body` to `/api/node/<path>` as a gateway without a token would, and gives the status and the answer.
    pub async fn post_as_node(&self, path: &str, body: impl Into<Vec<u8>>) -> Result<(u16, String)> {
        self.post_with_token(path, "", body).await
    }

    /// Posts `body` as a gateway with a token would. One without sends the header, too, and leaves it empty.
    pub async fn post_with_token(&self, path: &str, token: &str, body: impl Into<Vec<u8>>) -> Result<(u16, String)> {
        let url = format!("{}/api/node/{path}", self.url);
        let request = self.client.post(url).header("content-type", "application/json").header("x-node-token", token);
        let response = request.body(body.into()).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}

/// Starts the program on the configuration in `folder`, with `variables` over it.
async fn launch(disk: Option<&SmallDisk>, folder: &Path, variables: &[(&str, &OsStr)]) -> Result<Process> {
    let program = environment::telltale()?;
    let mut command = disk.map_or_else(|| Ok(Command::new(&program)), |disk| disk.command(&program))?;
    without_our_variables(&mut command);
    command.args([OsStr::new("serve"), OsStr::new("--config"), folder.join(CONFIG).as_os_str()]);
    command.envs(AT_ONCE).envs(variables.iter().copied());
    Process::start(command).await
}

/// What the tester's environment says to a server is not for the tests'.
pub(crate) fn without_our_variables(command: &mut Command) {
    for (variable, _) in std::env::vars_os().filter(|(variable, _)| is_ours(variable)) {
        command.env_remove(variable);
    }
}

/// Signs in at a server or an API of its own.
pub(crate) async fn sign_in(client: &reqwest::Client, url: &str, user: &str, password: &str) -> Result<Session> {
    let body = json!({ "user": user, "password": password });
    let response = client.post(format!("{url}/api/auth/login")).json(&body).send().await?.error_for_status()?;
    let answer: Value = response.json().await?;
    let token = answer["token"].as_str().context("a sign-in answers with a token")?;
    Ok(Session::new(client.clone(), url.to_owned(), token.to_owned()))
}

fn is_ours(variable: &OsStr) -> bool {
    variable.to_str().is_some_and(|name| name.starts_with("TELLTALE_"))
}

/// An HTTP client. It never speaks TLS, and still wants to know who would.
pub fn http_client() -> Result<reqwest::Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            eprintln!("another TLS provider was installed first");
        }
    });
    Ok(reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?)
}
