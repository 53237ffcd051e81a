//! AWS with all functions, and no broker.

use std::sync::Arc;

use anyhow::{Context, Result};
use boot::SystemClock;
use jobs::ports::{Enqueue, Message};
use records::{
    Clock,
    alarms::{self, Which},
    users::{self, Webhook},
};
use table::DynamoDbTable;
use telltale_tests::{Aws, LambdaHost, QUEUES, WebhookReceiver, flow};

/// A site on AWS, its functions, and whoever is told.
pub(crate) struct Cloud {
    pub aws: Aws,
    pub table: DynamoDbTable,
    pub functions: Vec<(LambdaHost, &'static str)>,
    pub webhook: WebhookReceiver,
}

impl Cloud {
    /// A node with a terminal and a climate sensor; a technician who has a webhook.
    pub(crate) async fn start() -> Result<Self> {
        let aws = Aws::start().await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let table = aws.table(Arc::clone(&clock)).await?;
        flow::furnish(&table, clock.now()).await;
        let webhook = WebhookReceiver::start().await?;
        let mut technician = users::get(&table, "tech").await?.context("the technician is there")?;
        technician.mail = None;
        technician.webhook = Some(Webhook { url: webhook.url(), secret: WebhookReceiver::secret() });
        users::put(&table, &technician).await?;
        let mut functions = Vec::new();
        for (job, queue) in QUEUES {
            let local = [("TELLTALE_WEBHOOK__ALLOWED_NETS", r#"["127.0.0.0/8"]"#)];
            functions.push((aws.function(job, &local).await?, queue));
        }
        Ok(Self { aws, table, functions, webhook })
    }

    /// Puts messages into the queues of their jobs.
    pub(crate) async fn enqueue(&self, messages: Vec<Message>) -> Result<()> {
        Ok(self.aws.queues(Arc::new(SystemClock)).await?.enqueue(messages).await?)
    }

    /// Gives the functions what their queues hold, until there is nothing more. How many messages are to come again.
    pub(crate) async fn settle(&mut self) -> Result<usize> {
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

    /// How many alarms there are.
    pub(crate) async fn active(&self) -> Result<usize> {
        Ok(alarms::list(&self.table, Which::Active, 10, None).await?.items.len())
    }
}
