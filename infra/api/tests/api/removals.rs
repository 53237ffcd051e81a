use domain::{
    Source,
    alarm::{Active, ConditionState, Severity},
};
use engine_http::axum::http::{Method, StatusCode};
use jobs::ports::{NodeCommand, Push, ToBroker};
use records::{
    Table, Versioned,
    alarms::{self, Alarm, AlarmLife, Watch, Which},
    nodes::{self, Node, Session},
    terminals, users,
};
use serde_json::Value;

use crate::{
    answer::Answer,
    site::{HERS, OTHER, Site, mac},
};

async fn delete(site: &Site, path: &str) -> Answer {
    site.ask(Method::DELETE, path).by(&site.token("root")).send().await
}

/// A source with an alarm that is active, and a timer.
async fn alarmed(site: &Site, source: &Source) {
    let id = domain::identity::derived_id(site.now(), &[&source.to_string()]);
    let (rule, severity, since) = ("offline".to_owned(), Severity::Critical, site.now());
    let alarm = Alarm {
        id: id.clone(),
        source: source.clone(),
        rule: rule.clone(),
        severity,
        detail: "link lost".to_owned(),
        raised_at: since,
        cleared_at: None,
        cleared_by: None,
        acknowledged: None,
        severities: Vec::new(),
        shadow: false,
        life: AlarmLife::default(),
    };
    let mut watch = Watch { timer: Some(since), ..Watch::default() };
    watch.state.conditions.insert(rule, ConditionState::Active(Box::new(Active::new(id, since, severity))));
    let mut writes = alarms::put(&Versioned { value: alarm, version: 0 }).unwrap();
    writes.extend(alarms::put_watch(source, &Versioned { value: watch, version: 0 }, None).unwrap());
    assert!(site.table.transact(writes).await.unwrap().applied());
}

/// How each alarm that ever was ended.
async fn ends(site: &Site) -> Vec<Option<String>> {
    let all = alarms::list(&*site.table, Which::All, 100, None).await.unwrap().items;
    all.into_iter().map(|alarm| alarm.cleared_by).collect()
}

async fn node(site: &Site, name: &str) {
    let node = Node {
        name: name.to_owned(),
        ip: Some("192.0.2.9".to_owned()),
        port: 9000,
        max_connections: 1,
        token_sha256: None,
    };
    nodes::put(&*site.table, &node).await.unwrap();
}

#[tokio::test]
async fn a_deleted_terminal_leaves_nothing_hanging() {
    let mut site = Site::new().await;
    let terminal = terminals::get(&*site.table, &mac(HERS)).await.unwrap().unwrap();
    let device = Source::Device(terminal.device_id(1));
    alarmed(&site, &Source::Terminal(mac(HERS))).await;
    alarmed(&site, &device).await;
    assert_eq!(delete(&site, &format!("/api/terminals/{HERS}")).await.status, StatusCode::NO_CONTENT);

    assert_eq!(ends(&site).await, [Some("removed".to_owned()), Some("removed".to_owned())]);
    let table = &*site.table;
    assert_eq!(alarms::list(table, Which::Active, 10, None).await.unwrap().items, []);
    assert_eq!(alarms::due(table, site.now(), 10).await.unwrap(), []);
    assert_eq!(alarms::watch(table, &device).await.unwrap().version, 0);
    assert_eq!(users::terminals(table, "ann").await.unwrap(), []);
    assert_eq!(users::of_terminal(table, &mac(HERS)).await.unwrap(), Vec::<String>::new());
    assert_eq!(terminals::of_node(table, "node-1").await.unwrap(), [mac(OTHER)]);
    assert_eq!(site.seen_by("root", "/api/terminals").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(delete(&site, &format!("/api/terminals/{HERS}")).await.problem(404), "not-found");
    let Ok(ToBroker::Publish { pushes, .. }) = site.inbox.try_recv() else { panic!("browsers are told") };
    assert!(matches!(&pushes[..], [Push { event, .. }] if *event == format!("MacUpdate{HERS}")));
}

#[tokio::test]
async fn a_device_that_is_taken_from_its_terminal_takes_its_alarms_along() {
    let site = Site::new().await;
    node(&site, "hill").await;
    let terminal = terminals::get(&*site.table, &mac(HERS)).await.unwrap().unwrap();
    alarmed(&site, &Source::Device(terminal.device_id(2))).await;
    let form = serde_json::json!({ "name": "Cold store", "node": "hill", "devices": [] });
    let path = format!("/api/terminals/{HERS}");
    site.ask(Method::PUT, &path).by(&site.token("root")).json(&form).send().await.fine();
    assert_eq!(ends(&site).await, [Some("removed".to_owned())]);
}

#[tokio::test]
async fn a_node_with_terminals_stays_and_it_is_said_how_many() {
    let site = Site::new().await;
    node(&site, "node-1").await;
    let refused = delete(&site, "/api/nodes/node-1").await;
    assert!(refused.body["detail"].as_str().unwrap().contains("node: 2."), "{}", refused.body);
    assert_eq!(refused.problem(409), "node-in-use");
    assert!(nodes::get(&*site.table, "node-1").await.unwrap().is_some());
}

#[tokio::test]
async fn a_deleted_node_is_disconnected_and_not_known_again() {
    let mut site = Site::new().await;
    node(&site, "hill").await;
    let session = Session {
        node: "hill".to_owned(),
        broker: "broker-1".to_owned(),
        connection: "connection-1".to_owned(),
        since: site.now(),
        ready: true,
    };
    nodes::open_session(&*site.table, &session).await.unwrap();
    alarmed(&site, &Source::Node("hill".to_owned())).await;
    assert_eq!(delete(&site, "/api/nodes/hill").await.status, StatusCode::NO_CONTENT);
    let shed = ToBroker::Command(NodeCommand::Shed { node: "hill".to_owned() });
    assert_eq!(site.inbox.try_recv().ok(), Some(shed));
    assert_eq!(nodes::by_ip(&*site.table, "192.0.2.9").await.unwrap(), None);
    assert_eq!(nodes::session(&*site.table, "hill").await.unwrap(), None);
    assert_eq!(ends(&site).await, [Some("removed".to_owned())]);
    assert_eq!(delete(&site, "/api/nodes/hill").await.problem(404), "not-found");
}

#[tokio::test]
async fn nothing_is_deleted_by_others_than_administrators() {
    let site = Site::new().await;
    node(&site, "hill").await;
    for path in [format!("/api/terminals/{HERS}"), "/api/nodes/hill".to_owned()] {
        let asked = || site.ask(Method::DELETE, &path).json(&Value::Null);
        assert_eq!(asked().send().await.problem(401), "not-signed-in");
        assert_eq!(asked().by(&site.token("ann")).send().await.problem(403), "admins-only");
    }
    assert!(terminals::get(&*site.table, &mac(HERS)).await.unwrap().is_some());
}
