//! What functions consume, as their log tells it: lines in the form that CloudWatch makes metrics of.

use anyhow::Result;
use serde_json::{Value, json};
use telltale_tests::{LambdaHost, eventually, lambda_events};

use super::{cloud::Cloud, path::batch};

/// The first line of a function's log that is metrics.
async fn told_by(function: &LambdaHost) -> Value {
    eventually("metrics in the log", async || {
        function.log().into_iter().find(|line| line["_aws"]["CloudWatchMetrics"].is_array())
    })
    .await
}

/// Of these metrics, those that a line tells something of.
fn more_than_nothing<'a>(line: &Value, metrics: &[&'a str]) -> Vec<&'a str> {
    metrics.iter().copied().filter(|metric| line[metric].as_f64().is_some_and(|units| units > 0.0)).collect()
}

#[tokio::test]
async fn what_a_batch_consumed_is_told_in_the_log_of_its_function() -> Result<()> {
    let mut cloud = Cloud::start().await?;
    cloud.enqueue(vec![batch("b1", 20.0)]).await?;
    cloud.settle().await?;
    let metrics = ["ConsumedReadUnits", "ConsumedWriteUnits", "BilledReadUnits", "BilledWriteUnits", "QueueRequests"];
    let told = told_by(&cloud.functions[1].0).await;
    assert_eq!(told["Function"], "process_results");
    assert_eq!(more_than_nothing(&told, &metrics), metrics, "{told}");
    Ok(())
}

#[tokio::test]
async fn what_a_tick_consumed_is_told_in_the_log_of_its_function() -> Result<()> {
    let cloud = Cloud::start().await?;
    for job in ["plan_window", "sweep"] {
        let function = cloud.aws.function(job, &[]).await?;
        assert_eq!(function.invoke(lambda_events::tick("2100-01-01T07:00:00Z")).await?, Ok(Value::Null));
        let told = told_by(&function).await;
        assert_eq!(told["Function"], json!(job));
        assert_eq!(more_than_nothing(&told, &["ConsumedReadUnits"]), ["ConsumedReadUnits"], "{told}");
    }
    Ok(())
}
