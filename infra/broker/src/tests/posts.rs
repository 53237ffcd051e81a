use domain::Timestamp;
use jobs::{
    ports::{NodeCommand, ToBroker},
    report::Event,
};
use records::nodes;
use serde_json::{Value, json};

use super::site::{MAC, Site, TOKEN};
use crate::fakes::eventually;

pub(super) fn result(asked: i64) -> String {
    json!({"data":{"mac":MAC,"type":485,"mountDev":"dev","protocol":"modbusP","pid":1,"timeStamp":asked,
        "content":["010300000002c40b"],"Interval":20000,"useTime":66,"DevMac":MAC,"eventType":"QueryInstruct","useBytes":17,
        "contents":[{"content":"010300000002c40b","buffer":{"type":"Buffer","data":[1,3,4,1,244,0,200,187,171]},"useTime":66,"useByte":17}],
        "time":"Mon Nov 23 2026 09:01:06 GMT+0000 (Coordinated Universal Time)"}})
    .to_string()
}

fn answers(site: &Site) -> usize {
    site.queue.events().iter().filter(|event| matches!(event, Event::Answered(_))).count()
}

#[tokio::test]
async fn a_result_is_acknowledged_once_it_is_durable_and_taken_once() {
    let site = Site::start().await;
    assert_eq!(site.post("queryData", TOKEN, &result(1)).await, (200, json!({ "code": 200 })));
    assert_eq!(answers(&site), 1);
    assert_eq!(site.post("queryData", TOKEN, &result(1)).await.0, 200);
    assert_eq!(site.post("queryData", TOKEN, &result(2)).await.0, 200);
    assert_eq!(answers(&site), 2);
    assert_eq!(site.counters.results_repeated.get(), 1);
}

#[tokio::test]
async fn a_repeat_of_what_is_not_durable_yet_is_taken_once_too() {
    let site = Site::start().await;
    let body = result(1);
    let outcomes = futures::future::join_all((0..8).map(|_| site.post("queryData", TOKEN, &body))).await;
    assert!(outcomes.iter().all(|(status, _)| *status == 200));
    assert_eq!(answers(&site), 1);
}

#[tokio::test]
async fn an_answer_that_arrives_here_is_told_to_the_broker_that_asked() {
    let site = Site::start().await;
    assert_eq!(site.post("queryData", TOKEN, &result(1)).await.0, 200);
    assert_eq!(site.elsewhere.told(), [], "nobody holds the node");

    let (node, broker, connection) = ("n2".to_owned(), "b2".to_owned(), "c2".to_owned());
    let session = nodes::Session { node: node.clone(), broker, connection, since: Timestamp(1), ready: true };
    nodes::open_session(site.table.as_ref(), &session).await.unwrap();
    assert_eq!(site.post("queryData", "", &result(2)).await.0, 200);
    let told = NodeCommand::Answered { node, mac: MAC.parse().unwrap(), asked: Timestamp(2) };
    eventually("it is told", || (site.elsewhere.told() == [("b2".to_owned(), told.clone())]).then_some(())).await;

    let _node = site.ready_node().await;
    assert_eq!(site.post("queryData", TOKEN, &result(3)).await.0, 200);
    assert_eq!(site.elsewhere.told().len(), 1, "it is connected here");
}

#[tokio::test]
async fn where_a_node_is_gone_an_answer_goes_on_to_the_broker_that_holds_it_by_now() {
    let site = Site::start().await;
    let told = || NodeCommand::Answered { node: "n2".to_owned(), mac: MAC.parse().unwrap(), asked: Timestamp(2) };
    let (node, broker, connection) = ("n2".to_owned(), "b2".to_owned(), "c2".to_owned());
    let session = nodes::Session { node, broker, connection, since: Timestamp(1), ready: true };
    nodes::open_session(site.table.as_ref(), &session).await.unwrap();
    // Somebody takes this one for its broker still.
    site.link.send(ToBroker::Command(told())).await.unwrap();
    eventually("it goes on", || (site.elsewhere.told() == [("b2".to_owned(), told())]).then_some(())).await;
}

#[tokio::test]
async fn an_answer_is_told_to_the_broker_that_asked_though_it_could_not_be_looked_up_at_first() {
    let site = Site::start().await;
    let (node, broker, connection) = ("n2".to_owned(), "b2".to_owned(), "c2".to_owned());
    let session = nodes::Session { node: node.clone(), broker, connection, since: Timestamp(1), ready: true };
    // While nobody holds it, which is not kept in mind.
    assert_eq!(site.post("queryData", "", &result(1)).await.0, 200);
    nodes::open_session(site.table.as_ref(), &session).await.unwrap();
    site.elsewhere.refuses(2);
    assert_eq!(site.post("queryData", "", &result(2)).await.0, 200);
    let told = NodeCommand::Answered { node, mac: MAC.parse().unwrap(), asked: Timestamp(2) };
    eventually("it is told", || (site.elsewhere.told() == [("b2".to_owned(), told.clone())]).then_some(())).await;
}

#[tokio::test]
async fn nothing_is_acknowledged_while_the_queue_is_away() {
    let site = Site::start().await;
    site.queue.goes_away();
    let (status, problem) = site.post("queryData", TOKEN, &result(1)).await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("store-away")));
    site.queue.comes_back();
    assert_eq!(site.post("queryData", TOKEN, &result(1)).await.0, 200);
    assert_eq!(answers(&site), 1);
}

#[tokio::test]
async fn the_calls_are_known_in_any_case() {
    let site = Site::start().await;
    let info = json!({ "info": { "mac": MAC, "AT": true, "PID": "USR-LTE-7S4\r\n" } }).to_string();
    for call in ["dtuinfo", "dtuInfo", "DTUINFO"] {
        assert_eq!(site.post(call, TOKEN, &info).await, (200, json!({ "code": 200, "msg": "success" })));
    }
    let info = json!({ "name": "n1", "node": { "hostname": "vm" }, "tcp": 3 }).to_string();
    assert_eq!(site.post("nodeinfo", TOKEN, &info).await, (200, json!({ "code": 200, "data": null })));
    let last = site.queue.events().pop();
    assert_eq!(last, Some(Event::NodeInfo { info: json!({ "hostname": "vm" }), connections: 3 }));
}

#[tokio::test]
async fn a_terminal_that_is_not_registered_is_no_error() {
    let site = Site::start().await;
    let info = json!({ "info": { "mac": "000000000000" } }).to_string();
    assert_eq!(site.post("dtuinfo", TOKEN, &info).await, (200, json!({ "code": 0, "msg": "no terminal" })));
}

#[tokio::test]
async fn a_post_comes_from_a_node_by_token_or_by_address() {
    let site = Site::start().await;
    site.post("queryData", "", &result(1)).await;
    site.post("queryData", TOKEN, &result(2)).await;
    let nodes: Vec<String> = site.queue.reports().into_iter().map(|report| report.node).collect();
    assert_eq!(nodes, ["n2", "n1"]);
    let refused = (401, json!({ "code": 0, "status": 500, "message": "nodeData premiss" }));
    assert_eq!(site.post("queryData", "wrong", &result(3)).await, refused);
}

#[tokio::test]
async fn what_is_malformed_is_refused_with_the_reason_and_the_next_good_one_taken() {
    let site = Site::start().await;
    for body in ["", "{", "[]", "{\"data\":{}}", "\u{0}", &"[".repeat(10_000)] {
        let (status, problem) = site.post("queryData", TOKEN, body).await;
        assert_eq!((status, problem["code"].as_str()), (400, Some("bad-body")), "{body:.20}");
    }
    let huge = format!("{{\"data\":\"{}\"}}", "x".repeat(2_000_000));
    assert_eq!(site.post("queryData", TOKEN, &huge).await.0, 413);
    let mut large: Value = serde_json::from_str(&result(1)).unwrap();
    large["data"]["contents"][0]["buffer"]["data"] = json!(vec![0; 150_000]);
    assert_eq!(site.post("queryData", TOKEN, &large.to_string()).await.0, 413);
    assert_eq!(site.post("nonsense", TOKEN, "{}").await.0, 404);
    assert_eq!(site.post("queryData", TOKEN, &result(1)).await.0, 200);
    assert_eq!(site.counters.posts_refused.get(), 9);
}

#[tokio::test]
async fn an_answer_makes_room_for_the_next_query() {
    let site = Site::start().await;
    let mut node = site.ready_node().await;
    site.plan(vec![site.query(1, 0, &["010300000002c40b"]), site.query(2, 0, &["020300000002c438"])]).await;
    let first = node.expect("query").await[0].clone();
    assert_eq!(site.counters.queries_sent.get(), 1);
    site.post("queryData", TOKEN, &result(first["timeStamp"].as_i64().unwrap())).await;
    let second = node.expect("query").await[0].clone();
    assert_ne!(first["pid"], second["pid"]);
    eventually("both are counted", || (site.counters.queries_sent.get() == 2).then_some(())).await;
}
