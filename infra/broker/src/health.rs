//! Whether a broker without an API is well.

use std::sync::Arc;

use engine_http::{
    Problem,
    axum::{
        Json, Router,
        response::{IntoResponse, Response},
        routing::get,
    },
};
use jobs::ports::{SpoolState, Spooling};
use serde_json::json;

/// Of a spool that has so many hundredths of what it may have, the rest is soon gone.
const NEARLY_FULL: u64 = 90;

/// `/health` says that it lives; `/health/ready` whether what gateways say reaches the queue. While it is spooled the broker
/// is ready and says so; once the spool is nearly full it is not, and a balancer may give gateways to another.
pub fn health(spool: Option<Arc<dyn Spooling>>) -> Router {
    let ready = move || {
        let state = spool.as_ref().map(|spool| spool.state()).unwrap_or_default();
        async move { ready(state) }
    };
    Router::new().route("/health", get(async || "ok")).route("/health/ready", get(ready))
}

fn ready(spool: SpoolState) -> Response {
    if spool.bytes > spool.most_bytes / 100 * NEARLY_FULL {
        let problem =
            Problem::unavailable("spool-full", "The queue is away, and there is little room left to wait for it.");
        return problem.into_response();
    }
    let status = if spool.messages > 0 { "spooling" } else { "ok" };
    Json(json!({ "status": status, "spool": spool })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_ready_until_its_spool_is_nearly_full() {
        let status = |bytes| ready(SpoolState { messages: 1, bytes, most_bytes: 1000 }).status().as_u16();
        assert_eq!([status(0), status(900), status(901), status(1000)], [200, 200, 503, 503]);
        assert_eq!(ready(SpoolState::default()).status(), 200, "a broker without a spool is ready");
    }
}
