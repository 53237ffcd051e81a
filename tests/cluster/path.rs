//! What one process does, several do: wherever the table is.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{Cluster, LiveClient, Slave, TableAt, Variant, WebhookReceiver};

use super::{
    NOBODY, Stand,
    dynamodb_away::{a_post, are_acknowledged, until_stored},
    gateway,
};
use crate::wire::{
    field::{items, until_latest},
    site::{HALL, METER, PASSWORD, QUICK, SENSOR, site},
};

macro_rules! wherever_the_table_is {
    ([$($test:ident),* $(,)?]) => {
        mod over_an_owner {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test(telltale_tests::TableAt::Owner).await
            })*
        }
        mod on_dynamodb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test(telltale_tests::TableAt::DynamoDb).await
            })*
        }
    };
}

wherever_the_table_is!([
    a_reading_becomes_a_letter_and_an_order_reaches_its_device,
    what_one_broker_gets_is_pushed_by_another,
    what_is_posted_at_both_brokers_is_stored_once,
    when_a_broker_and_a_worker_are_killed_the_others_go_on,
]);

async fn a_reading_becomes_a_letter_and_an_order_reaches_its_device(table: TableAt) -> Result<()> {
    let mut stand = Stand::start(table).await?;
    stand.until_temperature("25.3").await?;
    stand.slave.set(SENSOR, &[352, 600, 1]).await?;
    stand.until_told("Alarm").await?;
    stand.until_temperature("35.2").await?;

    let end = stand.operated("set temperature", 27.4).await?;
    assert_eq!(end["state"], "done", "{end}");
    stand.until_temperature("27.4").await?;
    stand.until_told("Recovered").await?;
    assert_eq!(["Alarm", "Recovered"].map(|subject| stand.webhook.deliveries(subject).len()), [1, 1]);
    assert!(stand.gateway.lives()?);
    Ok(())
}

async fn what_one_broker_gets_is_pushed_by_another(table: TableAt) -> Result<()> {
    let stand = Stand::start(table).await?;
    // A sign-in at the API is believed by the broker, which shares no folder with it on DynamoDB.
    let client = LiveClient::start(&stand.cluster.brokers[1].url(), stand.ann.token(), &[HALL]).await?;
    client.until("pushed a reading", |envelopes| (!envelopes.is_empty()).then_some(())).await
}

async fn what_is_posted_at_both_brokers_is_stored_once(table: TableAt) -> Result<()> {
    let stand = Stand::start(table).await?;
    stand.until_temperature("25.3").await?;
    let post = a_post(&stand.gateway).await?;
    let asked = post["data"]["timeStamp"].as_i64().context("a post says when it was asked")?;
    let instants: BTreeSet<i64> = (1..=30).map(|number| asked + number).collect();
    let [first, second] = [0, 1].map(|broker| stand.cluster.brokers[broker].url());
    tokio::try_join!(
        are_acknowledged(&first, &post, instants.iter().copied()),
        are_acknowledged(&second, &post, instants.iter().rev().copied()),
    )?;
    until_stored(&stand.ann, &instants).await?;
    let none_waits = |jobs: &Value| {
        let of_results = jobs.as_array()?.iter().find(|job| job["job"] == "process_results")?;
        (of_results["waiting"] == 0 && of_results["running"] == 0).then_some(())
    };
    stand.root.until("/api/jobs", "an instant without work", none_waits).await?;
    let stored = stand.ann.get(&format!("/api/terminals/{HALL}/devices/{SENSOR}/history?limit=200")).await?;
    let mut asked: Vec<String> = items(&stored).iter().map(|reading| reading["asked"].to_string()).collect();
    let all = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), all, "of {all} readings some are there twice");
    Ok(())
}

async fn when_a_broker_and_a_worker_are_killed_the_others_go_on(table: TableAt) -> Result<()> {
    let mut stand = Stand::start(table).await?;
    stand.until_temperature("25.3").await?;
    stand.cluster.workers[0].kill().await?;
    stand.cluster.brokers[0].kill().await?;
    stand.cluster.brokers[0].restart().await?;
    stand.slave.set(SENSOR, &[352, 600, 1]).await?;
    stand.until_temperature("35.2").await?;
    stand.until_told("Alarm").await?;

    stand.cluster.workers[1].terminate().await?;
    stand.cluster.workers[0].restart().await?;
    stand.slave.set(SENSOR, &[253, 600, 1]).await?;
    stand.until_told("Recovered").await?;
    let ready = |list: &Value| items(list).first().filter(|node| node["session"]["ready"] == true).map(drop);
    stand.root.until("/api/nodes", "a session that is ready", ready).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_explains_an_alarm_and_tries_a_rule_on_a_dynamodb_table_in_use() -> Result<()> {
    let mut stand = Stand::start(TableAt::DynamoDb).await?;
    stand.until_temperature("25.3").await?;
    stand.slave.set(SENSOR, &[352, 600, 1]).await?;
    stand.until_told("Alarm").await?;
    let first = |list: &Value| items(list).first().and_then(|alarm| alarm["id"].as_str()).map(str::to_owned);
    let alarm = stand.ann.until("/api/alarms", "an alarm", first).await?;
    // That the letter was taken is stored a moment after it was.
    let receipt = |explained: &Value| (explained["steps"][0]["notices"][0]["status"] == "sent").then_some(());
    stand.root.until(&format!("/api/alarms/{alarm}/explain"), "the receipt", receipt).await?;

    let explained: Value = serde_json::from_str(&stand.cluster.tell("explain", &["--json", &alarm]).await?)?;
    let step = &explained["steps"][0];
    assert_eq!((&explained["alarm"]["id"], &explained["whole"]), (&json!(alarm), &json!(true)));
    let reply = step["cause"]["facts"][0]["frames"][0]["reply"].as_str().unwrap_or_default();
    assert!(reply.starts_with("0103") && reply.contains("0160"), "35.2 ℃ on the line: {step}");
    assert_eq!((&step["notices"][0]["user"], &step["notices"][0]["status"]), (&json!("ann"), &json!("sent")));
    let text = stand.cluster.tell("explain", &[&alarm]).await?;
    for line in [format!("alarm {alarm}"), format!("-> {reply}"), "  told   ann by webhook at ".to_owned()] {
        assert!(text.contains(&line), "{line:?} is missing in\n{text}");
    }
    let nowhere = stand.cluster.tell("explain", &["01JZZZZZZZZZZZZZZZZZZZZZZ1"]).await.unwrap_err().to_string();
    assert!(nowhere.contains("there is no alarm 01JZ"), "{nowhere}");

    let folder = tempfile::tempdir()?;
    let rule = folder.path().join("rule.json");
    let condition = json!({ "kind": "compare", "name": "temperature", "is": ">", "to": 30 });
    let form = json!({ "name": "Hot", "everybody": true, "scope": { "kind": "everywhere" }, "severity": "critical",
        "condition": condition });
    std::fs::write(&rule, form.to_string())?;
    let arguments = ["--json", "--last", "10m", rule.to_str().unwrap_or_default()];
    let tried: Value = serde_json::from_str(&stand.cluster.tell("backtest", &arguments).await?)?;
    assert_eq!((&tried["alarms"], &tried["standing"]), (&json!(1), &json!(1)), "{tried}");
    let told: Vec<&Value> = tried["notices"].as_array().into_iter().flatten().map(|told| &told["user"]).collect();
    assert!(told.contains(&&json!("ann")) && tried["assumed"].is_array(), "{tried}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_does_everything_does_it_on_dynamodb_and_imports_its_site() -> Result<()> {
    let (slave, webhook) =
        tokio::try_join!(Slave::start([(SENSOR, &[253, 600, 1]), (METER, &[230])]), WebhookReceiver::start())?;
    let cluster = Cluster::start_at(TableAt::DynamoDb, NOBODY, "streams", &json!({}), QUICK).await?;
    let serve = cluster.another("serve", Some(&site(Variant::OneSocket, &webhook))).await?;
    let _gateway = gateway(&slave, &serve)?;
    let ann = cluster.sign_in_at(&serve, "ann", PASSWORD).await?;
    until_latest(&ann, HALL, SENSOR, "temperature", "25.3").await
}
