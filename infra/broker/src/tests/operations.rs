use domain::{Source, frame::Proof};
use std::time::Duration;

use jobs::{
    ports::{NodeCommand, Operation, Order, ToBroker},
    report::{Event, OperationEnd, OperationVerdict},
};
use serde_json::{Value, json};

use super::site::{Client, MAC, Site, TOKEN};
use crate::{BrokerSettings, fakes::eventually};

const WRITE: &str = "01060001000119ca";
const ECHO: &[u8] = &[1, 6, 0, 1, 0, 1, 0x19, 0xca];

fn write(id: &str) -> Operation {
    let (mac, protocol, content) = (MAC.parse().unwrap(), "modbusP".to_owned(), WRITE.to_owned());
    let order = Order::Device { mac, pid: 1, line: 485, protocol, content, proof: Proof::Rtu };
    Operation {
        id: id.to_owned(),
        about: Source::Terminal(MAC.parse().unwrap()),
        node: "n1".to_owned(),
        order,
        until: None,
    }
}

fn impatient() -> BrokerSettings {
    BrokerSettings { operation_timeout_ms: 30, ..BrokerSettings::default() }
}

async fn operate(site: &Site, operation: Operation) {
    site.link.send(ToBroker::Command(NodeCommand::Operate(operation))).await.unwrap();
}

fn ends(site: &Site) -> Vec<(String, OperationEnd)> {
    let of = |event| match event {
        Event::Operated { id, end, .. } => Some((id, end)),
        _ => None,
    };
    site.queue.events().into_iter().filter_map(of).collect()
}

/// The end of the one operation there is.
async fn end(site: &Site) -> OperationEnd {
    eventually("it ends", || ends(site).pop()).await.1
}

async fn asked(node: &mut Client, event: &str) -> Value {
    node.expect(event).await.remove(0)
}

/// Answers as the programs do: the bytes as an attachment.
async fn echo(node: &mut Client, name: &str) {
    let result = r#"{"ok":1,"msg":"设备已响应","upserted":{"_placeholder":true,"num":0}}"#;
    node.send(&format!(r#"451-/node,["deviceopratesuccess","{name}",{result}]"#)).await;
    node.attach(ECHO).await;
}

#[tokio::test]
async fn an_operation_is_sent_and_its_proven_reply_reported() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    operate(&site, write("o1")).await;
    let sent = asked(&mut node, "instructQuery").await;
    let name = sent["events"].as_str().unwrap();
    assert!(name.starts_with("oprate") && name.ends_with(MAC), "{name}");
    assert_eq!(
        sent,
        json!({ "protocol": "modbusP", "DevMac": MAC, "pid": 1, "type": 485, "events": name, "content": WRITE,
            "Interval": 20000 })
    );
    echo(&mut node, name).await;
    let end = end(&site).await;
    assert_eq!((end.verdict, end.reply.as_slice()), (OperationVerdict::Done, ECHO));
}

#[tokio::test]
async fn a_reply_as_one_list_over_the_second_socket_is_the_same() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let mut second = site.node(Some(TOKEN)).await;
    second.expect("accont").await;
    operate(&site, write("o1")).await;
    let name = asked(&mut node, "instructQuery").await["events"].clone();
    let bytes = json!({ "type": "Buffer", "data": ECHO });
    second.say("deviceopratesuccess", json!([[name, { "ok": 1, "msg": "", "upserted": bytes }]])).await;
    assert_eq!(end(&site).await.verdict, OperationVerdict::Done);
}

#[tokio::test]
async fn an_at_command_and_a_restart_are_sent_and_their_answers_reported() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let at = Order::At { mac: MAC.parse().unwrap(), command: "+++AT+VER".to_owned() };
    operate(&site, Operation { order: at, ..write("o1") }).await;
    let sent = asked(&mut node, "DTUoprate").await;
    assert_eq!((&sent["DevMac"], &sent["content"]), (&json!(MAC), &json!("+++AT+VER")));
    let answer = json!({ "ok": 1, "msg": "V1.0.18", "upserted": "+ok=V1.0.18" });
    node.say("dtuopratesuccess", json!([sent["events"], answer])).await;
    assert_eq!(end(&site).await.said, "V1.0.18");

    operate(&site, Operation { about: Source::Node("n1".to_owned()), order: Order::Restart, ..write("o2") }).await;
    let sent = asked(&mut node, "restart").await;
    node.say("result", json!([sent["eventName"], "restart ok"])).await;
    let (id, end) = eventually("both end", || ends(&site).get(1).cloned()).await;
    assert_eq!((id.as_str(), end.verdict, end.said.as_str()), ("o2", OperationVerdict::Done, "restart ok"));
}

#[tokio::test]
async fn nothing_is_sent_to_a_node_that_has_not_registered_and_the_operation_fails_at_once() {
    let site = Site::start().await;
    operate(&site, write("o1")).await;
    assert_eq!(end(&site).await.said, "node not connected");

    let mut node = site.node(Some(TOKEN)).await;
    node.expect("accont").await;
    operate(&site, write("o2")).await;
    eventually("it fails", || (ends(&site).len() == 2).then_some(())).await;
    node.say("register", json!([{}])).await;
    node.expect("registerSuccess").await;
    assert_eq!(site.counters.operations_sent.get(), 0);
}

#[tokio::test]
async fn an_operation_that_comes_too_late_is_not_done_and_is_said_to_have_failed() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let now = jobs::ports::Clock::now(site.clock.as_ref());
    operate(&site, Operation { until: Some(now), ..write("o1") }).await;
    let late = end(&site).await;
    assert_eq!((late.verdict, late.said.as_str()), (OperationVerdict::Failed, "it came too late to be begun"));
    assert_eq!(site.counters.operations_sent.get(), 0);

    operate(&site, Operation { until: Some(now.plus(Duration::from_secs(3))), ..write("o2") }).await;
    asked(&mut node, "instructQuery").await;
}

#[tokio::test]
async fn an_operation_that_nobody_answers_ends_by_the_clock_and_a_late_answer_changes_nothing() {
    let site = Site::start_with(impatient()).await;
    let mut node = site.ready_node().await;
    operate(&site, write("o1")).await;
    let name = asked(&mut node, "instructQuery").await["events"].as_str().unwrap().to_owned();
    assert_eq!(end(&site).await.verdict, OperationVerdict::Failed);
    assert_eq!(site.counters.operations_unanswered.get(), 1);
    echo(&mut node, &name).await;
    eventually("it is counted", || (site.counters.operation_replies.get() == 1).then_some(())).await;
    assert_eq!(ends(&site).len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_twice_counts_once_and_a_command_that_comes_twice_is_sent_once() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    operate(&site, write("o1")).await;
    operate(&site, write("o1")).await;
    let name = asked(&mut node, "instructQuery").await["events"].as_str().unwrap().to_owned();
    echo(&mut node, &name).await;
    echo(&mut node, &name).await;
    eventually("the second is counted", || (site.counters.operation_replies.get() == 1).then_some(())).await;
    end(&site).await;
    assert_eq!((ends(&site).len(), site.counters.operations_sent.get()), (1, 1));
}

#[tokio::test]
async fn another_node_cannot_answer() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    let mut stranger = site.node(None).await;
    stranger.expect("accont").await;
    operate(&site, write("o1")).await;
    let name = asked(&mut node, "instructQuery").await["events"].as_str().unwrap().to_owned();
    echo(&mut stranger, &name).await;
    eventually("it is counted", || (site.counters.operation_replies.get() == 1).then_some(())).await;
    assert!(ends(&site).is_empty());
    echo(&mut node, &name).await;
    assert_eq!(end(&site).await.verdict, OperationVerdict::Done);
}

#[tokio::test]
async fn two_operations_at_once_have_names_of_their_own() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    operate(&site, write("o1")).await;
    operate(&site, write("o2")).await;
    let first = asked(&mut node, "instructQuery").await["events"].clone();
    let second = asked(&mut node, "instructQuery").await["events"].clone();
    assert_ne!(first, second);
    echo(&mut node, second.as_str().unwrap()).await;
    assert_eq!(eventually("one ends", || ends(&site).pop()).await.0, "o2");
}

#[tokio::test]
async fn a_node_is_given_no_more_than_it_can_work_off() {
    let site = Site::start().await;
    let _node = site.ready_node().await;
    for number in 0..65 {
        operate(&site, write(&number.to_string())).await;
    }
    let (id, end) = eventually("one fails", || ends(&site).pop()).await;
    assert_eq!((id.as_str(), end.verdict), ("64", OperationVerdict::Failed));
    assert!(end.said.contains("too many"), "{}", end.said);
}

#[tokio::test]
async fn a_broker_that_stops_reports_what_it_waited_for() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    operate(&site, write("o1")).await;
    node.expect("instructQuery").await;
    let queue = site.queue.clone();
    site.stop().await;
    let ended =
        |event: &Event| matches!(event, Event::Operated { id, end, .. } if id == "o1" && end.said.contains("stopped"));
    assert!(queue.events().iter().any(ended), "{:?}", queue.events());
}

#[tokio::test]
async fn an_operation_that_comes_as_the_broker_stops_is_refused_and_its_asker_hears_so() {
    let site = Site::start().await;
    let _node = site.ready_node().await;
    // Nothing else runs in between.
    site.link.try_send(ToBroker::Command(NodeCommand::Operate(write("o1")))).unwrap();
    site.tell_to_stop();
    let end = end(&site).await;
    assert_eq!(end.verdict, OperationVerdict::Failed);
    assert_eq!(end.said, "the server is stopping: try again");
}
