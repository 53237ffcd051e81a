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
use jobs::ports::{MeetingPoint, MeetingState, SpoolState, Spooling};
use serde_json::{Value, json};

use crate::{Looks, STORE, node::KNOWN_FOR};

/// `/health` says that it lives; `/health/ready` whether a gateway that comes now is let in, and what it says reaches the queue.
/// While that is spooled the broker is ready and says so; once the spool is nearly full it is not, and a balancer may give
/// gateways to another. Nor is it with a clock that is wrong, nor with one that has failed, nor once the store has been away for longer than gateways are known without asking it.
/// What else is wrong is said beside it: each with a code, and with what to do.
pub(crate) fn health(
    spool: Option<Arc<dyn Spooling>>,
    meeting: Option<Arc<dyn MeetingPoint>>,
    looks: Arc<Looks>,
) -> Router {
    let ready = move || {
        let state = spool.as_ref().map(|spool| spool.state()).unwrap_or_default();
        let meeting = meeting.as_ref().map(|meeting| meeting.state()).unwrap_or_default();
        let store_away = looks.away_for(STORE, KNOWN_FOR);
        async move { ready(state, &meeting, store_away) }
    };
    Router::new().route("/health", get(async || "ok")).route("/health/ready", get(ready))
}

fn ready(spool: SpoolState, meeting: &MeetingState, store_away: Option<String>) -> Response {
    if let Some((code, why)) = spool.why_not_ready() {
        return Problem::unavailable(code, why).into_response();
    }
    if let Some(why) = store_away {
        let detail = format!("The store is away, and gateways that are not known yet are not let in: {why}.");
        return Problem::unavailable("store-away", detail).into_response();
    }
    if let Some((code, why)) = meeting.why_not_ready(true) {
        return Problem::unavailable(code, why).into_response();
    }
    let status = if spool.messages > 0 { "spooling" } else { "ok" };
    let amiss: Vec<Value> =
        meeting.amiss().into_iter().map(|(code, why)| json!({ "code": code, "why": why })).collect();
    Json(json!({ "status": status, "spool": spool, "amiss": amiss, "clock_ahead_ms": meeting.clock_ahead_ms }))
        .into_response()
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[test]
    fn a_broker_is_ready_until_its_spool_is_nearly_full() {
        let holds = |bytes| SpoolState { messages: 1, bytes, most_bytes: 1000, ..SpoolState::default() };
        let status = |state| ready(state, &MeetingState::default(), None).status().as_u16();
        assert_eq!([0, 900, 901, 1000].map(|bytes| status(holds(bytes))), [200, 200, 503, 503]);
        assert_eq!(status(SpoolState { disk_refuses: true, ..holds(0) }), 503, "there is no room on its disk");
        assert_eq!(status(SpoolState { has_failed: true, ..holds(0) }), 503, "its disk is broken");
        assert_eq!(
            ready(SpoolState::default(), &MeetingState::default(), None).status(),
            200,
            "a broker without a spool is ready"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_is_ready_without_its_store_for_as_long_as_gateways_are_known_without_asking() {
        let looks = Looks::default();
        let ready = || {
            ready(SpoolState::default(), &MeetingState::default(), looks.away_for(STORE, KNOWN_FOR)).status().as_u16()
        };
        assert_eq!(ready(), 200);
        looks.saw(STORE, Some("refused".to_owned()));
        advance(KNOWN_FOR / 2).await;
        looks.saw(STORE, Some("it hangs".to_owned()));
        assert_eq!(ready(), 200);
        advance(KNOWN_FOR / 2).await;
        assert_eq!(ready(), 503);
        looks.saw(STORE, None);
        assert_eq!(ready(), 200);
        looks.saw(STORE, Some("refused".to_owned()));
        assert_eq!(ready(), 200, "it is away anew");
    }
}
