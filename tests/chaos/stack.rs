//! The template's stack as it is deployed, with everything behind one door to AWS: brokers behind a balancer, functions
//! that get what their queues hold, a schedule that ticks, the API behind API Gateway.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use boot::SystemClock;
use jobs::{DeliverNotice, Job};
use records::Clock;
use serde_json::Value;
use telltale_tests::{ApiGateway, Aws, AwsBroker, Brake, LambdaHost, Mailbox, Proxy, QUEUES, Session, lambda_events};
use tokio::{sync::Mutex, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use super::load::{Bears, Home, PASSWORD};

/// A window is planned five seconds ahead. What differs from the template lets a field of a minute see alarms.
const WINDOW: Duration = Duration::from_secs(5);
const TOLD: [(&str, &str); 10] = [
    ("TELLTALE_SCHEDULE__WINDOW_MS", "5000"),
    ("TELLTALE_SCHEDULE__LEAD_MS", "5000"),
    ("TELLTALE_SCHEDULE__MINIMUM_INTERVAL_MS", "1000"),
    ("TELLTALE_ALARMS__MISSES_ALLOWED", "0"),
    // Each alarm is counted.
    ("TELLTALE_ALARMS__FLAPPING_MORE_THAN", "0"),
    ("TELLTALE_ALARMS__OFFLINE_DEBOUNCE_MS", "3600000"),
    ("TELLTALE_READINGS__SILENCE_MS", "0"),
    ("TELLTALE_NOTICES__TOPICS", "false"),
    ("TELLTALE_WEBHOOK__ALLOWED_NETS", r#"["127.0.0.0/8"]"#),
    ("TELLTALE_LOG", "warn"),
];

/// What the template calls the secret that says where mail goes.
const SMTP_SECRET: &str = "SmtpUrlSecretArn";
/// How long a queue that was empty is left alone.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The stack. It ends when this is dropped.
pub(crate) struct Stack {
    /// The brokers.
    pub brokers: Vec<AwsBroker>,
    /// The functions of the jobs that have a queue.
    pub functions: Vec<Arc<LambdaHost>>,
    /// What stops AWS as a whole.
    pub brake: Brake,
    aws: Arc<Mutex<Aws>>,
    balancer: Proxy,
    api: ApiGateway,
    _running: Vec<AbortOnDropHandle<()>>,
}

impl Stack {
    async fn deploy(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        let mut aws = Aws::start_behind_a_door().await?;
        let secret = aws.keep_secret(SMTP_SECRET, &mailbox.url()).await?;
        let mail = [("TELLTALE_SMTP_URL_SECRET", secret.as_str()), ("TELLTALE_SMTP_FROM", "telltale@example.org")];
        let imported = aws.function("import_site", &[]).await?.invoke(site.clone()).await?;
        ensure!(imported.is_ok(), "the site is not imported: {imported:?}");
        let mut functions = Vec::new();
        for (job, _) in QUEUES {
            // No other may read where mail goes.
            let more = if job == DeliverNotice::NAME { &mail[..] } else { &[] };
            functions.push(Arc::new(aws.function(job, &[&TOLD, more].concat()).await?));
        }
        let scheduled = [aws.function("plan_window", &TOLD).await?, aws.function("sweep", &TOLD).await?];
        let brokers = vec![aws.broker().await?, aws.broker().await?];
        let balancer = Proxy::start(brokers.iter().map(|broker| broker.address().to_owned()).collect()).await?;
        let api = ApiGateway::start(aws.function("api", &[]).await?).await?;
        let (brake, aws) = (aws.brake()?, Arc::new(Mutex::new(aws)));
        let sources = QUEUES
            .iter()
            .zip(&functions)
            .map(|((_, queue), function)| tokio::spawn(take_from(queue, Arc::clone(&aws), Arc::clone(function))));
        let running = sources.chain([tokio::spawn(tick(scheduled))]).map(AbortOnDropHandle::new).collect();
        Ok(Self { brokers, functions, brake, aws, balancer, api, _running: running })
    }

    /// Does something to what programs reach AWS through.
    pub(crate) async fn with_door(&self, what: impl FnOnce(&Proxy)) -> Result<()> {
        what(self.aws.lock().await.door().context("AWS lies behind a door")?);
        Ok(())
    }

    /// Starts another broker for each that has ended, as ECS does.
    pub(crate) async fn revive(&mut self) -> Result<()> {
        for broker in &mut self.brokers {
            if broker.has_ended()? {
                println!("a broker that was taken for dead is replaced");
                broker.restart().await?;
            }
        }
        Ok(())
    }
}

/// What Lambda does for a function: gives it what its queue holds, for ever.
async fn take_from(queue: &'static str, aws: Arc<Mutex<Aws>>, function: Arc<LambdaHost>) {
    loop {
        match take_once(queue, &aws, &function).await {
            Ok(0) => sleep(LOOK_EVERY).await,
            Ok(_) => {}
            Err(error) => {
                eprintln!("{queue}: {error:#}");
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// How many messages were taken. A batch whose run died is given again at once: a queue would hide it for minutes.
async fn take_once(queue: &'static str, aws: &Mutex<Aws>, function: &LambdaHost) -> Result<usize> {
    let batch = aws.lock().await.receive(queue).await?;
    if batch.is_empty() {
        return Ok(0);
    }
    let count = batch.len();
    let answer = function.invoke(lambda_events::sqs_batch(queue, &batch)).await?;
    let receipts: Vec<String> = batch.iter().map(|message| message.receipt.clone()).collect();
    let mut aws = aws.lock().await;
    aws.answered(queue, batch, &answer).await?;
    if answer.is_err() {
        aws.give_again(queue, &receipts.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    }
    Ok(count)
}

/// The schedule. A tick that failed is one that was missed: the next one plans the next window.
async fn tick(functions: [LambdaHost; 2]) {
    let mut ticks = tokio::time::interval(WINDOW);
    loop {
        ticks.tick().await;
        let tick = lambda_events::tick(&SystemClock.now().rfc3339());
        for function in &functions {
            if let Ok(Ok(_)) = function.invoke(tick.clone()).await {
                continue;
            }
            println!("a tick failed");
        }
    }
}

impl Home for Stack {
    const BEARS: Bears = Bears::LITTLE;

    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        Self::deploy(site, mailbox).await
    }

    fn gateways(&self) -> String {
        self.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.api.sign_in(user, PASSWORD).await
    }
}
