//! A webhook receiver for the demo: it takes what comes and counts it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use engine_http::axum::{Router, http::StatusCode, routing::post};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A receiver on a port of its own, until it is dropped.
pub(super) struct Receiver {
    /// Where it takes POSTs.
    pub url: String,
    received: Arc<AtomicU64>,
    _stop: DropGuard,
}

impl Receiver {
    /// Starts one.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let received = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&received);
        let take = move || {
            count.fetch_add(1, Ordering::Relaxed);
            async { StatusCode::NO_CONTENT }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let stop = CancellationToken::new();
        tokio::spawn(engine_http::serve(listener, Router::new().route("/hook", post(take)), 64, stop.clone()));
        Ok(Self { url, received, _stop: stop.drop_guard() })
    }

    /// How many POSTs it took.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}
