use std::time::Duration;

use domain::{Source, frame::Proof};
use engine_http::axum::http::{Method, StatusCode};
use jobs::ports::{NodeCommand, Operation, Order, ToBroker};
use records::{
    brokers,
    nodes::{self, Node, Session},
    operations::{self, Ended},
    protocols,
};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    site::{HERS, OTHER, Site, mac},
};

/// Ann's terminal at a connected node; its sensor can be set, its UPS switched on.
async fn operable() -> Site {
    let site = Site::new().await;
    let table = &*site.table;
    for (name, line, instruction, result, operation) in [
        ("sensor protocol", 485, "0300000002", "hex", json!({ "name": "set", "value": "060001%i%i", "bl": "10" })),
        ("UPS protocol", 232, "QGS", "utf8", json!({ "name": "on", "value": "SON" })),
    ] {
        let instruct = json!([{ "name": instruction, "resultType": result }]);
        let protocol = json!({ "Type": line, "Protocol": name, "instruct": instruct });
        protocols::put(table, &serde_json::from_value(protocol).unwrap()).await.unwrap();
        let constants = json!({ "Protocol": name, "OprateInstruct": [operation] });
        protocols::put_constants(table, &serde_json::from_value(constants).unwrap()).await.unwrap();
    }
    let node = "node-1".to_owned();
    let registered = Node { name: node.clone(), ip: None, port: 9000, max_connections: 10, token_sha256: None };
    nodes::put(table, &registered).await.unwrap();
    let (broker, connection) = ("broker-1".to_owned(), "c1".to_owned());
    nodes::open_session(table, &Session { node, broker, connection, since: site.now(), ready: true }).await.unwrap();
    site
}

fn device(mac: &str, pid: u8) -> String {
    format!("/api/terminals/{mac}/devices/{pid}/operations")
}

async fn ask(site: &Site, user: &str, path: &str, body: &Value) -> Answer {
    site.post(path).by(&site.token(user)).json(body).send().await
}

/// The id of an operation that must have been begun.
async fn begun(site: &Site, user: &str, path: &str, body: &Value) -> String {
    let answer = ask(site, user, path, body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    answer.body["id"].as_str().unwrap().to_owned()
}

/// The operation that the broker was told to do.
fn told(site: &mut Site) -> Option<Operation> {
    match site.inbox.try_recv() {
        Ok(ToBroker::Command(NodeCommand::Operate(operation))) => Some(operation),
        _ => None,
    }
}

async fn listed(site: &Site) -> Value {
    site.seen_by("ann", &format!("/api/terminals/{HERS}/operations")).await["items"].clone()
}

#[tokio::test]
async fn a_device_is_set_to_a_value_and_the_log_says_what_came_of_it() {
    let mut site = operable().await;
    let id = begun(&site, "ann", &device(HERS, 1), &json!({ "name": "set", "value": 25.0 })).await;
    let order = Order::Device {
        mac: mac(HERS),
        pid: 1,
        line: 485,
        protocol: "sensor protocol".to_owned(),
        content: "0106000100fa5849".to_owned(),
        proof: Proof::Rtu,
    };
    let about = Source::Terminal(mac(HERS));
    let expected = Operation { id: id.clone(), about: about.clone(), node: "node-1".to_owned(), order, until: None };
    assert_eq!(Operation { until: None, ..told(&mut site).unwrap() }, expected);
    let mut entry = json!({
        "id": id, "kind": "device", "pid": 1, "what": "set", "value": 25.0, "by": "ann", "at": site.now().rfc3339(),
        "state": "waiting", "ended": null, "took_ms": null, "said": null, "reply": null,
    });
    assert_eq!(listed(&site).await, json!([entry]));

    let at = site.now().plus(Duration::from_millis(120));
    let ended = Ended { at, done: true, said: "confirmed".to_owned(), reply: Some("0106".to_owned()), supposed: false };
    operations::end(&*site.table, &about, &id, &ended).await.unwrap();
    for (name, value) in [
        ("state", json!("done")),
        ("ended", json!(at.rfc3339())),
        ("took_ms", json!(120)),
        ("said", json!("confirmed")),
        ("reply", json!("0106")),
    ] {
        entry[name] = value;
    }
    assert_eq!(listed(&site).await, json!([entry]));
}

#[tokio::test]
async fn a_device_of_a_text_line_is_sent_a_text() {
    let mut site = operable().await;
    begun(&site, "ann", &device(HERS, 2), &json!({ "name": "on" })).await;
    let Order::Device { line, content, proof, .. } = told(&mut site).unwrap().order else { panic!("a device's order") };
    assert_eq!((line, content.as_str(), proof), (232, "SON", Proof::Text));
}

#[tokio::test]
async fn an_operation_that_makes_no_sense_is_refused_and_nothing_is_sent() {
    let mut site = operable().await;
    for (pid, body, code) in [
        (1, json!({ "name": "explode" }), "unknown-operation"),
        (1, json!({ "name": "set" }), "bad-operation"),
        (1, json!({ "name": "set", "value": 1e9 }), "bad-operation"),
        (1, json!({ "name": "set", "value": 25.04 }), "bad-operation"),
        (2, json!({ "name": "on", "value": 1 }), "bad-operation"),
        (1, json!({ "name": "set", "value": "25" }), "bad-body"),
        (1, json!({ "nam": "set" }), "bad-body"),
    ] {
        assert_eq!(ask(&site, "ann", &device(HERS, pid), &body).await.problem(400), code, "{body}");
    }
    assert_eq!(ask(&site, "ann", &device(HERS, 9), &json!({ "name": "set" })).await.problem(404), "not-found");
    assert!(site.inbox.try_recv().is_err());
    assert_eq!(listed(&site).await, json!([]));
}

#[tokio::test]
async fn an_operation_of_a_node_that_is_away_has_failed_and_says_so() {
    let mut site = operable().await;
    nodes::close_session(&*site.table, "node-1", "broker-1", "c1").await.unwrap();
    begun(&site, "ann", &device(HERS, 2), &json!({ "name": "on" })).await;
    assert!(site.inbox.try_recv().is_err());
    let entry = &listed(&site).await[0];
    assert_eq!((&entry["state"], &entry["said"]), (&json!("failed"), &json!("node not connected")));
}

#[tokio::test]
async fn an_operation_of_a_broker_that_is_gone_has_failed_too() {
    let site = operable().await;
    let (node, connection) = ("node-1".to_owned(), "c1".to_owned());
    let gone = Session { node, broker: "broker-0".to_owned(), connection, since: site.now(), ready: true };
    nodes::open_session(&*site.table, &gone).await.unwrap();
    begun(&site, "ann", &device(HERS, 2), &json!({ "name": "on" })).await;
    assert_eq!(listed(&site).await[0]["state"], "failed");
}

#[tokio::test]
async fn an_operation_that_nobody_waits_for_any_more_is_lost() {
    let site = operable().await;
    begun(&site, "ann", &device(HERS, 2), &json!({ "name": "on" })).await;
    site.clock.advance(Duration::from_mins(11));
    assert_eq!(listed(&site).await[0]["state"], "lost");
}

#[tokio::test]
async fn an_operation_that_was_given_to_a_broker_that_died_is_lost_after_a_minute() {
    let site = operable().await;
    begun(&site, "ann", &device(HERS, 2), &json!({ "name": "on" })).await;
    site.clock.advance(Duration::from_mins(2));
    assert_eq!(listed(&site).await[0]["state"], "waiting", "a server that runs alone is in no list");
    nodes::close_session(&*site.table, "node-1", "broker-1", "c1").await.unwrap();
    assert_eq!(listed(&site).await[0]["state"], "lost", "be it the last one");
    brokers::begin(&*site.table, "another", None, site.now()).await.unwrap();
    assert_eq!(listed(&site).await[0]["state"], "lost");
    brokers::begin(&*site.table, "broker-1", None, site.now()).await.unwrap();
    assert_eq!(listed(&site).await[0]["state"], "waiting");
}

#[tokio::test]
async fn an_at_command_gets_its_prefix_from_us() {
    let mut site = operable().await;
    let at = format!("/api/terminals/{HERS}/at");
    begun(&site, "root", &at, &json!({ "command": "UART=1,9600,8,1,NONE,NFC" })).await;
    let order = Order::At { mac: mac(HERS), command: "+++AT+UART=1,9600,8,1,NONE,NFC".to_owned() };
    assert_eq!(told(&mut site).unwrap().order, order);
    let log = site.seen_by("root", &format!("/api/terminals/{HERS}/operations")).await;
    assert_eq!(log["items"][0]["what"], "UART=1,9600,8,1,NONE,NFC");
    let hers = &listed(&site).await[0];
    assert_eq!((&hers["kind"], &hers["what"]), (&json!("at"), &json!("at")), "what it says may be a secret");
    for command in ["", " ", "VER\r", "VER\n+++AT+Z", "+++AT+VER", "版本", " VER", &"A".repeat(201)] {
        let refused = ask(&site, "root", &at, &json!({ "command": command })).await;
        assert_eq!(refused.problem(400), "bad-command", "{command:?}");
    }
}

#[tokio::test]
async fn a_node_is_restarted_and_its_own_log_says_so() {
    let mut site = operable().await;
    let id = begun(&site, "root", "/api/nodes/node-1/restart", &Value::Null).await;
    let Operation { id: told_id, about, order, .. } = told(&mut site).unwrap();
    assert_eq!((told_id, about, order), (id.clone(), Source::Node("node-1".to_owned()), Order::Restart));
    let list = site.seen_by("root", "/api/nodes/node-1/operations").await;
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["kind"]), (&json!(id), &json!("restart")));
    assert_eq!(ask(&site, "root", "/api/nodes/nobody/restart", &Value::Null).await.problem(404), "not-found");
}

#[tokio::test]
async fn operations_are_paged_newest_first() {
    let site = operable().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        site.clock.advance(Duration::from_secs(1));
        ids.insert(0, begun(&site, "ann", &device(HERS, 2), &json!({ "name": "on" })).await);
    }
    let path = format!("/api/terminals/{HERS}/operations");
    let first = site.seen_by("ann", &format!("{path}?limit=2")).await;
    let next = first["next"].as_str().unwrap();
    let second = site.seen_by("ann", &format!("{path}?after={next}")).await;
    let of = |page: &Value| page["items"].as_array().unwrap().iter().map(|o| o["id"].clone()).collect::<Vec<_>>();
    assert_eq!([of(&first), of(&second)].concat(), ids);
    let of_another = site.get(&format!("/api/terminals/{OTHER}/operations?after={next}"));
    assert_eq!(of_another.by(&site.token("root")).send().await.problem(400), "bad-cursor");
}

#[tokio::test]
async fn who_may_not_operate_is_told_nothing_and_nothing_is_sent() {
    let mut site = operable().await;
    let (theirs, list) = (device(HERS, 2), format!("/api/terminals/{HERS}/operations"));
    let (at, restart) = (format!("/api/terminals/{HERS}/at"), "/api/nodes/node-1/restart");
    let body = json!({ "name": "on" });
    assert_eq!(ask(&site, "bob", &theirs, &body).await.problem(404), "not-found");
    assert_eq!(ask(&site, "ann", &device(OTHER, 2), &body).await.problem(404), "not-found");
    assert_eq!(site.get(&list).by(&site.token("bob")).send().await.problem(404), "not-found");
    assert_eq!(ask(&site, "ann", &at, &json!({ "command": "VER" })).await.problem(403), "admins-only");
    assert_eq!(ask(&site, "ann", restart, &Value::Null).await.problem(403), "admins-only");
    let log = "/api/nodes/node-1/operations";
    assert_eq!(site.get(log).by(&site.token("ann")).send().await.problem(403), "admins-only");
    for (method, path) in
        [(Method::POST, theirs.as_str()), (Method::GET, &list), (Method::POST, &at), (Method::POST, restart)]
    {
        let nobody = site.ask(method, path).json(&body).send().await;
        assert_eq!(nobody.problem(401), "not-signed-in", "{path}");
    }
    assert!(site.inbox.try_recv().is_err());
    assert_eq!(listed(&site).await, json!([]));
}
