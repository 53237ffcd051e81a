//! From what a broker saw to what people are told: each job in its function, from queue to queue.

use anyhow::{Context, Result};
use boot::SystemClock;
use jobs::{
    Job, ProcessResults,
    ports::{Message, ToBroker},
    report::Report,
};
use records::Clock;
use telltale_tests::{PATIENCE, flow::climate};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{cloud::Cloud, whole::readings_of};

/// A broker's batch with the sensor's answer, on its way.
pub(super) fn batch(name: &str, celsius: f64) -> Message {
    let at = SystemClock.now();
    let report = Report { node: "n1".to_owned(), at, event: climate(celsius, at) };
    ProcessResults { batch: name.to_owned(), reports: vec![report] }.message()
}

#[tokio::test]
async fn a_device_over_its_threshold_is_told_of_once_and_so_is_its_recovery() -> Result<()> {
    let mut cloud = Cloud::start().await?;
    let (_, inbox) = cloud.aws.link("b1").await?;
    let (sender, mut told) = mpsc::channel(100);
    tokio::spawn(inbox.run(sender, CancellationToken::new()));
    let hot = batch("b1", 40.0);
    // SQS may give a message twice, and a broker may send it twice.
    cloud.enqueue(vec![hot.clone(), hot.clone()]).await?;
    // One of the two may find the other at it, and comes again.
    cloud.settle().await?;
    assert_eq!(cloud.active().await?, 1);
    cloud.enqueue(vec![hot]).await?;
    cloud.settle().await?;
    assert_eq!(cloud.webhook.deliveries("Alarm").len(), 1);

    let shown = timeout(PATIENCE, told.recv()).await?.context("the broker hears of it")?;
    assert!(matches!(shown, ToBroker::Publish { .. }), "{shown:?}");

    cloud.enqueue(vec![batch("b2", 20.0)]).await?;
    cloud.settle().await?;
    assert_eq!((cloud.active().await?, cloud.webhook.deliveries("Recovered").len()), (0, 1));
    assert_eq!(cloud.webhook.deliveries("").len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_can_never_be_done_is_a_dead_letter_with_its_reason_and_holds_up_nothing() -> Result<()> {
    let mut cloud = Cloud::start().await?;
    let nonsense = Message { key: "nonsense".to_owned(), body: "{\"what\": 7}".into(), ..batch("b1", 40.0) };
    cloud.enqueue(vec![nonsense, batch("b2", 40.0)]).await?;
    assert_eq!(cloud.settle().await?, 0);
    assert_eq!(cloud.active().await?, 1, "the message beside it is done");
    let dead = cloud.aws.receive("ProcessResultsDeadLetters").await?;
    assert_eq!((dead.len(), dead[0].body.as_str()), (1, "{\"what\": 7}"));
    let why = dead[0].attributes["why"].as_str().unwrap_or_default();
    assert!(why.contains("not a process_results job"), "{why}");
    Ok(())
}

#[tokio::test]
async fn what_fails_for_now_comes_again_and_is_done_then() -> Result<()> {
    let mut cloud = Cloud::start().await?;
    cloud.enqueue(vec![batch("b1", 40.0)]).await?;
    cloud.aws.be_busy(30).await?;
    let (function, queue) = &cloud.functions[1];
    assert_eq!(cloud.aws.pump(function, queue).await?, (1, 1));
    cloud.aws.be_busy(0).await?;
    telltale_tests::eventually("it comes again", async || {
        let _ = cloud.settle().await;
        (cloud.active().await.ok()? == 1).then_some(())
    })
    .await;
    assert_eq!(cloud.webhook.deliveries("").len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_reading_that_says_nothing_new_is_not_stored_on_aws() -> Result<()> {
    // Told what the template says, and nothing else.
    let mut cloud = Cloud::told(&[]).await?;
    let mut stored = Vec::new();
    for (name, celsius) in [("b1", 20.0), ("b2", 20.0), ("b3", 20.0), ("b4", 20.5)] {
        cloud.enqueue(vec![batch(name, celsius)]).await?;
        cloud.settle().await?;
        stored.push(readings_of(&cloud).await.len());
    }
    assert_eq!(stored, [1, 1, 1, 2]);
    Ok(())
}
