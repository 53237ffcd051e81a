//! The ports on AWS.

use std::sync::Arc;

use boot::{SystemClock, SystemDice};
use jobs::{
    Catalog, Context,
    ports::{Clock, Dice},
};
use queue::SqsQueue;
use table::DynamoDbTable;

use crate::{config::Config, unwired::Unwired};

/// Everything a job may touch, as the environment says. Made once; the connections outlive an invocation.
pub async fn context() -> anyhow::Result<Context> {
    let config: Config = boot::load(None)?;
    let aws = engine_aws::load().await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let dice: Arc<dyn Dice> = Arc::new(SystemDice);
    Ok(Context {
        settings: Arc::new(config.for_jobs()),
        table: Arc::new(DynamoDbTable::new(&aws, config.table, Arc::clone(&clock), Arc::clone(&dice))),
        queue: Arc::new(SqsQueue::new(&aws, config.queues, Arc::clone(&clock), Arc::clone(&dice))),
        link: Arc::new(Unwired),
        notifier: Arc::new(Unwired),
        clock,
        dice,
        catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
    })
}
