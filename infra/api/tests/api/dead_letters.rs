use std::time::Duration;

use bytes::Bytes;
use engine_http::axum::http::{Method, StatusCode};
use jobs::ports::{Consume, Enqueue, Lane, Message, Settlement};
use serde_json::{Value, json};

use crate::site::Site;

const LETTERS: &str = "/api/jobs/fan_out/dead-letters";

/// A site whose queue holds a dead letter with this body, and one message that waits.
async fn with_dead_letter(body: &'static str) -> Site {
    let site = Site::new().await;
    let message = |key: &str, body: &'static str| Message {
        job: "fan_out".to_owned(),
        key: key.to_owned(),
        lane: Lane::Normal,
        not_before: None,
        max_attempts: 5,
        body: Bytes::from_static(body.as_bytes()),
    };
    site.queue.enqueue(vec![message("broken", body)]).await.unwrap();
    let leased = site.queue.claim("fan_out", 1, Duration::from_secs(1)).await.unwrap().remove(0);
    let dead = Settlement::Dead { ticket: leased.ticket, why: "no such alarm".to_owned() };
    site.queue.settle(vec![dead]).await.unwrap();
    site.queue.enqueue(vec![message("well", "{}")]).await.unwrap();
    site
}

#[tokio::test]
async fn an_administrator_sees_what_is_dead_and_why() {
    let site = with_dead_letter(r#"{"alarm":"01J"}"#).await;
    let letters = site.seen_by("root", LETTERS).await;
    let id = letters[0]["id"].clone();
    let expected = json!([{
        "id": id, "key": "broken", "body": { "alarm": "01J" }, "attempts": 1, "why": "no such alarm",
        "at": site.now().rfc3339(),
    }]);
    assert_eq!(letters, expected);
    let depths = site.seen_by("root", "/api/jobs").await;
    assert_eq!(depths.as_array().unwrap().len(), 7);
    let fan_out = depths.as_array().unwrap().iter().find(|depth| depth["job"] == "fan_out").unwrap();
    assert_eq!(*fan_out, json!({ "job": "fan_out", "waiting": 1, "running": 0, "dead": 1 }));
}

#[tokio::test]
async fn a_body_that_is_no_json_is_shown_as_it_is() {
    let site = with_dead_letter("nonsense").await;
    assert_eq!(site.seen_by("root", LETTERS).await[0]["body"], "nonsense");
}

#[tokio::test]
async fn a_dead_letter_that_is_redriven_waits_again() {
    let site = with_dead_letter("{}").await;
    let id = site.seen_by("root", LETTERS).await[0]["id"].as_str().unwrap().to_owned();
    let redrive = format!("{LETTERS}/{id}/redrive");
    let asked = || site.post(&redrive).by(&site.token("root")).send();
    assert_eq!(asked().await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.seen_by("root", LETTERS).await, json!([]));
    assert_eq!(site.queue.claim("fan_out", 9, Duration::from_secs(1)).await.unwrap().len(), 2);
    assert_eq!(asked().await.problem(404), "not-found");
}

#[tokio::test]
async fn a_dead_letter_that_is_discarded_is_gone() {
    let site = with_dead_letter("{}").await;
    let id = site.seen_by("root", LETTERS).await[0]["id"].as_str().unwrap().to_owned();
    let letter = format!("{LETTERS}/{id}");
    let asked = || site.ask(Method::DELETE, &letter).by(&site.token("root")).send();
    assert_eq!(asked().await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.seen_by("root", LETTERS).await, json!([]));
    assert_eq!(asked().await.problem(404), "not-found");
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let site = Site::new().await;
    for (method, path, status, code) in [
        (Method::GET, "/api/jobs/no_such_job/dead-letters", 404, "not-found"),
        (Method::POST, "/api/jobs/fan_out/dead-letters/none/redrive", 404, "not-found"),
        (Method::GET, "/api/jobs/fan_out/dead-letters?limit=0", 400, "bad-limit"),
    ] {
        let answer = site.ask(method, path).by(&site.token("root")).send().await;
        assert_eq!(answer.problem(status), code, "{path}");
    }
}

#[tokio::test]
async fn dead_letters_are_for_administrators() {
    let site = with_dead_letter("{}").await;
    let id = site.seen_by("root", LETTERS).await[0]["id"].as_str().unwrap().to_owned();
    for (method, path) in [
        (Method::GET, "/api/jobs".to_owned()),
        (Method::GET, LETTERS.to_owned()),
        (Method::POST, format!("{LETTERS}/{id}/redrive")),
        (Method::DELETE, format!("{LETTERS}/{id}")),
    ] {
        let asked = || site.ask(method.clone(), &path).json(&Value::Null);
        assert_eq!(asked().send().await.problem(401), "not-signed-in", "{path}");
        assert_eq!(asked().by(&site.token("ann")).send().await.problem(403), "admins-only", "{path}");
    }
    assert_eq!(site.seen_by("root", LETTERS).await.as_array().unwrap().len(), 1);
}
