//! Rules of what devices hang on, and rules in the place of common ones.

use std::time::Duration;

use domain::Timestamp;
use engine_http::axum::http::{Method, StatusCode};
use records::{
    alert_rules,
    nodes::{self, Node},
};
use serde_json::{Value, json};

use super::{IMPORT, PATH, ask, everybodys, made, path_of, with};
use crate::site::{HERS, OTHER, Site};

const NODES: [&str; 2] = ["hill", "dale"];

/// The site, and a node that nothing hangs on.
async fn with_nodes() -> (Site, String) {
    let site = Site::new().await;
    let hers = records::terminals::get(&*site.table, &HERS.parse().unwrap()).await.unwrap().unwrap();
    for (place, name) in [hers.node.as_str(), NODES[1]].into_iter().enumerate() {
        let ip = Some(format!("10.0.0.{place}"));
        let node = Node { name: name.to_owned(), ip, port: 9000, max_connections: 10, token_sha256: None };
        nodes::put(&*site.table, &node).await.unwrap();
    }
    (site, hers.node)
}

fn lost(target: &str) -> Value {
    json!({ "name": "Lost", "target": target, "scope": { "kind": "everywhere" }, "severity": "warning",
        "condition": { "kind": "lost" }, "on_delay_ms": 5000 })
}

async fn refused(site: &Site, user: &str, rule: &Value) -> String {
    let answer = ask(site, user, Method::POST, PATH, rule).await;
    let error = answer.body["errors"][0].as_str().unwrap_or_default().to_owned();
    assert_eq!(answer.problem(400), "bad-rule");
    error
}

#[tokio::test]
async fn a_rule_says_what_it_watches_and_is_exchanged_with_it() {
    let (site, hill) = with_nodes().await;
    let terminal = with(&lost("terminal"), "replaces", json!("offline"));
    let rule = made(&site, "ann", &terminal).await;
    assert_eq!((&rule["target"], &rule["replaces"]), (&json!("terminal"), &json!("offline")));
    let node = with(&lost("node"), "scope", json!({ "kind": "node", "node": hill }));
    let node = made(&site, "root", &everybodys(&node)).await;
    let part = json!({ "kind": "part", "part": "broker:8081" });
    let away = with(&with(&lost("platform"), "scope", part), "condition", json!({ "kind": "away" }));
    made(&site, "root", &away).await;
    let exported = site.seen_by("root", &format!("{PATH}/export")).await;
    assert_eq!(exported["items"].as_array().unwrap().len(), 2, "{exported}");
    let taken = ask(&site, "root", Method::POST, IMPORT, &exported).await.fine();
    assert!(taken["items"].as_array().unwrap().iter().all(|item| item["change"] == "unchanged"), "{taken}");
    assert_eq!(site.seen_by("ann", &path_of(&node)).await["target"], "node", "her terminal hangs on it");
    assert_eq!(ask(&site, "bob", Method::GET, &path_of(&node), &Value::Null).await.problem(404), "not-found");
}

#[tokio::test]
async fn what_can_never_be_said_of_a_target_is_refused_with_its_place() {
    let (site, _) = with_nodes().await;
    let inside = |kind: &str| {
        json!({ "kind": "any", "of": [{ "kind": "compare", "name": "x", "is": ">", "to": 1 },
        { "kind": "not", "of": { "kind": kind, "more_than": 1, "after_ms": 1000 } }] })
    };
    for (target, kind, place) in [
        ("device", "lost", "condition.of[1].of: "),
        ("device", "away", "condition.of[1].of: "),
        ("terminal", "away", "condition.of[1].of: "),
        ("terminal", "missed", "condition.of[1].of: "),
        ("terminal", "no_data", "condition.of[1].of: "),
        ("node", "missed", "condition.of[1].of: "),
        ("platform", "lost", "condition.of[1].of: "),
    ] {
        let mut condition = inside(kind);
        let part = condition["of"][1]["of"].as_object_mut().unwrap();
        part.retain(|member, _| match member.as_str() {
            "more_than" => kind == "missed",
            "after_ms" => kind == "no_data",
            _ => true,
        });
        let error = refused(&site, "root", &with(&lost(target), "condition", condition)).await;
        assert!(error.starts_with(place), "{target} {kind}: {error}");
    }
    for (rule, place) in [
        (with(&lost("terminal"), "scope", json!({ "kind": "device", "mac": HERS, "pid": 1 })), "scope: "),
        (with(&lost("node"), "scope", json!({ "kind": "terminal", "mac": HERS })), "scope: "),
        (with(&lost("node"), "scope", json!({ "kind": "node", "node": "nowhere" })), "scope.node: "),
        (with(&lost("terminal"), "off_delay_ms", json!(1000)), "off_delay_ms: "),
        (with(&lost("terminal"), "replaces", json!("timeout")), "replaces: "),
        (with(&lost("terminal"), "replaces", json!("threshold:temperature")), "replaces: "),
        (with(&lost("node"), "replaces", json!("rule:01JZZZZZZZZZZZZZZZZZZZZZZ1")), "replaces: "),
    ] {
        let error = refused(&site, "root", &rule).await;
        assert!(error.starts_with(place), "{place}: {error}");
    }
    let unheard_of = with(&lost("node"), "target", json!("satellite"));
    assert!(ask(&site, "root", Method::POST, PATH, &unheard_of).await.status.is_client_error());
}

#[tokio::test]
async fn nodes_and_the_platform_are_watched_by_administrators_and_terminals_by_those_who_see_them() {
    let (site, hill) = with_nodes().await;
    for target in ["node", "platform"] {
        let condition = json!({ "kind": if target == "node" { "lost" } else { "away" } });
        let error = refused(&site, "ann", &with(&lost(target), "condition", condition)).await;
        assert!(error.starts_with("target: "), "{error}");
    }
    let of = |mac: &str| with(&lost("terminal"), "scope", json!({ "kind": "terminal", "mac": mac }));
    assert!(refused(&site, "ann", &of(OTHER)).await.starts_with("scope.mac: "));
    let on = |node: &str| with(&lost("terminal"), "scope", json!({ "kind": "node", "node": node }));
    assert!(refused(&site, "ann", &on(NODES[1])).await.starts_with("scope.node: "), "nothing of hers is there");
    assert!(refused(&site, "bob", &on(&hill)).await.starts_with("scope.node: "));
    made(&site, "ann", &of(HERS)).await;
    made(&site, "ann", &on(&hill)).await;
}

#[tokio::test]
async fn an_own_rule_may_stand_in_for_one_of_everybodys_and_everybodys_for_built_in_ones_alone() {
    let (site, _) = with_nodes().await;
    let common = made(&site, "root", &everybodys(&lost("terminal"))).await;
    let id = json!(format!("rule:{}", common["id"].as_str().unwrap()));
    let instead = with(&lost("terminal"), "replaces", id.clone());
    made(&site, "ann", &instead).await;
    assert!(refused(&site, "root", &everybodys(&instead)).await.starts_with("replaces: "));
    assert!(refused(&site, "root", &with(&lost("node"), "replaces", id)).await.starts_with("replaces: "));
    made(&site, "root", &everybodys(&with(&lost("terminal"), "replaces", json!("offline")))).await;
    let own = made(&site, "ann", &lost("terminal")).await;
    let of_hers = json!(format!("rule:{}", own["id"].as_str().unwrap()));
    assert!(refused(&site, "bob", &with(&lost("terminal"), "replaces", of_hers)).await.starts_with("replaces: "));
}

#[tokio::test]
async fn a_rule_stands_in_since_it_first_did_so_for_these_sources() {
    let (site, _) = with_nodes().await;
    let since = async |id: &Value| {
        let stored = alert_rules::get(&*site.table, "ann", id.as_str().unwrap()).await.unwrap().unwrap();
        stored.replaces.map(|replaced| replaced.since)
    };
    let began = |minutes: u64| Some(Timestamp(1_780_000_000_000).plus(Duration::from_secs(60 * minutes)));
    let instead = with(&lost("terminal"), "replaces", json!("offline"));
    let rule = made(&site, "ann", &instead).await;
    let later = with(&instead, "on_delay_ms", json!(9000));
    let of_one = with(&later, "scope", json!({ "kind": "terminal", "mac": HERS }));
    let tried = with(&of_one, "shadow", json!(true));
    for (version, (body, expected)) in
        [(&later, began(0)), (&of_one, began(2)), (&tried, began(2)), (&of_one, began(4))].into_iter().enumerate()
    {
        site.clock.advance(Duration::from_mins(1));
        let body = with(body, "version", json!(version + 1));
        let put = ask(&site, "ann", Method::PUT, &path_of(&rule), &body).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.body);
        assert_eq!(since(&rule["id"]).await, expected, "version {version}");
    }
}

#[tokio::test]
async fn what_a_target_has_is_listed_and_another_name_is_taken_with_a_warning() {
    let (site, _) = with_nodes().await;
    let all = site.seen_by("bob", "/api/alerts/metrics").await;
    let targets: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|item| &item["target"]).collect();
    assert_eq!(targets, ["device", "terminal", "node", "platform"]);
    let terminal = site.seen_by("ann", "/api/alerts/metrics?target=terminal").await;
    assert_eq!(terminal["items"].as_array().unwrap().len(), 1);
    assert!(terminal["items"][0]["rules"].as_array().unwrap().contains(&json!("sim_expiry")));
    for metric in terminal["items"][0]["metrics"].as_array().unwrap() {
        assert!(!metric["meaning"].as_str().unwrap().is_empty());
        let condition = json!({ "kind": "compare", "name": metric["name"], "is": "<", "to": 1 });
        let rule = made(&site, "ann", &with(&lost("terminal"), "condition", condition)).await;
        assert_eq!(rule["warnings"], Value::Null, "{metric}");
    }
    let condition = json!({ "kind": "compare", "name": "temperature", "is": "<", "to": 1 });
    let rule = made(&site, "ann", &with(&lost("terminal"), "condition", condition)).await;
    assert_eq!(rule["warnings"], json!(["\"temperature\" watches nothing: the target has no such value"]));
    assert_eq!(site.get("/api/alerts/metrics").send().await.problem(401), "not-signed-in");
    assert!(site.get("/api/alerts/metrics?target=x").by(&site.token("ann")).send().await.status.is_client_error());
}
