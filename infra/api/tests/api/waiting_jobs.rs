//! Jobs that wait: who may see them, and what becomes of one that is cancelled.

use bytes::Bytes;
use engine_http::axum::http::{Method, StatusCode};
use jobs::ports::{Enqueue, Lane, Message};
use serde_json::json;

use crate::site::Site;

const WAITING: &str = "/api/jobs/fan_out/waiting";

async fn with_two_that_wait() -> Site {
    let site = Site::new().await;
    let message = |key: &str| Message {
        job: "fan_out".to_owned(),
        key: key.to_owned(),
        lane: Lane::Normal,
        not_before: None,
        max_attempts: 5,
        body: Bytes::from_static(br#"{"alarm":"01J"}"#),
    };
    site.queue.enqueue(vec![message("first"), message("a/b")]).await.unwrap();
    site
}

#[tokio::test]
async fn an_administrator_sees_what_waits_and_cancels_it() {
    let site = with_two_that_wait().await;
    let due = site.now().rfc3339();
    let shown = |key: &str| json!({ "key": key, "body": { "alarm": "01J" }, "due": due, "attempts": 0 });
    assert_eq!(site.seen_by("root", WAITING).await, json!([shown("first"), shown("a/b")]));
    assert_eq!(site.seen_by("root", &format!("{WAITING}?limit=1")).await, json!([shown("first")]));

    let cancel = || site.ask(Method::DELETE, "/api/jobs/fan_out/waiting/a%2Fb").by(&site.token("root")).send();
    assert_eq!(cancel().await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.seen_by("root", WAITING).await, json!([shown("first")]));
    assert_eq!(cancel().await.problem(404), "not-found");
}

#[tokio::test]
async fn what_waits_is_for_administrators() {
    let site = with_two_that_wait().await;
    for (method, path) in [(Method::GET, WAITING), (Method::DELETE, "/api/jobs/fan_out/waiting/first")] {
        assert_eq!(site.ask(method.clone(), path).send().await.problem(401), "not-signed-in");
        assert_eq!(site.ask(method, path).by(&site.token("ann")).send().await.problem(403), "admins-only");
    }
    assert_eq!(site.seen_by("root", WAITING).await.as_array().unwrap().len(), 2);
}
