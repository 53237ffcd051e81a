//! The Lambda service for one function: gives events to the function's real program over the Runtime API.

use std::{net::SocketAddr, process::Stdio, sync::Arc};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{PATIENCE, environment, players::echo};

/// How an invocation ended: the function's answer, or its error with `errorType` and `errorMessage`.
pub type Invoked = Result<Value, Value>;

/// A function that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct LambdaHost {
    events: mpsc::Sender<Invocation>,
    _server: AbortOnDropHandle<()>,
    _child: Child,
}

#[derive(Debug)]
struct Invocation {
    event: Value,
    end: oneshot::Sender<Invoked>,
}

/// What waits for the function, and what it is at: one event at a time, as Lambda has it.
#[derive(Debug)]
struct Service {
    events: Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Option<oneshot::Sender<Invoked>>>,
}

impl LambdaHost {
    /// Starts the function's program with these variables, and no others, in its environment.
    pub async fn start(function: &str, variables: &[(&str, &str)]) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut child = command(function, listener.local_addr()?)?.envs(variables.iter().copied()).spawn()?;
        echo("function", child.stderr.take().context("the function has a stderr")?);
        let (events, waiting) = mpsc::channel(1);
        let service = Arc::new(Service { events: Mutex::new(waiting), running: Mutex::default() });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{how}", post(ended))
            .with_state(service);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                eprintln!("the Runtime API ended: {error}");
            }
        });
        Ok(Self { events, _server: AbortOnDropHandle::new(server), _child: child })
    }

    /// Gives the function an event, and waits for its end.
    pub async fn invoke(&self, event: Value) -> Result<Invoked> {
        let (end, ended) = oneshot::channel();
        self.events.send(Invocation { event, end }).await?;
        Ok(timeout(PATIENCE, ended).await.context("the function does not answer")??)
    }
}

fn command(function: &str, runtime_api: SocketAddr) -> Result<Command> {
    let mut command = Command::new(environment::function(function)?);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", function)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// The function asks for work; it is answered when there is some.
async fn next(State(service): State<Arc<Service>>) -> Result<impl IntoResponse, StatusCode> {
    let invocation = service.events.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    *service.running.lock().await = Some(invocation.end);
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        // The year 2100: no test is about the deadline.
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:test"),
    ];
    Ok((headers, Json(invocation.event)))
}

/// The function tells how the invocation ended, as `response` or `error`.
async fn ended(State(service): State<Arc<Service>>, Path((_, how)): Path<(String, String)>, told: Bytes) -> StatusCode {
    let Ok(told) = serde_json::from_slice(&told) else { return StatusCode::BAD_REQUEST };
    let Some(end) = service.running.lock().await.take() else { return StatusCode::NOT_FOUND };
    // Who invoked the function may have lost patience.
    let _ = end.send(if how == "response" { Ok(told) } else { Err(told) });
    StatusCode::ACCEPTED
}
