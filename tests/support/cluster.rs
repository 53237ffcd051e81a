//! Several processes of `telltale` that meet over a Redis of their own: one owns the store, the others are brokers, workers
//! and the API.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    Proxy, RedisServer, Session, environment,
    process::{Process, signal},
    server::{http_client, sign_in, without_our_variables},
};

/// The configuration, in the cluster's folder.
const CONFIG: &str = "telltale.toml";

/// What shows another time to a program, where the package `faketime` puts it; the loader knows `$LIB`.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// How many processes there are.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Brokers.
    pub brokers: usize,
    /// Workers.
    pub workers: usize,
    /// By how many seconds the clock of the first worker is ahead, and that of the first broker behind.
    pub seconds_apart: u32,
}

/// The processes. They end when this is dropped, and their data with them.
pub struct Cluster {
    /// Where they meet.
    pub redis: RedisServer,
    /// Who owns the store.
    pub store: Member,
    /// The brokers.
    pub brokers: Vec<Member>,
    /// The workers.
    pub workers: Vec<Member>,
    /// The API.
    pub api: Member,
    /// In front of the brokers.
    pub balancer: Proxy,
    client: reqwest::Client,
    _folder: TempDir,
}

/// One process. It can be killed, and started again.
pub struct Member {
    role: &'static str,
    folder: PathBuf,
    /// What its clock shows more than others', as `faketime` takes it.
    ahead: Option<String>,
    process: Process,
}

impl Cluster {
    /// Starts all of them on `site`, with `settings` beside what says where things are. Jobs go through the queue that is
    /// called `queue`.
    pub async fn start(how_many: Size, queue: &str, site: &Value, settings: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = RedisServer::start().await?;
        let path = folder.path().to_owned();
        let site_file = path.join("site.json");
        std::fs::write(&site_file, site.to_string())?;
        let (data, url) = (path.join("data"), redis.url());
        let place = format!("data = '{}'\n{settings}\n[redis]\nurl = '{url}'\nqueue = '{queue}'\n", data.display());
        std::fs::write(path.join(CONFIG), place)?;
        let store = Member::start("store", path.clone(), Some(site_file), None).await?;
        let mut brokers = Vec::new();
        let of_first = |number: usize, sign: char| {
            let is_apart = number == 0 && how_many.seconds_apart > 0;
            is_apart.then(|| format!("{sign}{}s", how_many.seconds_apart))
        };
        for number in 0..how_many.brokers {
            brokers.push(Member::start("broker", path.clone(), None, of_first(number, '-')).await?);
        }
        let mut workers = Vec::new();
        for number in 0..how_many.workers {
            workers.push(Member::start("worker", path.clone(), None, of_first(number, '+')).await?);
        }
        let api = Member::start("api", path, None, None).await?;
        let addresses = brokers.iter().map(|broker| broker.process.address.clone()).collect();
        let balancer = Proxy::start(addresses).await?;
        Ok(Self { redis, store, brokers, workers, api, balancer, client: http_client()?, _folder: folder })
    }

    /// Signs in at the API.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Session> {
        sign_in(&self.client, &self.api.url(), user, password).await
    }
}

impl Member {
    async fn start(
        role: &'static str,
        folder: PathBuf,
        import: Option<PathBuf>,
        ahead: Option<String>,
    ) -> Result<Self> {
        let mut command = command(role, &folder, "127.0.0.1:0", ahead.as_deref())?;
        if let Some(import) = import {
            command.env("TELLTALE_IMPORT", import);
        }
        let process = Process::start(command).await.with_context(|| format!("telltale {role} does not start"))?;
        Ok(Self { role, folder, ahead, process })
    }

    /// Where it is, as `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.process.address)
    }

    /// The process.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
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
        self.process = Process::start(command(self.role, &self.folder, listen, self.ahead.as_deref())?).await?;
        Ok(())
    }
}

fn command(role: &str, folder: &Path, listen: &str, ahead: Option<&str>) -> Result<Command> {
    let mut command = Command::new(environment::telltale()?);
    without_our_variables(&mut command);
    if let Some(ahead) = ahead {
        // Its own command starts another process, which would outlive it when it is killed.
        command.env("LD_PRELOAD", FAKETIME).env("FAKETIME", ahead);
    }
    command.arg(role).arg("--config").arg(folder.join(CONFIG)).args(["--listen", listen]);
    Ok(command)
}
