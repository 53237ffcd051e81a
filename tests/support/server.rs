//! A `telltale serve` of its own for one test: a fresh data folder, a port that was free, a site to begin with.

use std::{ffi::OsStr, path::Path, process::Stdio, sync::Once, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{PATIENCE, environment, players::echo, session::Session};

/// The configuration, in the server's folder.
const CONFIG: &str = "telltale.toml";
/// What differs from start to start.
const LISTEN: &str = "TELLTALE_LISTEN";
const IMPORT: &str = "TELLTALE_IMPORT";

/// How long a server that is asked to stop may take: a little longer than it lets its parts finish what they hold.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// A running server. It ends when this is dropped, and its data with it.
#[derive(Debug)]
pub struct Server {
    address: String,
    url: String,
    client: reqwest::Client,
    child: Child,
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
        let (child, address) = launch(folder.path(), &variables).await?;
        Ok(Self { url: format!("http://{address}"), address, client: http_client()?, child, folder })
    }

    /// Where it is, as `http://host:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to stop, as a service manager does, and waits until it has. It must end well, and soon.
    pub async fn terminate(&mut self) -> Result<()> {
        let process = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(process.context("the server has ended already")?, Signal::TERM)?;
        let ended = timeout(STOPS_WITHIN, self.child.wait()).await;
        let status = ended.with_context(|| format!("the server does not stop within {STOPS_WITHIN:?}"))??;
        ensure!(status.success(), "the server stopped with {status}");
        Ok(())
    }

    /// Starts it again after it ended, at the same address, with nothing to go on but its data.
    pub async fn restart(&mut self) -> Result<()> {
        (self.child, _) = launch(self.folder.path(), &[(LISTEN, OsStr::new(&self.address))]).await?;
        Ok(())
    }

    /// Signs in.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Session> {
        let body = json!({ "user": user, "password": password });
        let url = format!("{}/api/auth/login", self.url);
        let response = self.client.post(url).json(&body).send().await?.error_for_status()?;
        let answer: Value = response.json().await?;
        let token = answer["token"].as_str().context("a sign-in answers with a token")?;
        Ok(Session::new(self.client.clone(), self.url.clone(), token.to_owned()))
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

/// Starts the program on the configuration in `folder`, with `variables` over it, and gives where it listens.
async fn launch(folder: &Path, variables: &[(&str, &OsStr)]) -> Result<(Child, String)> {
    let mut command = Command::new(environment::telltale()?);
    // What the tester's environment says to a server is not for this one.
    for (variable, _) in std::env::vars_os().filter(|(variable, _)| is_ours(variable)) {
        command.env_remove(variable);
    }
    let mut child = command
        .args([OsStr::new("serve"), OsStr::new("--config"), folder.join(CONFIG).as_os_str()])
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    echo("telltale", child.stderr.take().context("the server has a stderr")?);
    let stdout = child.stdout.take().context("the server has a stdout")?;
    let address = timeout(PATIENCE, listening(stdout)).await.context("the server does not say where it listens")??;
    Ok((child, address))
}

fn is_ours(variable: &OsStr) -> bool {
    variable.to_str().is_some_and(|name| name.starts_with("TELLTALE_"))
}

/// The server's first line says where it listens; what it prints after that is nothing to the tests.
async fn listening(stdout: impl AsyncRead + Unpin + Send + 'static) -> Result<String> {
    let mut lines = BufReader::new(stdout).lines();
    let line = lines.next_line().await?.context("the server ended before it listened")?;
    let said: Value = serde_json::from_str(&line).with_context(|| format!("the server's first line is {line:?}"))?;
    let address = said["listening"].as_str().map(str::to_owned);
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    address.with_context(|| format!("the server's first line is {line:?}"))
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
