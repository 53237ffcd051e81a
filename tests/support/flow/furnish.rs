//! What is there when a flow begins.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that cannot go on fails")]

use domain::Timestamp;
use jobs::ports::Table;
use records::{
    locale::Locale,
    nodes, protocols,
    terminals::{self, Device, Terminal},
    users::{self, Role, User, Webhook},
};

use super::{constants_protocol, mac};

/// Stores a node, ready, with a terminal and a climate sensor at pid 1, and a technician who gets mail and a webhook.
pub async fn furnish(table: &dyn Table, now: Timestamp) {
    let fixture = |text: &str| serde_json::from_str(text).unwrap();
    protocols::put(table, &fixture(include_str!("../../fixtures/th-modbus.protocol.json"))).await.unwrap();
    let constants = serde_json::from_str(include_str!("../../fixtures/th-modbus.constants.json")).unwrap();
    protocols::put_constants(table, &constants).await.unwrap();
    let node = nodes::Node {
        name: "n1".to_owned(),
        ip: None,
        port: 9000,
        max_connections: 10,
        token_sha256: Some(nodes::token_sha256("t")),
    };
    nodes::put(table, &node).await.unwrap();
    let protocol = constants_protocol();
    let sensor = Device { pid: 1, model: "TH-10".to_owned(), kind: "th".to_owned(), protocol, min_interval_ms: 0 };
    let terminal = Terminal {
        mac: mac(),
        name: "Cold store".to_owned(),
        node: "n1".to_owned(),
        devices: vec![sensor],
        iccid: None,
        data_plan: None,
        info: std::collections::BTreeMap::new(),
    };
    terminals::put(table, &terminal).await.unwrap();
    let technician = User {
        user: "tech".to_owned(),
        name: "Technician".to_owned(),
        password_hash: String::new(),
        role: Role::User,
        mail: Some("tech@example.org".to_owned()),
        phone: None,
        wechat: None,
        webhook: Some(Webhook { url: "https://example.org/hook".to_owned(), secret: "whsec_AAAA".to_owned() }),
        locale: Locale::default(),
    };
    users::put(table, &technician).await.unwrap();
    users::bind(table, "tech", &mac()).await.unwrap();
    is_held(table, "c1", now).await;
}

/// A broker holds the node, on that connection since then.
pub async fn is_held(table: &dyn Table, connection: &str, since: Timestamp) {
    let (node, broker, connection) = ("n1".to_owned(), "b1".to_owned(), connection.to_owned());
    let session = nodes::Session { node, broker, connection, since, ready: true };
    nodes::open_session(table, &session).await.unwrap();
}
