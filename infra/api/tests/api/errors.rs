use std::sync::Arc;

use engine_http::axum::http::{Method, header};
use serde_json::json;

use crate::{
    site::{HERS, OTHER, Site},
    tables::Away,
};

const ALARM: &str = "01J00000000000000000000000";

fn guarded() -> Vec<(Method, String)> {
    let device = format!("/api/terminals/{HERS}/devices/1");
    vec![
        (Method::GET, "/api/terminals".to_owned()),
        (Method::GET, format!("/api/terminals/{HERS}")),
        (Method::GET, format!("{device}/latest")),
        (Method::GET, format!("{device}/history")),
        (Method::GET, "/api/alarms".to_owned()),
        (Method::GET, format!("/api/alarms/{ALARM}")),
        (Method::POST, format!("/api/alarms/{ALARM}/acknowledge")),
        (Method::GET, "/api/notices".to_owned()),
        (Method::GET, "/api/nodes".to_owned()),
    ]
}

#[tokio::test]
async fn a_stranger_is_asked_to_sign_in_first() {
    let site = Site::new().await;
    for (method, path) in guarded() {
        assert_eq!(site.ask(method, &path).send().await.problem(401), "not-signed-in", "{path}");
    }
}

#[tokio::test]
async fn a_terminal_of_somebody_else_is_as_unknown_as_one_that_is_not_there() {
    let site = Site::new().await;
    for rest in ["", "/devices/1/latest", "/devices/1/history"] {
        let mut answers = Vec::new();
        for mac in [OTHER, "FFFFFFFFFFFF", "not-a-mac"] {
            let answer = site.get(&format!("/api/terminals/{mac}{rest}")).by(&site.token("ann")).send().await;
            answers.push(answer.body.clone());
            assert_eq!(answer.problem(404), "not-found", "{mac}{rest}");
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    }
}

#[tokio::test]
async fn an_unknown_address_and_a_method_that_is_not_taken_are_problems() {
    let site = Site::new().await;
    for path in ["/", "/api", "/api/nothing", "/api/docs/nothing.js"] {
        assert_eq!(site.get(path).send().await.problem(404), "not-found", "{path}");
    }
    let answer = site.ask(Method::DELETE, "/api/terminals").send().await;
    assert!(answer.headers[header::ALLOW].to_str().unwrap().contains("GET"));
    assert_eq!(answer.problem(405), "method-not-allowed");
}

#[tokio::test]
async fn a_bad_body_is_a_problem() {
    let site = Site::new().await;
    let login = || site.post("/api/auth/login");
    let json = "application/json";
    assert_eq!(login().text("{").header("content-type", json).send().await.problem(400), "bad-body");
    assert_eq!(login().json(&json!({ "user": "ann" })).send().await.problem(400), "bad-body");
    assert_eq!(login().text("user=ann").send().await.problem(415), "not-json");
    let large = json!({ "user": "ann", "password": "x".repeat(256 * 1024) });
    assert_eq!(login().json(&large).send().await.problem(413), "body-too-large");
}

#[tokio::test]
async fn a_bad_query_string_is_a_problem() {
    let site = Site::new().await;
    let history = format!("/api/terminals/{HERS}/devices/1/history");
    let cases = [
        ("/api/terminals?limit=0".to_owned(), "bad-limit"),
        ("/api/terminals?limit=201".to_owned(), "bad-limit"),
        ("/api/terminals?limit=many".to_owned(), "bad-query"),
        ("/api/terminals?limit=-1".to_owned(), "bad-query"),
        ("/api/terminals?after=AABBCCDDEE01".to_owned(), "bad-cursor"),
        ("/api/alarms?after=".to_owned(), "bad-cursor"),
        ("/api/alarms?state=open".to_owned(), "bad-query"),
        ("/api/alarms?terminal=1".to_owned(), "bad-query"),
        ("/api/notices?limit=201".to_owned(), "bad-limit"),
        (format!("{history}?from=yesterday"), "bad-time"),
        (format!("{history}?from=2000&to=1000"), "bad-time"),
        (format!("/api/terminals/{HERS}/devices/300/latest"), "bad-path"),
    ];
    for (path, code) in cases {
        assert_eq!(site.get(&path).by(&site.token("ann")).send().await.problem(400), code, "{path}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_callers_business() {
    let site = Site::new().await;
    let token = site.token("ann");
    let site = site.over_another(|_| Arc::new(Away));
    let answer = site.get("/api/terminals").by(&token).send().await;
    assert!(!answer.body.to_string().contains("10.1.2.3"));
    assert_eq!(answer.problem(503), "store-away");
}
