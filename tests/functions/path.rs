//! From what a broker saw to what people are told: each job in its function, from queue to queue.

use std::sync::Arc;

use anyhow::{Context, Result};
use boot::SystemClock;
use jobs::{
    Job, ProcessResults,
    ports::{Enqueue, Message, ToBroker},
    report::Report,
};
use records::{
    Clock,
    alarms::{self, Which},
    users::{self, Webhook},
};
use table::DynamoDbTable;
use telltale_tests::{
    Aws, LambdaHost, PATIENCE, QUEUES, WebhookReceiver,
    flow::{self, climate},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

/// A site on AWS, its functions, and whoever is told.
struct Cloud {
    aws: Aws,
    table: DynamoDbTable,
    functions: Vec<(LambdaHost, &'static str)>,
    webhook: WebhookReceiver,
    inbox: mpsc::Receiver<ToBroker>,
}

impl Cloud {
    async fn start() -> Result<Self> {
        let aws = Aws::start().await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let table = aws.table(Arc::clone(&clock)).await?;
        flow::furnish(&table, clock.now()).await;
        let webhook = WebhookReceiver::start().await?;
        let mut technician = users::get(&table, "tech").await?.context("the technician is there")?;
        technician.mail = None;
        technician.webhook = Some(Webhook { url: webhook.url(), secret: WebhookReceiver::secret() });
        users::put(&table, &technician).await?;
        let (_, inbox) = aws.link("b1").await?;
        let (sender, receiver) = mpsc::channel(100);
        tokio::spawn(inbox.run(sender, CancellationToken::new()));
        let mut functions = Vec::new();
        for (job, queue) in QUEUES {
            let local = [("TELLTALE_NOTIFY__WEBHOOK__ALLOWED_NETS", r#"["127.0.0.0/8"]"#)];
            functions.push((aws.function(job, &local).await?, queue));
        }
        Ok(Self { aws, table, functions, webhook, inbox: receiver })
    }

    async fn enqueue(&self, messages: Vec<Message>) -> Result<()> {
        Ok(self.aws.queues(Arc::new(SystemClock)).await?.enqueue(messages).await?)
    }

    /// Gives the functions what their queues hold, until there is nothing more. How many messages are to come again.
    async fn settle(&mut self) -> Result<usize> {
        let mut failed = 0;
        loop {
            let mut given = 0;
            for (function, queue) in &self.functions {
                let (all, again) = self.aws.pump(function, queue).await?;
                (given, failed) = (given + all, failed + again);
            }
            if given == 0 {
                return Ok(failed);
            }
        }
    }

    async fn active(&self) -> Result<usize> {
        Ok(alarms::list(&self.table, Which::Active, 10, None).await?.items.len())
    }
}

/// A broker's batch with the sensor's answer, on its way.
fn batch(name: &str, celsius: f64) -> Message {
    let at = SystemClock.now();
    let report = Report { node: "n1".to_owned(), at, event: climate(celsius, at) };
    ProcessResults { batch: name.to_owned(), reports: vec![report] }.message()
}

#[tokio::test]
async fn a_device_over_its_threshold_is_told_of_once_and_so_is_its_recovery() -> Result<()> {
    let mut cloud = Cloud::start().await?;
    let hot = batch("b1", 40.0);
    // SQS may give a message twice, and a broker may send it twice.
    cloud.enqueue(vec![hot.clone(), hot.clone()]).await?;
    assert_eq!(cloud.settle().await?, 0);
    assert_eq!(cloud.active().await?, 1);
    cloud.enqueue(vec![hot]).await?;
    assert_eq!(cloud.settle().await?, 0);
    assert_eq!(cloud.webhook.deliveries("Alarm").len(), 1);

    let shown = timeout(PATIENCE, cloud.inbox.recv()).await?.context("the broker hears of it")?;
    assert!(matches!(shown, ToBroker::Publish { .. }), "{shown:?}");

    cloud.enqueue(vec![batch("b2", 20.0)]).await?;
    assert_eq!(cloud.settle().await?, 0);
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
