use std::sync::Arc;

use jobs::ports::{MeetingState, SpoolState};
use serde_json::json;

use crate::{
    site::Site,
    tables::{Away, Full},
};

#[tokio::test]
async fn a_server_that_is_well_says_so_to_everybody() {
    let site = Site::new().await;
    for path in ["/health", "/health/ready"] {
        let body = site.get(path).send().await.fine();
        assert_eq!(body["status"], "ok");
        assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    }
}

#[tokio::test]
async fn a_server_whose_store_takes_no_writes_is_not_ready() {
    let site = Site::new().await.over_another(|table| Arc::new(Full(table)));
    assert_eq!(site.get("/health/ready").send().await.problem(503), "store-away");
}

#[tokio::test]
async fn a_server_whose_store_is_away_is_alive_but_not_ready() {
    let site = Site::new().await.over_another(|_| Arc::new(Away));
    site.get("/health").send().await.fine();
    assert_eq!(site.get("/health/ready").send().await.problem(503), "store-away");
}

#[tokio::test]
async fn a_server_that_spools_says_so_and_is_not_ready_once_there_is_little_room() {
    let spool = |bytes| SpoolState { messages: 1, bytes, most_bytes: 1000, ..SpoolState::default() };
    let site = Site::new().await.with_spool(spool(900));
    let body = site.get("/health/ready").send().await.fine();
    assert_eq!(body["status"], "spooling");
    assert_eq!(
        body["spool"],
        json!({ "messages": 1, "bytes": 900, "most_bytes": 1000, "disk_is_full": false, "set_aside": 0 })
    );
    let site = site.with_spool(spool(901));
    assert_eq!(site.get("/health/ready").send().await.problem(503), "spool-full");
    let body = site.with_spool(SpoolState::default()).get("/health/ready").send().await.fine();
    assert_eq!(body["status"], "ok");
}

#[tokio::test]
async fn a_server_without_its_queue_or_with_a_wrong_clock_is_not_ready_and_says_why() {
    let well = MeetingState { clock_ahead_ms: Some(-40), ..MeetingState::default() };
    let why = || Some("redis hangs".to_owned());
    let mut site = Site::new().await;
    for (state, code) in [
        (MeetingState { away: why(), ..well.clone() }, "queue-away"),
        (MeetingState { lost: why(), ..well.clone() }, "queue-lost"),
        (MeetingState { clock_ahead_ms: Some(3_600_000), ..well.clone() }, "clock-apart"),
    ] {
        site = site.that_meets(state);
        site.get("/health").send().await.fine();
        assert_eq!(site.get("/health/ready").send().await.problem(503), code);
    }
    let site = site.that_meets(MeetingState { forgets: why(), ..well });
    let body = site.get("/health/ready").send().await.fine();
    assert_eq!(body["amiss"], json!([{ "code": "queue-forgets", "why": "redis hangs" }]));
    assert_eq!((&body["status"], &body["clock_ahead_ms"]), (&json!("ok"), &json!(-40)));
}
