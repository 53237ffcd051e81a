//! A spool that is full: what comes then is refused, and nothing that was acknowledged is lost.

use anyhow::{Context, Result};
use reqwest::Client;
use serde_json::{Value, json};
use telltale_tests::{Size, eventually, flow, http_client};

use super::Operated;

pub(super) const TOKEN: &str = "the gateway's";
pub(super) const MAC: &str = "98D863CC870D";
/// When the first result was asked, by our clock.
pub(super) const FIRST: i64 = 1_700_000_000_000;
/// Each result carries so much beside what is understood of it.
const BALLAST: usize = 20_000;

pub(super) fn site() -> Value {
    json!({
        "protocols": [serde_json::from_str::<Value>(include_str!("../../fixtures/th-modbus.protocol.json")).unwrap()],
        "nodes": [{ "Name": "hill", "Port": 9000, "MaxConnections": 100, "token": TOKEN }],
        "terminals": [{ "DevMac": MAC, "name": "hall", "mountNode": "hill", "mountDevs": [
            { "Type": "th", "mountDev": "TH-10", "protocol": protocol(), "pid": 1 },
        ] }],
        "users": [{ "user": "root", "name": "Root", "passwd": super::PASSWORD, "userGroup": "admin" }],
    })
}

fn protocol() -> Value {
    let document: Value = serde_json::from_str(include_str!("../../fixtures/th-modbus.protocol.json")).unwrap();
    document["Protocol"].clone()
}

/// Posts the result of a query of the sensor, the `number`-th; the status.
pub(super) async fn post(client: &Client, broker: &str, number: i64) -> Result<u16> {
    post_with(client, broker, TOKEN, number).await
}

/// The same by a gateway with this token.
pub(super) async fn post_with(client: &Client, broker: &str, token: &str, number: i64) -> Result<u16> {
    let mut frame = vec![1, 3, 4, 0, 253, 2, 88];
    frame.extend(domain::frame::crc16_modbus(&frame).to_le_bytes());
    let reply =
        |content: &str, bytes: &[u8]| json!({ "content": content, "buffer": { "type": "Buffer", "data": bytes } });
    let body = json!({ "data": {
        "mac": MAC, "pid": 1, "type": 485, "protocol": protocol(), "timeStamp": FIRST + number * 1000,
        "content": [flow::CLIMATE], "Interval": 5000, "useTime": 60, "useBytes": 17,
        "contents": [reply(flow::CLIMATE, &frame), reply("010300640001c5d5", &vec![0; BALLAST])],
    } });
    let posted = client.post(format!("{broker}/api/node/queryData")).header("x-node-token", token).json(&body);
    Ok(posted.send().await?.status().as_u16())
}

pub(super) async fn ready(client: &Client, broker: &str) -> Result<(u16, Value)> {
    let answer = client.get(format!("{broker}/health/ready")).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// When the results were asked that wait for a worker, the next first.
pub(super) async fn waiting(home: &Operated) -> Result<Vec<i64>> {
    let root = home.cluster.sign_in("root", super::PASSWORD).await?;
    let jobs = root.get("/api/jobs/process_results/waiting?limit=200").await?;
    let reports = jobs.as_array().context("a list")?.iter().filter_map(|job| job["body"]["reports"].as_array());
    Ok(reports.flatten().filter_map(|report| report["event"]["asked"].as_i64()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_spool_answers_503_and_all_that_was_acknowledged_is_stored_in_order_and_once() -> Result<()> {
    let one_of_each = Size { brokers: 1, workers: 1, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    let mut home = Operated::sized(one_of_each, &site(), "[notify.webhook]\nallowed_nets = ['127.0.0.0/8']").await?;
    let (client, broker) = (http_client()?, home.cluster.brokers[0].url());
    assert_eq!(post(&client, &broker, 0).await?, 200);
    home.cluster.workers[0].kill().await?;
    home.cluster.redis.kill().await?;
    let (mut acknowledged, mut next) = (vec![FIRST], 1);
    loop {
        match post(&client, &broker, next).await? {
            200 => acknowledged.push(FIRST + next * 1000),
            status => {
                assert_eq!(status, 503);
                break;
            }
        }
        next += 1;
        assert!(next < 500, "the spool is never full");
    }
    assert!(acknowledged.len() > 10, "{acknowledged:?}");
    let (status, said) = ready(&client, &broker).await?;
    assert_eq!((status, &said["code"]), (503, &json!("spool-full")));
    home.until_told("Alarm: broker:", 2).await;
    let needs = |subject: &str| {
        let mut needs: Vec<String> =
            home.operator.deliveries(subject).iter().map(|told| told.body["data"]["needs"].to_string()).collect();
        needs.sort_unstable();
        needs
    };
    assert_eq!(needs("Alarm"), [r#""queue""#, r#""spool""#]);

    home.cluster.redis.restart().await?;
    home.until_told("Recovered", 2).await;
    assert_eq!(needs("Recovered"), [r#""queue""#, r#""spool""#]);
    let (status, said) = ready(&client, &broker).await?;
    assert_eq!((status, &said["status"]), (200, &json!("ok")));
    let order = waiting(&home).await?;
    assert_eq!(order, acknowledged[acknowledged.len() - order.len()..], "they wait in the order in which they came");
    assert!(order.len() + 2 > acknowledged.len(), "{} of {}", order.len(), acknowledged.len());
    // What was refused is said again, as gateways do.
    assert_eq!(post(&client, &broker, next).await?, 200);
    acknowledged.push(FIRST + next * 1000);

    home.cluster.workers[0].restart().await?;
    are_stored_once_each(&home, &acknowledged).await
}

/// Waits until so many results are stored, and asserts that they are those that were asked at these instants.
pub(super) async fn are_stored_once_each(home: &Operated, acknowledged: &[i64]) -> Result<()> {
    let root = home.cluster.sign_in("root", super::PASSWORD).await?;
    let path = format!("/api/terminals/{MAC}/devices/1/history?limit=200");
    let stored = eventually("all of it is stored", async || {
        let list = root.get(&path).await.ok()?;
        let items = list["items"].as_array()?.clone();
        (items.len() >= acknowledged.len()).then_some(items)
    })
    .await;
    let mut asked: Vec<String> = stored.iter().map(|reading| reading["asked"].to_string()).collect();
    asked.sort_unstable();
    let wanted: Vec<String> =
        acknowledged.iter().map(|at| json!(domain::Timestamp(*at).rfc3339()).to_string()).collect();
    assert_eq!(asked, wanted);
    Ok(())
}
