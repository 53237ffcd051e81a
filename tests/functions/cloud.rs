//! AWS with all functions, and no broker.

use std::sync::Arc;

use anyhow::{Context, Result};
use boot::SystemClock;
use jobs::ports::{Enqueue, Message};
use records::{
    Clock, Table,
    alarms::{self, Which},
    users::{self, Webhook},
};
use table::DynamoDbTable;
use telltale_tests::{Aws, LambdaHost, QUEUES, Taken, WebhookReceiver, flow};

/// Receivers are on this machine. Readings are kept although nothing moves, and topics hear of nothing, as on a box.
const LOCAL: [(&str, &str); 3] = [
    ("TELLTALE_WEBHOOK__ALLOWED_NETS", r#"["127.0.0.0/8"]"#),
    ("TELLTALE_READINGS__SILENCE_MS", "0"),
    ("TELLTALE_NOTICES__TOPICS", "false"),
];

/// A site on AWS, its functions, and whoever is told.
pub(crate) struct Cloud {
    pub aws: Aws,
    pub table: DynamoDbTable,
    /// The functions of the jobs that have a queue, in the order of [`QUEUES`], each with its queue.
    pub functions: Vec<(Arc<LambdaHost>, &'static str)>,
    pub webhook: WebhookReceiver,
}

impl Cloud {
    /// A node with a terminal and a climate sensor; a technician who has a webhook.
    pub(crate) async fn start() -> Result<Self> {
        Self::told(&LOCAL).await
    }

    /// The same, the functions told this beside what the template tells them.
    pub(crate) async fn told(more: &[(&str, &str)]) -> Result<Self> {
        let aws = Aws::start().await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let table = aws.table(Arc::clone(&clock)).await?;
        flow::furnish(&table, clock.now()).await;
        let webhook = WebhookReceiver::start().await?;
        tell_at(&table, &webhook).await?;
        let mut functions = Vec::new();
        for (job, queue) in QUEUES {
            functions.push((Arc::new(aws.function(job, more).await?), queue));
        }
        Ok(Self { aws, table, functions, webhook })
    }

    /// Puts messages into the queues of their jobs.
    pub(crate) async fn enqueue(&self, messages: Vec<Message>) -> Result<()> {
        Ok(self.aws.queues(Arc::new(SystemClock)).await?.enqueue(messages).await?)
    }

    /// Gives the functions what their queues hold, until there is nothing more. How many messages are to come again.
    pub(crate) async fn settle(&mut self) -> Result<usize> {
        let taken = self.settle_but(&[]).await?;
        Ok(taken.iter().filter(|(_, taken)| !taken.is_forgotten).count())
    }

    /// The same but for some jobs. What each job's function was given, and what became of it.
    pub(crate) async fn settle_but(&mut self, held: &[&str]) -> Result<Vec<(&'static str, Taken)>> {
        let mut all = Vec::new();
        loop {
            let before = all.len();
            for ((job, queue), (function, _)) in QUEUES.iter().zip(&self.functions) {
                if !held.contains(job) {
                    let taken = self.aws.take(function, queue).await?;
                    all.extend(taken.into_iter().map(|taken| (*job, taken)));
                }
            }
            if all.len() == before {
                return Ok(all);
            }
        }
    }

    /// How many alarms there are.
    pub(crate) async fn active(&self) -> Result<usize> {
        Ok(alarms::list(&self.table, Which::Active, 10, None).await?.items.len())
    }
}

/// The technician is told at a webhook, and nowhere else.
pub(crate) async fn tell_at(table: &dyn Table, webhook: &WebhookReceiver) -> Result<()> {
    let mut technician = users::get(table, "tech").await?.context("the technician is there")?;
    technician.mail = None;
    technician.webhook = Some(Webhook { url: webhook.url(), secret: WebhookReceiver::secret() });
    Ok(users::put(table, &technician).await?)
}
