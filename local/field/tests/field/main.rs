//! The field against a server that speaks the wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod server;

use std::time::Duration;

use domain::frame::{RtuInstruction, VerifiedFrame};
use field::{Acknowledged, FaultRates, Field, FieldCounters, FieldSettings, ReplyFault, TruthSink};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use server::{Manner, Server, eventually};

/// One node with a Modbus line of two sensors and a text line, in a hurry.
fn settings(server: &Server) -> FieldSettings {
    FieldSettings {
        nodes: 1,
        terminals_per_node: 2,
        ready_delay: Duration::from_millis(10),
        answer_time: Duration::from_millis(1),
        answer_timeout: Duration::from_millis(30),
        reline_delay: Duration::from_millis(50),
        away_time: Duration::from_millis(20),
        ..FieldSettings::new(server.url.clone())
    }
}

fn recorded(settings: FieldSettings) -> (FieldSettings, UnboundedReceiver<Acknowledged>) {
    let (sender, truth) = unbounded_channel();
    (FieldSettings { truth: Some(TruthSink::Channel(sender)), ..settings }, truth)
}

/// The macs of the Modbus terminal and the text terminal.
fn macs(field: &Field) -> [String; 2] {
    let site = field.site();
    [0, 1].map(|terminal| site["terminals"][terminal]["DevMac"].as_str().unwrap().to_owned())
}

fn ask_sensor(mac: &str, pid: u8, time_stamp: i64) -> Value {
    let instructions = ["0300000002", "0300020001"].map(|body| domain::frame::rtu_request(pid, body).unwrap());
    json!(["query", {
        "mac": mac, "type": 485, "mountDev": "TH-10", "protocol": "p", "pid": pid, "timeStamp": time_stamp,
        "content": instructions, "Interval": 20000, "useTime": 0,
    }])
}

fn ask_ups(mac: &str) -> Value {
    json!(["query", {
        "mac": mac, "type": 232, "mountDev": "UPS-3K", "protocol": "p", "pid": 0, "timeStamp": 7,
        "content": ["QGS"], "Interval": 20000, "useTime": 0,
    }])
}

#[tokio::test]
async fn a_node_registers_with_its_token_and_says_who_is_there() {
    let server = Server::start(Manner::Friendly).await;
    let field = Field::start(settings(&server)).unwrap();
    server.until_heard("ready", 1).await;
    assert_eq!(server.events()[0], "register");
    let online = server.until_heard("terminalOn", 2).await.into_iter().map(|heard| heard.args);
    assert!(online.eq(macs(&field).map(|mac| vec![json!(mac), json!(false)])));
    let token = field.site()["nodes"][0]["token"].clone();
    assert_eq!(server.logins(), [json!({ "token": token })]);
    let infos = server.until_posted("dtuinfo", 2).await;
    assert!(infos.iter().all(|post| token == post.token && post.body["info"]["AT"] == true), "{infos:?}");
    server.say(&json!(["nodeInfo", "n"]));
    let info = &server.until_posted("nodeInfo", 1).await[0].body;
    assert_eq!((&info["name"], &info["tcp"]), (&json!("n"), &json!(2)));
}

#[tokio::test]
async fn what_devices_answer_is_posted_and_can_be_proven() {
    let server = Server::start(Manner::Friendly).await;
    let field = Field::start(settings(&server)).unwrap();
    server.until_heard("terminalOn", 2).await;
    let [modbus, text] = macs(&field);
    server.say(&ask_sensor(&modbus, 2, 5));
    server.say(&ask_ups(&text));
    let posts = server.until_posted("queryData", 2).await;
    let of = |mac: &str| &posts.iter().find(|post| post.body["data"]["DevMac"] == mac).unwrap().body["data"];
    for (number, body) in ["0300000002", "0300020001"].into_iter().enumerate() {
        let reply = bytes(&of(&modbus)["contents"][number]["buffer"]["data"]);
        RtuInstruction::parse(body).unwrap().verify(2, &reply).unwrap();
    }
    let status = bytes(&of(&text)["contents"][0]["buffer"]["data"]);
    assert_eq!(VerifiedFrame::text(&status).unwrap().payload().split(|&byte| byte == b' ').count(), 12);
    assert_eq!(of(&modbus)["timeStamp"], 5);
}

#[tokio::test]
async fn a_post_that_fails_is_tried_again_and_acknowledged_once() {
    let server = Server::start(Manner::Friendly).await;
    let (settings, mut truth) = recorded(settings(&server));
    let field = Field::start(settings).unwrap();
    server.until_posted("dtuinfo", 2).await;
    server.fail_posts(2);
    server.say(&ask_sensor(&macs(&field)[0], 1, 9));
    let acknowledged = truth.recv().await.unwrap();
    assert_eq!((acknowledged.pid, acknowledged.time_stamp, acknowledged.replies.len()), (1, 9, 2));
    let counters = field.stop().await;
    assert_eq!((counters.posts_acknowledged, counters.posts_retried, counters.posts_failed), (1, 2, 0));
}

#[tokio::test]
async fn a_dead_device_is_counted_and_in_the_end_its_terminal_is_rebooted() {
    let server = Server::start(Manner::Friendly).await;
    let faults = FaultRates { dead_devices: 1.0, ..FaultRates::default() };
    let field = Field::start(FieldSettings { faults, ..settings(&server) }).unwrap();
    server.until_heard("terminalOn", 2).await;
    let modbus = &macs(&field)[0];
    for time_stamp in 1..=10 {
        server.say(&ask_sensor(modbus, 1, time_stamp));
    }
    let timeouts = server.until_heard("terminalMountDevTimeOut", 10).await;
    let expected: Vec<_> = (1..=10).map(|count| vec![json!(modbus), json!(1), json!(count)]).collect();
    assert_eq!(timeouts.into_iter().map(|heard| heard.args).collect::<Vec<_>>(), expected);
    assert_eq!(server.until_heard("terminalOff", 1).await[0].args, [json!(modbus), json!(true)]);
    assert_eq!(server.until_heard("terminalOn", 3).await[2].args, [json!(modbus), json!(true)]);
    assert_eq!(server.posts("queryData"), []);
}

#[tokio::test]
async fn a_device_that_answers_in_part_is_told_with_what_it_left_out() {
    let server = Server::start(Manner::Friendly).await;
    let faults = FaultRates { withheld_replies: 0.5, ..FaultRates::default() };
    let field = Field::start(FieldSettings { faults, ..settings(&server) }).unwrap();
    server.until_heard("terminalOn", 2).await;
    for time_stamp in 0..40 {
        server.say(&ask_sensor(&macs(&field)[0], 1, time_stamp));
    }
    let told = &server.until_heard("instructTimeOut", 1).await[0];
    assert_eq!(told.args[2].as_array().unwrap().len(), 1);
    server.until_heard("terminalMountDevTimeOut", 1).await;
}

#[tokio::test]
async fn a_node_that_lost_its_transport_comes_back_and_says_who_is_still_there() {
    let server = Server::start(Manner::Friendly).await;
    let field = Field::start(settings(&server)).unwrap();
    server.until_heard("ready", 1).await;
    server.cut();
    eventually(|| field.counters().nodes_registered, |&registered| registered == 0).await;
    server.until_heard("register", 2).await;
    let again = &server.until_heard("terminalOn", 3).await[2];
    let mut online: Vec<String> = serde_json::from_value(again.args[0].clone()).unwrap();
    online.sort_unstable();
    assert_eq!(online, macs(&field));
    server.until_heard("ready", 2).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_and_tried_again() {
    let server = Server::start(Manner::Silent).await;
    let field = Field::start(settings(&server)).unwrap();
    server.until_heard("register", 2).await;
    assert!(field.counters().transports_lost > 0);
}

#[tokio::test]
async fn a_node_that_the_server_sends_away_stays_away() {
    let server = Server::start(Manner::Friendly).await;
    let field = Field::start(settings(&server)).unwrap();
    server.until_heard("ready", 1).await;
    server.say_packet("1/node,");
    let counters = eventually(|| field.counters(), |counters| counters.nodes_ended == 1).await;
    assert_eq!((counters.nodes_registered, counters.transports_lost), (0, 0));
}

#[tokio::test]
async fn a_query_before_registration_or_without_instructions_is_the_end_of_a_node() {
    for (manner, fatal) in [
        (Manner::Reserved, json!(["query", { "mac": "x" }])),
        (Manner::Friendly, json!(["query", { "mac": "x", "type": 485, "pid": 1, "timeStamp": 1, "content": [] }])),
    ] {
        let server = Server::start(manner).await;
        let field = Field::start(settings(&server)).unwrap();
        server.until_heard("register", 1).await;
        eventually(|| field.counters().registrations, |&count| count == 1 || manner == Manner::Reserved).await;
        server.say(&fatal);
        eventually(|| field.counters().nodes_ended, |&ended| ended == 1).await;
    }
}

#[tokio::test]
async fn an_instruct_is_carried_out_and_reported_with_the_bytes() {
    let server = Server::start(Manner::Friendly).await;
    let field = Field::start(settings(&server)).unwrap();
    server.until_heard("terminalOn", 2).await;
    let modbus = &macs(&field)[0];
    let content = domain::frame::rtu_request(1, "0600020000").unwrap();
    server.say(&json!(["instructQuery", {
        "protocol": "p", "DevMac": modbus, "pid": 1, "type": 485, "events": "oprate1", "content": content, "Interval": 20000,
    }]));
    server.say(&json!(["DTUoprate", { "DevMac": modbus, "events": "QueryAT1", "content": "+++AT+PID" }]));
    let report = &server.until_heard("deviceopratesuccess", 1).await[0];
    assert_eq!((&report.args[0], &report.args[1]["ok"]), (&json!("oprate1"), &json!(1)));
    let echoed = eventually(|| server.heard("deviceopratesuccess")[0].attachment.clone(), Option::is_some).await;
    assert_eq!(echoed.unwrap()[..6], [1, 6, 0, 2, 0, 0]);
    let at = &server.until_heard("dtuopratesuccess", 1).await[0];
    assert_eq!(at.args[1]["msg"], "USR-LTE-7S4");
}

#[tokio::test]
async fn in_a_field_full_of_faults_the_books_balance() {
    let server = Server::start(Manner::Friendly).await;
    let faults = FaultRates {
        damaged_replies: 0.15,
        foreign_replies: 0.15,
        refusing_replies: 0.15,
        withheld_replies: 0.15,
        terminal_drops_per_hour: 36_000.0,
        ..FaultRates::default()
    };
    let (settings, mut truth) = recorded(FieldSettings { faults, ..settings(&server) });
    let field = Field::start(settings).unwrap();
    server.until_heard("terminalOn", 2).await;
    let modbus = &macs(&field)[0];
    for time_stamp in 0..100 {
        server.say(&ask_sensor(modbus, 1, time_stamp));
        let settled = |counters: &FieldCounters| {
            let done = counters.queries_answered + counters.queries_missed + counters.queries_dropped;
            i64::try_from(done).unwrap() > time_stamp && done == counters.queries_received
        };
        eventually(|| field.counters(), settled).await;
    }
    let counters = field.stop().await;
    assert_eq!(counters.posts_acknowledged, counters.queries_answered);
    assert_eq!(counters.posts_failed, 0);
    let acknowledged: Vec<Acknowledged> = std::iter::from_fn(|| truth.try_recv().ok()).collect();
    assert_eq!(acknowledged.len() as u64, counters.posts_acknowledged);
    assert_eq!(server.posts("queryData").len(), acknowledged.len());
    let replies = || acknowledged.iter().flat_map(|result| &result.replies);
    let count = |fault| replies().filter(|reply| reply.fault == Some(fault)).count();
    assert_eq!(count(ReplyFault::Damaged) as u64, counters.replies_damaged);
    assert_eq!(count(ReplyFault::Foreign) as u64, counters.replies_foreign);
    assert_eq!(count(ReplyFault::Refusing) as u64, counters.replies_refusing);
    assert!(
        counters.replies_damaged > 0 && counters.terminals_dropped > 0 && counters.queries_dropped > 0,
        "{counters:?}"
    );
}

fn bytes(data: &Value) -> Vec<u8> {
    serde_json::from_value(data.clone()).unwrap()
}
