use records::nodes::{self, Node, Session, token_sha256};
use serde_json::json;

use crate::site::Site;

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
    let list = site.seen_by("root", "/api/nodes").await;
    let expected = json!([
        {
            "name": "by-address", "ip": "192.0.2.1", "port": 9000, "max_connections": 2000,
            "known_by": "address", "session": null,
        },
        {
            "name": "by-token", "ip": null, "port": 9000, "max_connections": 2000, "known_by": "token",
            "session": { "broker": "broker-1", "since": site.now().rfc3339(), "ready": true },
        },
    ]);
    assert_eq!(list["items"], expected);
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

#[tokio::test]
async fn nodes_are_for_administrators() {
    let site = Site::new().await;
    assert_eq!(site.get("/api/nodes").by(&site.token("ann")).send().await.problem(403), "admins-only");
}
