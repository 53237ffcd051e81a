use std::sync::Arc;

use domain::Timestamp;
use futures::FutureExt;
use jobs::{
    ports::{NodeCommand, ToBroker},
    report::Event,
};
use records::nodes;
use serde_json::{Value, json};

use super::site::{MAC, Site, TOKEN};
use crate::{BrokerSettings, Refusal, fakes::eventually};

#[tokio::test]
async fn a_node_registers_becomes_ready_and_is_asked() {
    let site = Site::start().await;
    let mut node = site.node(Some(TOKEN)).await;
    assert!(node.expect("accont").await.is_empty());
    node.say("register", json!([{ "hostname": "vm" }])).await;
    assert_eq!(
        node.expect("registerSuccess").await,
        [json!({ "_id": "n1", "Name": "n1", "IP": "", "Port": 9000, "MaxConnections": 2000, "UserID": "" })]
    );
    node.say("ready", json!([])).await;
    assert_eq!(node.expect("nodeInfo").await, [json!("n1")]);
    eventually("both are reported", || {
        (site.queue.events() == [Event::NodeRegistered, Event::NodeReady]).then_some(())
    })
    .await;
    let session = nodes::session(site.table.as_ref(), "n1").await.unwrap().unwrap();
    assert!(session.ready);
    assert_eq!(session.broker, "b1");

    site.plan(vec![site.query(1, 50, &["010300000002c40b"])]).await;
    let query = node.expect("query").await;
    let asked = query[0]["timeStamp"].as_i64().unwrap();
    assert_eq!(
        query,
        [json!({ "mac": MAC, "type": 485, "mountDev": "dev", "protocol": "modbusP", "pid": 1, "timeStamp": asked,
            "content": ["010300000002c40b"], "Interval": 20000, "useTime": 0 })]
    );
}

#[tokio::test]
async fn nothing_but_an_invitation_is_sent_before_a_node_registered() {
    let site = Site::start().await;
    let mut node = site.node(Some(TOKEN)).await;
    node.expect("accont").await;
    node.say("ready", json!([])).await;
    site.plan(vec![site.query(1, 0, &["010300000002c40b"])]).await;
    eventually("the query is dropped", || (site.counters.queries_dropped.get() == 1).then_some(())).await;
    node.say("register", json!([{}])).await;
    node.expect("registerSuccess").await;
}

#[tokio::test]
async fn an_empty_query_is_never_sent_and_counts_as_unanswered() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    site.plan(vec![site.query(2, 0, &[])]).await;
    site.plan(vec![site.query(1, 1, &["010300000002c40b"])]).await;
    assert_eq!(node.expect("query").await[0]["content"], json!(["010300000002c40b"]));
    let missed = Event::Missed { mac: MAC.parse().unwrap(), pid: 2, count: None, asked: None };
    eventually("it is reported", || site.queue.events().contains(&missed).then_some(())).await;
    assert_eq!(site.counters.queries_empty.get(), 1);
}

#[tokio::test]
async fn a_warning_is_reported_once_however_often_it_is_given() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let warning = json!([{ "mac": MAC, "type": "AT_TIMEOUT", "message": "no answer", "timestamp": 1 }]);
    for _ in 0..3 {
        node.say("dtuAlert", warning.clone()).await;
    }
    node.say("dtuAlert", json!([{ "mac": null, "type": "FATAL", "message": "no port" }])).await;
    node.say("startError", json!([])).await;
    eventually("all are heard", || (site.counters.node_warnings.get() == 5).then_some(())).await;
    let mac = MAC.parse().unwrap();
    let alert = Event::DtuAlert { mac, kind: "AT_TIMEOUT".to_owned(), message: "no answer".to_owned() };
    eventually("it is reported", || site.queue.events().contains(&alert).then_some(())).await;
    assert_eq!(site.queue.events().iter().filter(|event| **event == alert).count(), 1);
}

#[tokio::test]
async fn a_query_that_nobody_answers_is_a_miss_of_ours() {
    let settings = BrokerSettings { instruction_timeout_ms: 20, query_grace_ms: 20, ..BrokerSettings::default() };
    let site = Site::start_with(settings).await;
    let mut node = site.ready_node().await;
    site.plan(vec![site.query(1, 0, &["010300000002c40b"])]).await;
    node.expect("query").await;
    let is_missed = |event: &Event| matches!(event, Event::Missed { pid: 1, count: None, asked: Some(_), .. });
    eventually("it is reported", || site.queue.events().iter().any(is_missed).then_some(())).await;
    assert_eq!(site.counters.queries_unanswered.get(), 1);
}

#[tokio::test]
async fn ready_said_twice_is_reported_once() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    node.say("ready", json!([[MAC], "surplus"])).await;
    node.expect("nodeInfo").await;
    node.say("terminalOff", json!([MAC, true])).await;
    let off = Event::TerminalOff { mac: MAC.parse().unwrap() };
    eventually("what follows is reported", || site.queue.events().contains(&off).then_some(())).await;
    assert_eq!(site.queue.events().iter().filter(|event| **event == Event::NodeReady).count(), 1);
}

#[tokio::test]
async fn the_second_socket_only_sends_and_its_loss_loses_nothing() {
    let site = Site::start().await;
    let mut first = site.ready_node().await;
    let mut second = site.node(Some(TOKEN)).await;
    second.expect("accont").await;
    second.say("terminalOn", json!([MAC, false])).await;
    let on = Event::TerminalsOn { macs: vec![MAC.parse().unwrap()] };
    eventually("it is heard", || site.queue.events().contains(&on).then_some(())).await;
    drop(second);
    eventually("it is gone", || (site.counters.node_connections.get() == 1).then_some(())).await;
    site.plan(vec![site.query(1, 0, &["010300000002c40b"])]).await;
    first.expect("query").await;
    assert!(!site.queue.events().contains(&Event::NodeLost));
}

#[tokio::test]
async fn a_node_is_lost_with_the_connection_it_can_be_addressed_on() {
    let site = Site::start().await;
    let first = site.ready_node().await;
    let mut second = site.node(Some(TOKEN)).await;
    second.expect("accont").await;
    drop(first);
    eventually("it is reported", || site.queue.events().contains(&Event::NodeLost).then_some(())).await;
    assert!(nodes::session(site.table.as_ref(), "n1").await.unwrap().is_none());
}

#[tokio::test]
async fn a_late_goodbye_does_not_evict_the_newcomer() {
    let site = Site::start().await;
    let mut old = site.ready_node().await;
    let mut new = site.ready_node().await;
    old.expect_end().await;
    eventually("the old one is gone", || (site.counters.node_connections.get() == 1).then_some(())).await;
    site.plan(vec![site.query(1, 0, &["010300000002c40b"])]).await;
    new.expect("query").await;
    assert!(nodes::session(site.table.as_ref(), "n1").await.unwrap().unwrap().ready);
}

#[tokio::test]
async fn a_session_stays_until_the_loss_of_its_node_is_durable() {
    let site = Site::start().await;
    let node = site.ready_node().await;
    let session = async || nodes::session(site.table.as_ref(), "n1").await.unwrap();
    eventually("it is ready", || site.queue.events().contains(&Event::NodeReady).then_some(())).await;
    site.queue.goes_away();
    drop(node);
    eventually("it is gone", || (site.counters.node_connections.get() == 0).then_some(())).await;
    // The keeper knows of it by now: a second node comes and goes, and is behind it in the keeper's line.
    drop(site.node(Some(TOKEN)).await);
    assert!(session().await.is_some(), "a process that is killed now must find the loss at its next start");
    site.queue.comes_back();
    eventually("it is reported", || site.queue.events().contains(&Event::NodeLost).then_some(())).await;
    eventually("the session goes", || session().now_or_never()?.is_none().then_some(())).await;
}

#[tokio::test]
async fn what_a_program_says_before_it_displaces_itself_is_newer_than_its_loss() {
    let site = Site::start().await;
    let _old = site.ready_node().await;
    let mut new = site.node(Some(TOKEN)).await;
    new.expect("accont").await;
    new.say("terminalOn", json!([MAC, false])).await;
    new.say("register", json!([{ "hostname": "vm" }])).await;
    let reports = eventually("both are reported", || {
        let reports = site.queue.reports();
        let at = |event: Event| reports.iter().find(|report| report.event == event).map(|report| report.at);
        Some((at(Event::NodeLost)?, at(Event::TerminalsOn { macs: vec![MAC.parse().ok()?] })?))
    });
    let (lost, on) = reports.await;
    assert!(lost < on, "{lost:?} {on:?}");
}

#[tokio::test]
async fn a_node_that_comes_from_another_broker_was_lost_in_between() {
    let site = Site::start().await;
    let (node, broker, connection) = ("n1".to_owned(), "b2".to_owned(), "c2".to_owned());
    let elsewhere = nodes::Session { node, broker, connection, since: Timestamp(1), ready: true };
    nodes::open_session(site.table.as_ref(), &elsewhere).await.unwrap();
    let _node = site.ready_node().await;
    let expected = [Event::NodeLost, Event::NodeRegistered, Event::NodeReady];
    eventually("its terminals are to come back", || (site.queue.events() == expected).then_some(())).await;
    let displaced = NodeCommand::Displaced { node: "n1".to_owned(), connection: "c2".to_owned() };
    assert_eq!(
        site.elsewhere.told(),
        [("b2".to_owned(), displaced)],
        "the other one breaks the connection it still has"
    );
}

#[tokio::test]
async fn a_node_that_has_come_back_to_another_broker_loses_its_old_connection_alone() {
    let site = Site::start().await;
    let mut old = site.ready_node().await;
    let session = nodes::session(site.table.as_ref(), "n1").await.unwrap().unwrap();
    let displaced = |connection: &str| {
        ToBroker::Command(NodeCommand::Displaced { node: "n1".to_owned(), connection: connection.to_owned() })
    };
    site.link.send(displaced("of somebody else")).await.unwrap();
    site.link.send(displaced(&session.connection)).await.unwrap();
    old.expect_end().await;
    let _new = site.ready_node().await;
    site.link.send(displaced(&session.connection)).await.unwrap();
    site.look_again().await;
    assert_eq!(site.counters.node_connections.get(), 1);
}

#[tokio::test]
async fn a_node_whose_hello_cannot_be_written_stays_connected_and_is_held_once_it_can() {
    let site = Site::start().await;
    site.table.is_full(true);
    let mut node = site.ready_node().await;
    node.say("dtuAlert", json!([{ "mac": MAC, "type": "AT_TIMEOUT", "message": "no answer", "timestamp": 1 }])).await;
    eventually("it is heard", || (site.counters.node_warnings.get() == 1).then_some(())).await;
    assert!(!site.queue.events().contains(&Event::NodeRegistered), "nobody takes it for held");
    site.table.is_full(false);
    eventually("it is ready", || site.queue.events().contains(&Event::NodeReady).then_some(())).await;
    assert!(nodes::session(site.table.as_ref(), "n1").await.unwrap().is_some_and(|session| session.ready));
    assert!(site.elsewhere.told().is_empty(), "and nobody was told to cut it");
}

#[tokio::test]
async fn a_goodbye_of_a_node_that_another_broker_holds_is_nothing() {
    let site = Site::start().await;
    let node = site.ready_node().await;
    eventually("it is ready", || site.queue.events().contains(&Event::NodeReady).then_some(())).await;
    let held = nodes::session(site.table.as_ref(), "n1").await.unwrap().unwrap();
    let elsewhere = nodes::Session { broker: "b2".to_owned(), ..held };
    nodes::open_session(site.table.as_ref(), &elsewhere).await.unwrap();
    drop(node);
    eventually("it is gone", || (site.counters.node_connections.get() == 0).then_some(())).await;
    let (table, queue) = (Arc::clone(&site.table), Arc::clone(&site.queue));
    site.stop().await;
    assert!(!queue.events().contains(&Event::NodeLost));
    assert_eq!(nodes::session(table.as_ref(), "n1").await.unwrap(), Some(elsewhere));
}

#[tokio::test]
async fn a_program_that_displaces_itself_was_lost_in_between() {
    let site = Site::start().await;
    let _old = site.ready_node().await;
    let _new = site.ready_node().await;
    let expected = [Event::NodeRegistered, Event::NodeReady, Event::NodeLost, Event::NodeRegistered, Event::NodeReady];
    eventually("its terminals are to come back", || (site.queue.events() == expected).then_some(())).await;
}

#[tokio::test]
async fn a_program_with_an_unknown_token_loses_its_transport_and_is_listed() {
    let site = Site::start().await;
    for _ in 0..2 {
        site.node(Some("wrong")).await.expect_end().await;
    }
    let refused = site.refused.latest();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].reason.clone(), refused[0].times), (Refusal::UnknownToken, 2));
    assert_eq!(refused[0].address.to_string(), "127.0.0.1");
}

#[tokio::test]
async fn an_unknown_program_that_polls_loses_its_session() {
    let site = Site::start().await;
    let (_, open) = site.http("GET", "/client/?EIO=4&transport=polling", "", "").await;
    let open: Value = serde_json::from_str(open.trim_start_matches('0')).unwrap();
    assert_eq!(open["upgrades"], json!(["websocket"]));
    let session = format!("/client/?EIO=4&transport=polling&sid={}", open["sid"].as_str().unwrap());
    assert_eq!(site.http("POST", &session, "", r#"40/node,{"token":"wrong"}"#).await.0, 200);
    eventually("it is refused", || (site.counters.connections_refused.get() == 1).then_some(())).await;
    eventually("it is gone", || (site.counters.node_connections.get() == 0).then_some(())).await;
    assert_eq!(site.http("GET", &session, "", "").await.0, 400);
}

#[tokio::test]
async fn a_second_program_without_a_token_does_not_displace_the_first() {
    let site = Site::start().await;
    let mut first = site.node(None).await;
    first.expect("accont").await;
    first.say("register", json!([{ "hostname": "one" }])).await;
    first.expect("registerSuccess").await;
    let mut second = site.node(None).await;
    second.expect("accont").await;
    second.say("register", json!([{ "hostname": "two" }])).await;
    second.expect_end().await;
    assert_eq!(site.refused.latest()[0].reason, Refusal::Taken("n2".to_owned()));
    let mut again = site.node(None).await;
    again.expect("accont").await;
    again.say("register", json!([{ "hostname": "one" }])).await;
    again.expect("registerSuccess").await;
    first.expect_end().await;
}

#[tokio::test]
async fn events_keep_their_order() {
    let site = Site::start().await;
    let mut node = site.node(Some(TOKEN)).await;
    node.expect("accont").await;
    for _ in 0..200 {
        node.say("terminalOn", json!([MAC, false])).await;
        node.say("terminalOff", json!([MAC, true])).await;
    }
    let reports =
        eventually("all are reported", || Some(site.queue.reports()).filter(|reports| reports.len() == 400)).await;
    assert!(reports.windows(2).all(|pair| pair[0].at < pair[1].at));
    assert!(reports.chunks(2).all(|pair| matches!(
        (&pair[0].event, &pair[1].event),
        (Event::TerminalsOn { .. }, Event::TerminalOff { .. })
    )));
}

#[tokio::test]
async fn a_binary_operation_reply_is_taken() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let reply =
        r#"451-/node,["deviceopratesuccess","oprate1",{"ok":1,"msg":"","upserted":{"_placeholder":true,"num":0}}]"#;
    node.send(reply).await;
    node.attach(&[1, 6, 0, 1, 0, 1, 25, 202]).await;
    eventually("it is counted", || (site.counters.operation_replies.get() == 1).then_some(())).await;
}

#[tokio::test]
async fn garbage_is_counted_and_the_next_good_event_is_heard() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let huge = "x".repeat(900_000);
    let garbage: [(&str, Value); 6] = [
        ("terminalOn", json!([])),
        ("terminalOff", json!([{ "mac": MAC }])),
        ("busy", json!([MAC, "very"])),
        ("terminalMountDevTimeOut", json!(["x", "y", "z"])),
        ("nonsense", json!([huge])),
        ("instructTimeOut", json!([MAC, 1, [7]])),
    ];
    for (event, arguments) in garbage {
        node.say(event, arguments).await;
    }
    eventually("all is counted", || (site.counters.node_events_strange.get() == 6).then_some(())).await;
    // This ends the connection.
    node.send("42/node,[7]").await;
    let mut node = site.ready_node().await;
    node.say("terminalOn", json!([[], false])).await;
    node.say("instructTimeOut", json!([MAC, 1, ["0103"]])).await;
    let partly = Event::PartlyMissed { mac: MAC.parse().unwrap(), pid: 1, contents: vec!["0103".to_owned()] };
    eventually("the good one is reported", || site.queue.events().contains(&partly).then_some(())).await;
    assert_eq!(site.counters.node_events_strange.get(), 6);
}

#[tokio::test]
async fn a_broker_that_stops_ends_its_sessions_and_breaks_its_connections() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let (table, queue) = (site.table.clone(), site.queue.clone());
    site.stop().await;
    node.expect_end().await;
    assert!(nodes::session(table.as_ref(), "n1").await.unwrap().is_none());
    assert_eq!(queue.events().last(), Some(&Event::NodeLost));
}

#[tokio::test]
async fn a_node_that_is_shed_loses_every_connection_and_its_old_token_with_them() {
    let site = Site::start().await;
    let (mut first, mut second) = (site.ready_node().await, site.node(Some(TOKEN)).await);
    second.expect("accont").await;
    let info = &json!({ "name": "n1", "node": { "hostname": "vm" }, "tcp": 3 }).to_string();
    assert_eq!(site.post("nodeInfo", TOKEN, info).await.0, 200);
    let node = nodes::get(site.table.as_ref(), "n1").await.unwrap().unwrap();
    let renewed = nodes::Node { token_sha256: Some(nodes::token_sha256("another")), ..node };
    nodes::put(site.table.as_ref(), &renewed).await.unwrap();

    site.link.send(ToBroker::Command(NodeCommand::Shed { node: "n1".to_owned() })).await.unwrap();
    first.expect_end().await;
    second.expect_end().await;
    assert_ne!(site.post("nodeInfo", TOKEN, info).await.0, 200);
    assert_eq!(site.post("nodeInfo", "another", info).await.0, 200);
    site.node(Some("another")).await.expect("accont").await;
}
