//! Events that are not what they should be, and what the log says of an invocation.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{LambdaHost, Received, eventually, lambda_events};

use super::{cloud::Cloud, path::batch};

const QUEUE: &str = "ProcessResultsQueue";

fn process_results(cloud: &Cloud) -> Arc<LambdaHost> {
    Arc::clone(&cloud.functions[1].0)
}

/// A message that was never in a queue, with a body.
fn record(id: &str, body: &str) -> Value {
    let message = Received {
        id: id.to_owned(),
        receipt: "r".to_owned(),
        receives: "1".to_owned(),
        body: body.to_owned(),
        attributes: json!({}),
    };
    lambda_events::sqs_record(QUEUE, &message)
}

#[tokio::test]
async fn an_event_that_is_no_batch_fails_its_invocation_and_the_program_goes_on() -> Result<()> {
    let cloud = Cloud::start().await?;
    let function = process_results(&cloud);
    let events =
        [json!({}), json!([]), json!("Records"), Value::Null, json!({ "Records": null }), json!({ "Records": {} })];
    for event in events {
        let refused = function.invoke(event.clone()).await?;
        assert!(refused.as_ref().is_err_and(|error| error["errorMessage"].is_string()), "{event}: {refused:?}");
    }
    let good = json!({ "Records": [record("good", &text(&batch("b1", 40.0).body))] });
    assert_eq!(function.invoke(good).await?, Ok(json!({ "batchItemFailures": [] })));
    assert_eq!(function.programs(), 1);
    Ok(())
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_a_dead_letter_with_its_reason_and_blocks_nobody() -> Result<()> {
    let mut cloud = Cloud::start().await?;
    let without = |field: &str| {
        let mut record = record("bad", "{}");
        record.as_object_mut().unwrap().remove(field);
        record
    };
    let mut numeric = record("bad", "");
    numeric["body"] = json!(7);
    let good = record("good", &text(&batch("b1", 40.0).body));
    let bad =
        [without("body"), without("messageId"), without("receiptHandle"), numeric, json!("no record"), Value::Null];
    let records: Vec<Value> = bad.iter().cloned().chain([record("empty", ""), good]).collect();

    let answer = process_results(&cloud).invoke(json!({ "Records": records })).await?;
    assert_eq!(answer, Ok(json!({ "batchItemFailures": [] })));
    cloud.settle().await?;
    assert_eq!(cloud.active().await?, 1, "the message beside them is done");

    let dead = cloud.aws.receive("ProcessResultsDeadLetters").await?;
    let bodies: BTreeSet<String> = dead.iter().map(|dead| dead.body.clone()).collect();
    // A letter's body may not be empty.
    let expected: BTreeSet<String> = bad.iter().map(Value::to_string).chain([" ".to_owned()]).collect();
    assert_eq!(bodies, expected);
    for dead in dead {
        let why = dead.attributes["why"].as_str().unwrap_or_default();
        let expected = if dead.body == " " { "not a process_results job" } else { "not a message of SQS: " };
        assert!(why.contains(expected), "{}: {why}", dead.body);
        assert_eq!(dead.attributes["job"], "process_results");
    }
    Ok(())
}

#[tokio::test]
async fn what_an_invocation_logs_carries_its_request() -> Result<()> {
    let cloud = Cloud::start().await?;
    let function = process_results(&cloud);
    let events = [json!({ "Records": [record("a", "nonsense")] }), json!({}), json!({ "Records": [record("b", "7")] })];
    let mut requests = Vec::new();
    for event in events {
        // Some fail, and each says so.
        let _ = function.invoke(event).await?;
        requests.push(function.request());
    }
    for (request, said) in requests.iter().zip(["can never be done", "deserialization", "can never be done"]) {
        eventually(&format!("a line of {request} that says {said:?}"), async || {
            let is_it = |line: &Value| {
                let message = line["message"].as_str().unwrap_or_default();
                line["span"]["request.id"] == *request && message.contains(said)
            };
            function.log().iter().any(is_it).then_some(())
        })
        .await;
    }
    let plain: Vec<Value> = function.log().into_iter().filter(Value::is_string).collect();
    assert_eq!(plain, [Value::Null; 0], "every line is JSON");
    Ok(())
}

#[tokio::test]
async fn the_request_is_told_however_little_is_logged() -> Result<()> {
    let cloud = Cloud::start().await?;
    let function = cloud.aws.function("plan_window", &[("TELLTALE_LOG", "error")]).await?;
    function.invoke(json!({ "time": "soon" })).await?.unwrap_err();
    eventually("the refusal in the log", async || {
        function.log().iter().any(|line| line["span"]["request.id"] == function.request()).then_some(())
    })
    .await;
    Ok(())
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}
