//! Ticks of the schedule.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use boot::SystemClock;
use domain::{Source, Timestamp};
use records::{
    Clock, Table,
    alarms::{self, Watch},
    nodes::{self, Session},
};
use serde_json::{Value, json};
use telltale_tests::{Aws, ManualClock, lambda_events};

use super::asked::Asked;

const SECOND: Duration = Duration::from_secs(1);

/// Opens a node's session in the table of `aws`.
async fn connect(aws: &Aws, node: &str, ready: bool) -> Result<()> {
    let table = aws.table(Arc::new(ManualClock::new())).await?;
    let session = Session {
        node: node.to_owned(),
        broker: "b1".to_owned(),
        connection: "c1".to_owned(),
        since: Timestamp(0),
        ready,
    };
    nodes::open_session(&table, &session).await?;
    Ok(())
}

/// The schedule's event. The year is far enough ahead for its window never to be over.
fn tick() -> Value {
    lambda_events::tick("2100-01-01T07:00:00Z")
}

#[tokio::test]
async fn plan_window_enqueues_the_next_minute_of_each_node_that_is_ready() -> Result<()> {
    let mut aws = Aws::start().await?;
    connect(&aws, "north", true).await?;
    connect(&aws, "south", false).await?;
    let function = aws.function("plan_window", &[]).await?;

    assert_eq!(function.invoke(tick()).await?, Ok(Value::Null));

    let received = aws.receive("DispatchQueriesQueue").await?;
    assert_eq!(received.len(), 1, "{received:?}");
    let job: Value = serde_json::from_str(&received[0].body)?;
    assert_eq!(job, json!({ "node": "north", "from": 4_102_470_060_000_u64, "until": 4_102_470_120_000_u64 }));
    assert_eq!(received[0].attributes, json!({ "key": "north/4102470060000", "max_attempts": "10" }));
    Ok(())
}

#[tokio::test]
async fn plan_window_fails_its_invocation_when_the_queue_takes_nothing_and_works_the_next_time() -> Result<()> {
    let mut aws = Aws::start().await?;
    connect(&aws, "north", true).await?;
    let function = aws.function("plan_window", &[]).await?;

    aws.be_busy(100).await?;
    let error = function.invoke(tick()).await?.unwrap_err();
    assert_eq!(error["errorType"], "plan_window.again", "{error}");

    aws.be_busy(0).await?;
    assert_eq!(function.invoke(tick()).await?, Ok(Value::Null));
    assert_eq!(aws.receive("DispatchQueriesQueue").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_tick_that_came_too_late_plans_nothing_and_its_dead_letter_says_so_through_the_api() -> Result<()> {
    let mut aws = Aws::start().await?;
    connect(&aws, "north", true).await?;
    let function = aws.function("plan_window", &[]).await?;
    let late = lambda_events::tick("2026-01-01T07:00:00Z");
    let error = function.invoke(late.clone()).await?.unwrap_err();
    assert_eq!(error["errorType"], "plan_window.late", "{error}");
    assert_eq!(aws.receive("DispatchQueriesQueue").await?, []);

    // Once its runs are used up, Lambda gives the event to the dead letters.
    let undone = lambda_events::undone("plan_window", &late, &error, 3);
    aws.put("PlanWindowDeadLetters", &undone.to_string()).await?;
    let (status, letters) = Asked::start(&aws).await?.get("/api/jobs/plan_window/dead-letters", "limit=10").await?;
    assert_eq!((status, letters.as_array().map(Vec::len)), (200, Some(1)), "{letters}");
    let why = letters[0]["why"].as_str().unwrap_or_default();
    assert!(why.starts_with("the window that begins at 2026-01-01T07:01:00.000Z is over"), "{letters}");
    Ok(())
}

#[tokio::test]
async fn plan_window_refuses_an_event_that_is_no_tick_and_goes_on() -> Result<()> {
    let aws = Aws::start().await?;
    let function = aws.function("plan_window", &[]).await?;
    for event in [json!({}), json!({ "time": "soon" }), json!([1]), Value::Null] {
        let refused = function.invoke(event.clone()).await?;
        assert!(refused.is_err(), "{event}: {refused:?}");
    }
    assert_eq!(function.invoke(tick()).await?, Ok(Value::Null));
    Ok(())
}

#[tokio::test]
async fn sweep_has_looked_at_what_is_due_before_the_next_tick_when_it_is_due() -> Result<()> {
    let mut aws = Aws::start().await?;
    let table = aws.table(Arc::new(ManualClock::new())).await?;
    let now = SystemClock.now();
    let (due, soon, later) = (now.minus(SECOND), now.plus(30 * SECOND), now.plus(10 * 60 * SECOND));
    for (due, name) in [(due, "due"), (soon, "soon"), (later, "later")] {
        let source = Source::Node(name.to_owned());
        let watch = records::Versioned { value: Watch { timer: Some(due), ..Watch::default() }, version: 0 };
        assert!(table.transact(alarms::put_watch(&source, &watch, None)?).await?.applied());
    }
    let function = aws.function("sweep", &[]).await?;
    assert_eq!(function.invoke(tick()).await?, Ok(Value::Null));
    let received = aws.receive("EvaluateAlarmsQueue").await?;
    let looked_at: Vec<&str> = received.iter().map(|message| message.body.as_str()).collect();
    assert_eq!(received.len(), 1, "what is due soon is held back: {looked_at:?}");
    assert!(looked_at[0].contains("\"node\":\"due\""), "{looked_at:?}");
    Ok(())
}
