//! A webhook's receiver: a real HTTP server that checks every signature.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::PATIENCE;

const KEY: &[u8] = b"the key that both sides know";

/// A receiver on a local port.
#[derive(Debug)]
pub struct WebhookReceiver {
    port: u16,
    received: watch::Receiver<Vec<Delivery>>,
    gate: Arc<watch::Sender<Gate>>,
    _server: AbortOnDropHandle<()>,
}

/// Whether it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// At once.
    Open,
    /// Not the next one.
    Closing,
    /// One waits for its answer.
    Closed,
}

/// One request it got.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// When it came.
    pub at: Instant,
    /// The `webhook-id` header: the same for the same message, however often it is sent.
    pub id: String,
    /// Whether the signature is right.
    pub genuine: bool,
    /// The body.
    pub body: Value,
}

impl Delivery {
    /// The subject of the notice it carries.
    pub fn subject(&self) -> &str {
        self.body["data"]["subject"].as_str().unwrap_or_default()
    }
}

impl WebhookReceiver {
    /// Starts one that takes everything.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (kept, received) = watch::channel(Vec::new());
        let gate = Arc::new(watch::Sender::new(Gate::Open));
        let app = Router::new().fallback(take).with_state((Arc::new(kept), Arc::clone(&gate)));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                eprintln!("the webhook receiver ended: {error}");
            }
        });
        Ok(Self { port, received, gate, _server: AbortOnDropHandle::new(server) })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// The secret to sign with.
    pub fn secret() -> String {
        format!("whsec_{}", STANDARD.encode(KEY))
    }

    /// The next delivery is taken, and not answered until [`WebhookReceiver::let_go`].
    pub fn hold(&self) {
        self.gate.send_replace(Gate::Closing);
    }

    /// Waits until a delivery waits for its answer. Goes on beside whatever is done with this.
    pub fn until_held(&self) -> impl Future<Output = Result<()>> + use<> {
        let mut gate = self.gate.subscribe();
        async move {
            let held = timeout(PATIENCE, gate.wait_for(|gate| *gate == Gate::Closed)).await;
            held.context("no delivery waits for its answer")?.map(drop)?;
            Ok(())
        }
    }

    /// Answers what waits.
    pub fn let_go(&self) {
        self.gate.send_replace(Gate::Open);
    }

    /// What it got so far whose subject begins so.
    pub fn deliveries(&self, subject: &str) -> Vec<Delivery> {
        self.received.borrow().iter().filter(|delivery| delivery.subject().starts_with(subject)).cloned().collect()
    }

    /// Waits for the first delivery whose subject begins so.
    pub async fn until_delivery(&self, subject: &str) -> Result<Delivery> {
        let mut received = self.received.clone();
        let arrived = |all: &Vec<Delivery>| all.iter().any(|delivery| delivery.subject().starts_with(subject));
        let out_of_patience = || format!("no webhook {subject:?}; there were {:?}", self.received.borrow());
        let _ = timeout(PATIENCE, received.wait_for(arrived)).await.with_context(out_of_patience)?;
        self.deliveries(subject).into_iter().next().with_context(out_of_patience)
    }
}

type Kept = (Arc<watch::Sender<Vec<Delivery>>>, Arc<watch::Sender<Gate>>);

async fn take(State((kept, gate)): State<Kept>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let at = Instant::now();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let id = header("webhook-id");
    let genuine = is_genuine(&id, &header("webhook-timestamp"), &body, &header("webhook-signature"));
    let body = serde_json::from_slice(&body).unwrap_or_default();
    kept.send_modify(|all| all.push(Delivery { at, id, genuine, body }));
    let is_held = gate.send_if_modified(|gate| {
        let closing = *gate == Gate::Closing;
        if closing {
            *gate = Gate::Closed;
        }
        closing
    });
    if is_held {
        // The gate outlives every request.
        let _ = gate.subscribe().wait_for(|gate| *gate == Gate::Open).await;
    }
    StatusCode::NO_CONTENT
}

/// The scheme of Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
fn is_genuine(id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
    let Some(signature) = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok()) else {
        return false;
    };
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(KEY) else {
        return false;
    };
    let signed = mac.chain_update(id).chain_update(".").chain_update(timestamp).chain_update(".").chain_update(body);
    signed.verify_slice(&signature).is_ok()
}
