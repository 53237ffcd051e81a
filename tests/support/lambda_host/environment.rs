//! An execution environment: one run of the function's program, and the Runtime API that this run alone speaks with.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{mpsc, oneshot, watch},
    time,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    end::End,
    log::Log,
    runtime_api::{self, Invocation, Service},
};
use crate::environment;

/// A function as it was deployed.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) function: String,
    pub(super) variables: Vec<(String, String)>,
    pub(super) timeout: Duration,
    pub(super) log: Log,
    /// How many of the next answers are lost with their program.
    pub(super) answers_to_lose: Arc<AtomicUsize>,
}

/// What is to happen to the invocation that runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doom {
    TimeIsUp,
    Dies,
}

/// A program that runs.
#[derive(Debug)]
pub(super) struct Environment {
    child: Child,
    runtime_api: SocketAddr,
    events: mpsc::Sender<Invocation>,
    /// Why the program could not start, once it said so.
    not_started: watch::Receiver<Option<Value>>,
    _server: AbortOnDropHandle<()>,
}

impl Environment {
    /// Starts the program. It asks for its first event when it is ready.
    pub(super) async fn start(deployed: &Deployed) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let runtime_api = listener.local_addr()?;
        let mut child = command(deployed, runtime_api)?.spawn()?;
        deployed.log.keep(child.stdout.take().context("the function has a stdout")?);
        deployed.log.keep(child.stderr.take().context("the function has a stderr")?);
        let (events, waiting) = mpsc::channel(1);
        let (service, not_started) = Service::new(waiting, Arc::clone(&deployed.answers_to_lose));
        let server = tokio::spawn(runtime_api::serve(listener, service));
        Ok(Self { child, runtime_api, events, not_started, _server: AbortOnDropHandle::new(server) })
    }

    /// Itself, if the program still runs.
    pub(super) fn if_alive(mut self) -> Result<Option<Self>> {
        Ok(self.child.try_wait()?.is_none().then_some(self))
    }

    /// Gives the program an event, and waits until it tells what came of it, or is not there any more, or has had its time.
    /// Unless it told, it is to be killed.
    pub(super) async fn run(
        &mut self,
        request: &str,
        event: Value,
        timeout: Duration,
        doom: &watch::Sender<Option<Doom>>,
    ) -> Result<End> {
        doom.send_replace(None);
        let mut doom = doom.subscribe();
        let (taken, began) = oneshot::channel();
        let (end, told) = oneshot::channel();
        self.events.send(Invocation { request: request.to_owned(), event, timeout, taken, end }).await?;
        let deadline = async {
            // Only what it works counts: how long it takes to start is another matter on AWS, too.
            let _ = began.await;
            time::sleep(timeout).await;
        };
        Ok(tokio::select! {
            biased;
            told = told => match told {
                Ok(told) => End::Told(told),
                // The answer was lost, and with it the program.
                Err(_) => End::Exited(self.killed().await?),
            },
            why = set(&mut self.not_started) => End::NotStarted(why),
            exited = self.child.wait() => End::Exited(exited?),
            doom = set(&mut doom) => match doom {
                Doom::TimeIsUp => End::TimedOut,
                Doom::Dies => End::Exited(self.killed().await?),
            },
            () = deadline => End::TimedOut,
        })
    }

    /// Kills the program, as Lambda does: it is asked nothing.
    pub(super) async fn kill(mut self) -> Result<()> {
        self.killed().await.map(drop)
    }

    async fn killed(&mut self) -> Result<std::process::ExitStatus> {
        self.child.kill().await?;
        Ok(self.child.wait().await?)
    }

    pub(super) fn runtime_api(&self) -> String {
        self.runtime_api.to_string()
    }
}

/// Waits until something is there.
async fn set<T: Clone>(place: &mut watch::Receiver<Option<T>>) -> T {
    match place.wait_for(Option::is_some).await.ok().and_then(|there| there.clone()) {
        Some(there) => there,
        // Nobody is left to bring it.
        None => std::future::pending().await,
    }
}

fn command(deployed: &Deployed, runtime_api: SocketAddr) -> Result<Command> {
    let mut command = Command::new(environment::function(&deployed.function)?);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", &deployed.function)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .envs(deployed.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}
