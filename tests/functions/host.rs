//! What a function's program is to Lambda: what it tells is heard, and what happens to it costs one invocation.

use std::time::Duration;

use anyhow::{Context, Result};
use boot::SystemClock;
use records::Clock;
use serde_json::{Value, json};
use telltale_tests::{LambdaHost, eventually, http_client, lambda_events};
use tokio::net::TcpListener;

/// What a function must be told to start. It reaches AWS at `endpoint`.
fn variables(endpoint: &str) -> [(&str, &str); 6] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("TELLTALE_TABLE", "Table"),
        ("TELLTALE_SCHEDULE__WINDOW_MS", "60000"),
    ]
}

/// A function whose events lead to nothing on AWS.
async fn fan_out() -> Result<LambdaHost> {
    LambdaHost::start("fan_out", &variables("http://127.0.0.1:9"), Duration::from_secs(35)).await
}

/// An event that every queue's function answers at once.
fn nothing() -> Value {
    lambda_events::sqs_batch("FanOutQueue", [])
}

#[tokio::test]
async fn a_program_that_does_not_start_fails_the_invocation_and_says_why_in_the_log() -> Result<()> {
    let function = LambdaHost::start("fan_out", &[], Duration::from_secs(35)).await?;
    for programs in 1..=2 {
        let error = function.invoke(nothing()).await?.unwrap_err();
        assert_eq!(error["errorType"], "Runtime.ExitError", "{error}");
        assert!(error["errorMessage"].as_str().unwrap_or_default().contains("exit status 1"), "{error}");
        assert!(function.programs() >= programs, "each invocation tries anew");
    }
    eventually("the reason in the log", async || {
        let said = |line: &Value| line["message"].as_str().is_some_and(|line| line.contains("missing field `table`"));
        function.log().iter().any(said).then_some(())
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn what_a_program_tells_of_its_start_is_the_end_of_the_invocation() -> Result<()> {
    let function = fan_out().await?;
    let api = function.runtime_api().await.context("a program runs")?;
    let url = format!("http://{api}/2018-06-01/runtime/init/error");
    let why = json!({ "errorType": "Extension.NoStart", "errorMessage": "no luck" });
    assert_eq!(http_client()?.post(url).json(&why).send().await?.status(), 202);
    assert_eq!(function.invoke(nothing()).await?, Err(why));
    assert_eq!(function.invoke(nothing()).await?, Ok(json!({ "batchItemFailures": [] })));
    assert_eq!(function.programs(), 2);
    Ok(())
}

#[tokio::test]
async fn an_answer_to_another_request_counts_for_nothing() -> Result<()> {
    let function = fan_out().await?;
    let api = function.runtime_api().await.context("a program runs")?;
    for how in ["response", "error"] {
        let url = format!("http://{api}/2018-06-01/runtime/invocation/8476a536/{how}");
        assert_eq!(http_client()?.post(url).json(&json!({})).send().await?.status(), 400);
    }
    assert_eq!(function.invoke(nothing()).await?, Ok(json!({ "batchItemFailures": [] })));
    Ok(())
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_killed_and_the_next_event_finds_a_new_program() -> Result<()> {
    let timeout = Duration::from_millis(1500);
    let silent = TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = format!("http://{}", silent.local_addr()?);
    let function = LambdaHost::start("sweep", &variables(&endpoint), timeout).await?;
    for programs in 1..=2 {
        let began = SystemClock.now();
        let error = function.invoke(lambda_events::tick("2026-11-24T07:01:00Z")).await?.unwrap_err();
        assert_eq!(error["errorType"], "Sandbox.Timedout");
        let message = error["errorMessage"].as_str().unwrap_or_default();
        assert_eq!(message, format!("RequestId: {} Error: Task timed out after 1.50 seconds", function.request()));
        assert!(SystemClock.now().since(began) >= timeout, "not before its time is up");
        assert_eq!(function.programs(), programs);
    }
    Ok(())
}

#[tokio::test]
async fn a_program_that_dies_with_its_answer_costs_that_invocation_alone() -> Result<()> {
    let function = fan_out().await?;
    function.loses_an_answer();
    let error = function.invoke(nothing()).await?.unwrap_err();
    let message = error["errorMessage"].as_str().unwrap_or_default();
    assert!(message.ends_with("Runtime exited with error: signal: killed"), "{message}");
    assert_eq!(function.invoke(nothing()).await?, Ok(json!({ "batchItemFailures": [] })));
    assert_eq!(function.programs(), 2);
    Ok(())
}

#[tokio::test]
async fn one_program_answers_one_event_after_another() -> Result<()> {
    let function = fan_out().await?;
    let mut requests = Vec::new();
    for _ in 0..3 {
        function.invoke(nothing()).await?.unwrap();
        requests.push(function.request());
    }
    requests.dedup();
    assert_eq!((requests.len(), function.programs()), (3, 1));
    Ok(())
}
