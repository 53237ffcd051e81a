//! The Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use boot::SystemClock;
use records::Clock;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot, watch},
};

use super::Invoked;

/// The most bytes an answer may have.
const MOST_BYTES: usize = 6 * 1024 * 1024;

/// An event on its way to the program.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) request: String,
    pub(super) event: Value,
    pub(super) timeout: Duration,
    /// Told when the program has the event.
    pub(super) taken: oneshot::Sender<()>,
    /// Told how it ended. Dropped when the answer is lost.
    pub(super) end: oneshot::Sender<Invoked>,
}

/// What waits for one program, and what it is at.
#[derive(Debug)]
pub(super) struct Service {
    events: Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Option<(String, oneshot::Sender<Invoked>)>>,
    not_started: watch::Sender<Option<Value>>,
    answers_to_lose: Arc<AtomicUsize>,
}

impl Service {
    /// One with these events, and why its program could not start, once it says so.
    pub(super) fn new(
        events: mpsc::Receiver<Invocation>,
        answers_to_lose: Arc<AtomicUsize>,
    ) -> (Arc<Self>, watch::Receiver<Option<Value>>) {
        let (not_started, why) = watch::channel(None);
        let service = Self { events: Mutex::new(events), running: Mutex::default(), not_started, answers_to_lose };
        (Arc::new(service), why)
    }

    fn loses_this_answer(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.answers_to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }
}

pub(super) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(service);
    if let Err(error) = axum::serve(listener, routes).await {
        eprintln!("the Runtime API ended: {error}");
    }
}

/// The program asks for work; it is answered when there is some.
async fn next(State(service): State<Arc<Service>>) -> Result<impl IntoResponse, StatusCode> {
    let invocation = service.events.lock().await.recv().await.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let Invocation { request, event, timeout, taken, end } = invocation;
    let headers = [
        ("lambda-runtime-aws-request-id", request.clone()),
        ("lambda-runtime-deadline-ms", SystemClock.now().plus(timeout).0.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:test".to_owned()),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
    ];
    *service.running.lock().await = Some((request, end));
    // Whoever invoked the function may have lost patience.
    let _ = taken.send(());
    Ok((headers, Json(event)))
}

async fn response(service: State<Arc<Service>>, request: Path<String>, told: Bytes) -> impl IntoResponse {
    ended(service, &request, Ok(json_of(&told))).await
}

async fn error(service: State<Arc<Service>>, request: Path<String>, told: Bytes) -> impl IntoResponse {
    ended(service, &request, Err(json_of(&told))).await
}

async fn ended(State(service): State<Arc<Service>>, request: &str, told: Invoked) -> (StatusCode, Json<Value>) {
    let Some((_, end)) = service.running.lock().await.take_if(|(running, _)| running == request) else {
        let unknown = json!({ "errorType": "InvalidRequestID", "errorMessage": "Invalid request ID" });
        return (StatusCode::BAD_REQUEST, Json(unknown));
    };
    if service.loses_this_answer() {
        drop(end);
        return std::future::pending().await;
    }
    let _ = end.send(told);
    accepted()
}

/// The program could not start. What is to be invoked next fails for that reason.
async fn init_error(State(service): State<Arc<Service>>, told: Bytes) -> impl IntoResponse {
    service.not_started.send_replace(Some(json_of(&told)));
    accepted()
}

fn accepted() -> (StatusCode, Json<Value>) {
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" })))
}

/// What a program told; as text where it is no JSON.
fn json_of(told: &[u8]) -> Value {
    serde_json::from_slice(told).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(told).into_owned()))
}
