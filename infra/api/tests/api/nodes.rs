use engine_http::axum::http::{Method, StatusCode};
use jobs::ports::{NodeCommand, ToBroker};
use records::nodes::{self, Node, Session, token_sha256};
use serde_json::{Value, json};

use crate::{answer::Answer, site::Site};

async fn register(site: &Site) {
    let node = |name: &str| Node {
        name: name.to_owned(),
        ip: Some("192.0.2.1".to_owned()),
        port: 9000,
        max_connections: 2000,
        token_sha256: None,
    };
    let with_token = Node { ip: None, token_sha256: Some(token_sha256("sesame")), ..node("by-token") };
    for node in [node("by-address"), with_token] {
        nodes::put(&*site.table, &node).await.unwrap();
    }
    let session = Session {
        node: "by-token".to_owned(),
        broker: "broker-1".to_owned(),
        connection: "connection-1".to_owned(),
        since: site.now(),
        ready: true,
    };
    nodes::open_session(&*site.table, &session).await.unwrap();
}

#[tokio::test]
async fn an_administrator_sees_how_the_nodes_stand_and_no_secret() {
    let site = Site::new().await;
    register(&site).await;
    let run_info = nodes::RunInfo { at: site.now(), info: json!({ "hostname": "vm" }), connections: 7 };
    nodes::put_run_info(&*site.table, "by-token", &run_info).await.unwrap();
    let list = site.seen_by("root", "/api/nodes").await;
    let expected = json!([
        {
            "name": "by-address", "ip": "192.0.2.1", "port": 9000, "max_connections": 2000,
            "known_by": "address", "session": null, "run_info": null,
        },
        {
            "name": "by-token", "ip": null, "port": 9000, "max_connections": 2000, "known_by": "token",
            "session": { "broker": "broker-1", "since": site.now().rfc3339(), "ready": true },
            "run_info": { "at": site.now().rfc3339(), "connections": 7, "info": { "hostname": "vm" } },
        },
    ]);
    assert_eq!(list["items"], expected);
    assert_eq!(site.seen_by("root", "/api/nodes/by-token").await, expected[1]);
}

#[tokio::test]
async fn nodes_are_paged_by_name() {
    let site = Site::new().await;
    register(&site).await;
    let first = site.seen_by("root", "/api/nodes?limit=1").await;
    let next = first["next"].as_str().unwrap();
    let second = site.seen_by("root", &format!("/api/nodes?after={next}")).await;
    assert_eq!((&first["items"][0]["name"], &second["items"][0]["name"]), (&json!("by-address"), &json!("by-token")));
}

async fn by_root(site: &Site, method: Method, path: &str, body: &Value) -> Answer {
    site.ask(method, path).by(&site.token("root")).json(body).send().await
}

/// The node that a token, as somebody was given it, leads to.
async fn behind(site: &Site, token: &Value) -> Option<String> {
    let sha256 = token_sha256(token.as_str().unwrap());
    nodes::by_token(&*site.table, &sha256).await.unwrap().map(|node| node.name)
}

/// Whether the broker was told to break the connections of the node with a session.
fn is_shed(site: &mut Site) -> bool {
    let told = site.inbox.try_recv().ok();
    told == Some(ToBroker::Command(NodeCommand::Shed { node: "by-token".to_owned() }))
}

#[tokio::test]
async fn a_new_node_gets_a_token_that_is_shown_once() {
    let site = Site::new().await;
    let created = by_root(&site, Method::POST, "/api/nodes", &json!({ "name": "hill" })).await;
    assert_eq!(
        (created.status, &created.headers["cache-control"]),
        (StatusCode::CREATED, &"no-store".parse().unwrap())
    );
    assert_eq!(created.body["node"]["port"], 9000);
    let token = &created.body["token"];
    assert_eq!(token.as_str().unwrap().len(), 43, "256 bits in base64");
    assert_eq!(behind(&site, token).await.as_deref(), Some("hill"));
    let shown = site.seen_by("root", "/api/nodes/hill").await;
    assert_eq!(shown, created.body["node"]);
    assert!(!shown.to_string().contains(token.as_str().unwrap()));

    let again = by_root(&site, Method::POST, "/api/nodes", &json!({ "name": "hill" })).await;
    assert_eq!(again.problem(409), "node-exists");
}

#[tokio::test]
async fn a_node_with_an_address_is_known_by_it_alone_and_alone_by_it() {
    let site = Site::new().await;
    let by_address = |name: &str, ip: &str| json!({ "name": name, "ip": ip });
    let created = by_root(&site, Method::POST, "/api/nodes", &by_address("hill", "::ffff:192.0.2.7")).await;
    assert_eq!(created.body["token"], Value::Null);
    let known = nodes::by_ip(&*site.table, "192.0.2.7").await.unwrap().unwrap();
    assert_eq!(known.name, "hill");
    let second = by_root(&site, Method::POST, "/api/nodes", &by_address("dale", "192.0.2.7")).await;
    assert_eq!(second.problem(409), "address-taken");
    assert_eq!(site.get("/api/nodes/dale").by(&site.token("root")).send().await.problem(404), "not-found");
}

#[tokio::test]
async fn a_new_token_replaces_the_old_one_and_the_node_must_come_again() {
    let mut site = Site::new().await;
    register(&site).await;
    let renewed = by_root(&site, Method::POST, "/api/nodes/by-token/token", &Value::Null).await.fine();
    assert_eq!(behind(&site, &renewed["token"]).await.as_deref(), Some("by-token"));
    assert_eq!(behind(&site, &json!("sesame")).await, None);
    assert!(is_shed(&mut site));

    let renewed = by_root(&site, Method::POST, "/api/nodes/by-address/token", &Value::Null).await.fine();
    assert_eq!(behind(&site, &renewed["token"]).await.as_deref(), Some("by-address"));
    assert_eq!(nodes::by_ip(&*site.table, "192.0.2.1").await.unwrap(), None);
}

#[tokio::test]
async fn a_node_is_changed_keeps_its_token_and_must_come_again() {
    let mut site = Site::new().await;
    register(&site).await;
    let form = json!({ "port": 9100, "max_connections": 10 });
    let changed = by_root(&site, Method::PUT, "/api/nodes/by-token", &form).await.fine();
    assert_eq!((&changed["port"], &changed["max_connections"]), (&json!(9100), &json!(10)));
    assert_eq!(behind(&site, &json!("sesame")).await.as_deref(), Some("by-token"));
    assert!(is_shed(&mut site));
    by_root(&site, Method::PUT, "/api/nodes/by-token", &form).await.fine();
    assert!(!is_shed(&mut site), "nothing changed");
    assert_eq!(by_root(&site, Method::PUT, "/api/nodes/by-address", &form).await.problem(400), "known-by-nothing");
}

#[tokio::test]
async fn what_is_no_node_is_refused() {
    let site = Site::new().await;
    for (body, code) in [
        (json!({ "name": " " }), "bad-name"),
        (json!({ "name": "refused" }), "bad-name"),
        (json!({ "name": "hill", "ip": "the office" }), "bad-address"),
        (json!({ "name": "hill", "port": 70_000 }), "bad-body"),
        (json!({ "name": "hill", "max_conections": 5 }), "bad-body"),
        (json!({}), "bad-body"),
    ] {
        assert_eq!(by_root(&site, Method::POST, "/api/nodes", &body).await.problem(400), code, "{body}");
    }
    assert_eq!(site.seen_by("root", "/api/nodes").await["items"], json!([]));
}

#[tokio::test]
async fn an_administrator_sees_who_was_turned_away_and_why() {
    let site = Site::new().await;
    let expected = json!([{
        "address": "192.0.2.9", "code": "unknown_token", "reason": "no node has this token",
        "at": "2023-11-14T22:13:20.000Z", "times": 2,
    }]);
    assert_eq!(site.seen_by("root", "/api/nodes/refused").await["items"], expected);
    assert_eq!(site.seen_by("root", "/api/counters").await, json!({ "queries_sent": 7 }));
}

#[tokio::test]
async fn nodes_are_for_administrators() {
    let site = Site::new().await;
    register(&site).await;
    for (method, path, body) in [
        (Method::GET, "/api/nodes", Value::Null),
        (Method::GET, "/api/nodes/by-token", Value::Null),
        (Method::POST, "/api/nodes", json!({ "name": "hers" })),
        (Method::PUT, "/api/nodes/by-token", json!({})),
        (Method::POST, "/api/nodes/by-token/token", Value::Null),
        (Method::GET, "/api/nodes/refused", Value::Null),
        (Method::GET, "/api/counters", Value::Null),
    ] {
        let asked = || site.ask(method.clone(), path).json(&body);
        assert_eq!(asked().send().await.problem(401), "not-signed-in", "{method} {path}");
        assert_eq!(asked().by(&site.token("ann")).send().await.problem(403), "admins-only", "{method} {path}");
    }
    assert_eq!(behind(&site, &json!("sesame")).await.as_deref(), Some("by-token"));
}
