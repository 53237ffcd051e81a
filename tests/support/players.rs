//! The programs that play the outside world: gateways, devices, mailboxes, browsers.
//!
//! Each is a Node or Python program in `tests/players` that takes orders as JSON lines and reports as JSON lines. They run
//! on genuine libraries of other people, so that what passes here passes in the field. `tests/run` installs those.

mod aws;
mod browser;
mod dynamodb;
mod forms;
mod gateway;
mod live;
mod mailbox;
mod pipeline;
mod redis;
mod services;
mod slave;
mod ups;
mod verifier;

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::watch,
    time::timeout,
};

use crate::{PATIENCE, environment};

pub use aws::{Aws, Brake, Published, QUEUES, Received, Sent, SesMail, Sms, Taken};
pub use browser::Browser;
pub use dynamodb::{dynamodb_local, dynamodb_on_aws};
pub use forms::{MailForms, MailInline};
pub use gateway::{Dtu, Gateway, GatewaySettings, Habits, Posted, Socket, Variant};
pub use live::LiveClient;
pub use mailbox::{Mail, Mailbox};
pub use pipeline::Pipeline;
pub use redis::RedisServer;
pub use services::Services;
pub use slave::Slave;
pub use ups::Ups;
pub use verifier::{Verified, Verifier};

/// A running player. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Player {
    name: &'static str,
    child: Child,
    orders: ChildStdin,
    reports: watch::Receiver<Vec<Value>>,
}

impl Player {
    /// Starts a Node player, `tests/players/<name>.mjs`.
    fn node(name: &'static str, settings: &Value) -> Result<Self> {
        let modules = environment::installed("TELLTALE_TEST_NODE_MODULES", "node/node_modules")?;
        let mut command = Command::new("node");
        command.arg(script(&format!("{name}.mjs"))).env("TELLTALE_TEST_NODE_MODULES", modules);
        Self::start(name, command, settings)
    }

    /// Starts a Python player, `tests/players/<name>.py`.
    fn python(name: &'static str, settings: &Value) -> Result<Self> {
        let mut command = Command::new(python()?);
        command.arg(script(&format!("{name}.py"))).env("PYTHONDONTWRITEBYTECODE", "1");
        Self::start(name, command, settings)
    }

    fn start(name: &'static str, mut command: Command, settings: &Value) -> Result<Self> {
        let mut child = command
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("the player {name} does not start"))?;
        let orders = child.stdin.take().context("the player has a stdin")?;
        let _ = echo(name, child.stderr.take().context("the player has a stderr")?);
        let reports = listen(child.stdout.take().context("the player has a stdout")?);
        Ok(Self { name, child, orders, reports })
    }

    /// Gives an order.
    async fn order(&mut self, order: &str, arguments: Value) -> Result<()> {
        let line = format!("{}\n", json!({ order: arguments }));
        self.orders
            .write_all(line.as_bytes())
            .await
            .with_context(|| format!("the player {} takes no orders", self.name))
    }

    /// Gives an order to a player that says when it is done, and waits until it is.
    async fn order_done(&mut self, order: &str, arguments: Value) -> Result<()> {
        let before = self.reports("done").len();
        self.order(order, arguments).await?;
        self.until(&format!("done with {order}"), |reports| (of(reports, "done").count() > before).then_some(())).await
    }

    /// The process.
    fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The port it listens on.
    async fn port(&self) -> Result<u16> {
        let port = self.until("listening", |reports| of(reports, "listening").next().and_then(Value::as_u64)).await?;
        u16::try_from(port).context("a port is a small number")
    }

    /// What it reported so far under `kind`.
    fn reports(&self, kind: &str) -> Vec<Value> {
        of(&self.reports.borrow(), kind).cloned().collect()
    }

    /// How many reports under `kind` it made so far.
    fn count(&self, kind: &str) -> usize {
        of(&self.reports.borrow(), kind).count()
    }

    /// Waits until its reports show what is wanted.
    async fn until<T>(&self, wanted: &str, mut shown: impl FnMut(&[Value]) -> Option<T>) -> Result<T> {
        let mut found = None;
        let mut reports = self.reports.clone();
        let waiting = reports.wait_for(|reports| {
            found = shown(reports);
            found.is_some()
        });
        let end = match timeout(PATIENCE, waiting).await {
            Ok(Ok(_)) => "",
            Ok(Err(_)) => ": it ended",
            Err(_) => ": out of patience",
        };
        found.ok_or_else(|| {
            anyhow!("{} was not seen to be {wanted}{end}. Its last reports:\n{}", self.name, self.tail())
        })
    }

    /// Waits until it made so many reports of a kind. Goes on beside whatever the player is told.
    fn until_reports(&self, kind: &'static str, count: usize) -> impl Future<Output = Result<()>> + use<> {
        let mut reports = self.reports.clone();
        async move {
            let enough = timeout(PATIENCE, reports.wait_for(|reports| of(reports, kind).count() >= count));
            enough.await.with_context(|| format!("out of patience: {count} × {kind}"))?.map(drop)?;
            Ok(())
        }
    }

    /// Whether it still runs.
    fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    fn tail(&self) -> String {
        let reports = self.reports.borrow();
        let last = reports.iter().skip(reports.len().saturating_sub(20));
        last.map(|report| report.to_string().chars().take(300).collect::<String>() + "\n").collect()
    }
}

/// The details of the reports of one kind.
fn of<'a>(reports: &'a [Value], kind: &str) -> impl Iterator<Item = &'a Value> {
    reports.iter().filter_map(move |report| report.get(kind))
}

/// The Python that has the players' packages.
fn python() -> Result<PathBuf> {
    environment::installed("TELLTALE_TEST_PYTHON", "venv/bin/python")
}

fn script(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "players", file].iter().collect()
}

fn listen(stdout: impl AsyncRead + Unpin + Send + 'static) -> watch::Receiver<Vec<Value>> {
    let (heard, reports) = watch::channel(Vec::new());
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let report = serde_json::from_str(&line).unwrap_or(Value::String(line));
            heard.send_modify(|reports| reports.push(report));
        }
    });
    reports
}

/// Shows what a program says on stderr, among the output of a test that fails.
pub(crate) fn echo(name: &'static str, stderr: impl AsyncRead + Unpin + Send + 'static) -> Said {
    let said = Said::default();
    let kept = Arc::clone(&said);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            eprintln!("{name}: {line}");
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    said
}

/// The lines that a program wrote so far.
pub(crate) type Said = Arc<Mutex<Vec<String>>>;
