//! The ports on AWS.

use std::sync::Arc;

use boot::{SystemClock, SystemDice};
use jobs::{
    Catalog, Context, Stationery,
    ports::{Clock, Dice, Link},
};
use link::AwsLink;
use queue::SqsQueue;
use table::DynamoDbTable;

use crate::{config::Config, metrics::Metrics, post::post, unwired::Unwired};

/// What a function has: made once, it outlives its invocations.
pub struct Function {
    /// Everything a job may touch.
    pub cx: Context,
    /// The queue, for what is to come again.
    pub(crate) queue: Arc<SqsQueue>,
    /// The URL of the queue of this function's dead letters.
    pub(crate) dead_letters: String,
    /// What it consumes.
    pub(crate) metrics: Metrics,
}

impl Function {
    /// The ports as the environment says.
    pub async fn new() -> anyhow::Result<Self> {
        let config: Config = boot::load(None)?;
        config.words.check()?;
        let aws = engine_aws::load().await;
        let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let settings = Arc::new(config.for_jobs());
        let notifier = Arc::new(post(&aws, &config, &clock).await?);
        let links = match &config.signing_key_secret {
            Some(secret) => config.words.links(engine_aws::secret(&aws, secret).await?.as_bytes())?,
            None => None,
        };
        let queue = Arc::new(SqsQueue::new(&aws, config.queues, Arc::clone(&clock), Arc::clone(&dice)));
        let link: Arc<dyn Link> = match config.link {
            Some(link) => Arc::new(AwsLink::new(&aws, link)),
            None => Arc::new(Unwired),
        };
        let table = DynamoDbTable::new(&aws, config.table, Arc::clone(&clock), Arc::clone(&dice));
        let metrics = Metrics::new(table.consumed());
        let cx = Context {
            settings,
            table: Arc::new(table),
            queue: Arc::clone(&queue) as _,
            link,
            notifier,
            clock,
            dice,
            catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
            stationery: Stationery { links, illustrator: Some(Arc::new(notify::ChartIllustrator)) },
        };
        Ok(Self { cx, queue, dead_letters: config.dead_letters, metrics })
    }

    /// Writes what was consumed since the last time into the log, where CloudWatch finds it.
    pub(crate) fn tell_metrics(&self, job: &str) {
        if let Some(line) = self.metrics.line(job, self.cx.clock.now().0, self.queue.requests()) {
            println!("{line}");
        }
    }
}
