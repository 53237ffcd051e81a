//! Where a part that serves nobody, a worker or the store's owner, says whether it is well: for a service manager, or who watches.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use engine_http::{
    Problem,
    axum::{
        Json, Router,
        response::{IntoResponse, Response},
        routing::get,
    },
};
use jobs::{
    StoreProof,
    ports::{MeetingPoint, MeetingState},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::meeting::Meeting;

/// Who asks how a part is are few.
const MOST_CONNECTIONS: usize = 100;

/// Binds the address that a part was given to listen on.
pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address} (is another server there?)"))
}

/// What answers how a part is.
pub(super) struct Health {
    pub(super) address: SocketAddr,
    web: JoinHandle<std::io::Result<()>>,
}

impl Health {
    /// Answers at the address until `stop`, if there is one: `/health` that the process lives, `/health/ready` whether it can do its
    /// work.
    pub(super) async fn open_if(
        address: Option<SocketAddr>,
        store: StoreProof,
        meeting: Option<Arc<Meeting>>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Self>> {
        let Some(address) = address else { return Ok(None) };
        let listener = bind(address).await?;
        let address = listener.local_addr()?;
        let store = Arc::new(store);
        let ready = move || {
            let (store, meeting) = (Arc::clone(&store), meeting.clone());
            async move {
                let meeting = meeting.map(|meeting| meeting.state()).unwrap_or_default();
                ready(store.is_well().await, &meeting)
            }
        };
        let router = Router::new().route("/health", get(async || "ok")).route("/health/ready", get(ready));
        let web = tokio::spawn(engine_http::serve(listener, router, MOST_CONNECTIONS, stop.clone()));
        Ok(Some(Self { address, web }))
    }

    /// Where it answers, if it does.
    pub(super) fn told(health: Option<&Self>) -> Option<SocketAddr> {
        health.map(|health| health.address)
    }

    /// Finishes what was asked. It was told to stop before.
    pub(super) async fn close(health: Option<Self>) -> anyhow::Result<()> {
        let Some(health) = health else { return Ok(()) };
        Ok(health.web.await.context("the web server ended badly")??)
    }
}

/// Without its store or its queue it waits, and nothing is done.
fn ready(store_is_well: bool, meeting: &MeetingState) -> Response {
    if !store_is_well {
        return Problem::unavailable("store-away", "The store takes no writes now.").into_response();
    }
    if let Some((code, why)) = meeting.why_not_ready(false) {
        return Problem::unavailable(code, why).into_response();
    }
    let amiss: Vec<Value> =
        meeting.amiss().into_iter().map(|(code, why)| json!({ "code": code, "why": why })).collect();
    Json(json!({ "status": "ok", "amiss": amiss, "clock_ahead_ms": meeting.clock_ahead_ms })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_works_is_ready_with_its_store_and_its_queue_alone() {
        let status = |store, meeting| ready(store, &meeting).status().as_u16();
        let why = || Some("why".to_owned());
        assert_eq!(status(true, MeetingState::default()), 200);
        assert_eq!(status(false, MeetingState::default()), 503);
        assert_eq!(status(true, MeetingState { away: why(), ..MeetingState::default() }), 503);
        assert_eq!(status(true, MeetingState { lost: why(), ..MeetingState::default() }), 503);
        assert_eq!(status(true, MeetingState { forgets: why(), ..MeetingState::default() }), 200, "the work goes on");
    }
}
