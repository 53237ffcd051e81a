//! The Lambda service for one function: gives events to the function's real program over the Runtime API, as AWS does.
//!
//! One program runs at a time, in an environment of its own; one invocation at a time. A program that is out of time, ends,
//! or cannot start, costs the invocation it was at, and the next one finds a new program.

mod end;
mod environment;
mod log;
mod runtime_api;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::{
    sync::{Mutex, watch},
    time,
};

use self::{
    end::End,
    environment::{Deployed, Doom, Environment},
    log::Log,
};
use crate::PATIENCE;

/// How an invocation ended: the function's answer, or its error with `errorType` and `errorMessage`.
pub type Invoked = Result<Value, Value>;

/// A function that can be invoked. Its program ends when this is dropped.
#[derive(Debug)]
pub struct LambdaHost {
    deployed: Deployed,
    environment: Mutex<Option<Environment>>,
    /// How many programs there were so far.
    started: AtomicUsize,
    /// The request of the latest invocation.
    request: std::sync::Mutex<String>,
    doom: watch::Sender<Option<Doom>>,
}

impl LambdaHost {
    /// Starts the function's program with these variables, and no others, in its environment. An invocation may take as
    /// long as `timeout`.
    pub async fn start(function: &str, variables: &[(&str, &str)], timeout: Duration) -> Result<Self> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let deployed = Deployed {
            function: function.to_owned(),
            variables: variables.iter().map(own).collect(),
            timeout,
            log: Log::default(),
            answers_to_lose: Arc::default(),
        };
        let host = Self {
            deployed,
            environment: Mutex::default(),
            started: AtomicUsize::new(0),
            request: std::sync::Mutex::default(),
            doom: watch::Sender::new(None),
        };
        *host.environment.lock().await = Some(host.deploy().await?);
        Ok(host)
    }

    /// Gives the function an event, and waits for its end.
    pub async fn invoke(&self, event: Value) -> Result<Invoked> {
        let mut place = self.environment.lock().await;
        let mut environment = match place.take().map(Environment::if_alive).transpose()?.flatten() {
            Some(idle) => idle,
            None => self.deploy().await?,
        };
        let request = next_request();
        self.request.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone_from(&request);
        let run = environment.run(&request, event, self.deployed.timeout, &self.doom);
        let end = time::timeout(self.deployed.timeout + PATIENCE, run).await;
        match end.context("the function's program neither works nor ends")?? {
            End::Told(told) => {
                *place = Some(environment);
                Ok(told)
            }
            end => {
                environment.kill().await?;
                Ok(Err(end.error(&request, self.deployed.timeout)))
            }
        }
    }

    async fn deploy(&self) -> Result<Environment> {
        self.started.fetch_add(1, Ordering::SeqCst);
        Environment::start(&self.deployed).await
    }

    /// The invocation that runs now, if one does, has used up its time.
    pub fn time_is_up(&self) {
        self.doom.send_replace(Some(Doom::TimeIsUp));
    }

    /// The program is killed, if an invocation runs now.
    pub fn dies(&self) {
        self.doom.send_replace(Some(Doom::Dies));
    }

    /// As often as this was called, the program is killed when it tells what came of an invocation, before that is heard:
    /// its work is done, and nobody knows.
    pub fn loses_an_answer(&self) {
        self.deployed.answers_to_lose.fetch_add(1, Ordering::SeqCst);
    }

    /// How many answers are still to be lost.
    pub fn answers_to_lose(&self) -> usize {
        self.deployed.answers_to_lose.load(Ordering::SeqCst)
    }

    /// How many programs it took so far: one as long as none was lost.
    pub fn programs(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    /// The id of the latest invocation's request.
    pub fn request(&self) -> String {
        self.request.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// What the programs logged so far, a line each: JSON, or text where it is none.
    pub fn log(&self) -> Vec<Value> {
        self.deployed.log.lines()
    }

    /// Where the program that runs now finds the Runtime API.
    pub async fn runtime_api(&self) -> Option<String> {
        self.environment.lock().await.as_ref().map(Environment::runtime_api)
    }
}

/// An id that no other invocation has, in the form of a UUID.
fn next_request() -> String {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    format!("8476a536-e9f4-41e8-9739-{:012x}", REQUESTS.fetch_add(1, Ordering::SeqCst))
}
