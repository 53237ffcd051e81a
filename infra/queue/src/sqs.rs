//! The queue on SQS: it only takes jobs in. On AWS they are given out by Lambda, and looked into at the console.
//!
//! A message's body is the job; its attributes `key` and `max_attempts` tell the rest. Keys are not compared: a message
//! whose key waits already is taken as well, and the job does the same work twice.

mod parcel;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry},
};
use engine_aws::{Backoff, SdkConfig, explain};
use jobs::ports::{Clock, Dice, Enqueue, Message, QueueError};

use self::parcel::{Parcel, in_batches};
use crate::ledger;

/// One SQS queue for each job.
pub struct SqsQueue {
    client: Client,
    urls: HashMap<String, String>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
}

impl SqsQueue {
    /// Sends each job to its queue's URL in `urls`.
    pub fn new(config: &SdkConfig, urls: HashMap<String, String>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { client: Client::new(config), urls, clock, dice }
    }

    fn url(&self, job: &str) -> Result<&str, QueueError> {
        let unknown = || QueueError::Invalid(format!("job {job:?} has no queue here: configure the URL of its queue"));
        self.urls.get(job).map(String::as_str).ok_or_else(unknown)
    }

    /// Sends a batch; what SQS does not take is sent again, after a wait.
    async fn send(&self, url: &str, batch: Vec<SendMessageBatchRequestEntry>) -> Result<(), QueueError> {
        let mut left = batch;
        let mut backoff = Backoff::default();
        loop {
            let request = self.client.send_message_batch().queue_url(url).set_entries(Some(left.clone()));
            let answer = request.send().await.map_err(|error| QueueError::Away(explain(&error)))?;
            let Some(first) = answer.failed.first() else { return Ok(()) };
            let why = format!("{}: {}", first.code(), first.message().unwrap_or("no reason given"));
            if answer.failed.iter().any(|failed| failed.sender_fault) {
                return Err(QueueError::Invalid(why));
            }
            let waited = backoff.wait(self.dice.roll()).await;
            waited.map_err(|gave_up| QueueError::Away(format!("{why}; {gave_up}")))?;
            let failed: HashSet<&str> = answer.failed.iter().map(BatchResultErrorEntry::id).collect();
            left.retain(|entry| failed.contains(entry.id()));
        }
    }
}

#[async_trait]
impl Enqueue for SqsQueue {
    async fn enqueue(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        ledger::check(&messages)?;
        let now = self.clock.now();
        let mut parcels: BTreeMap<&str, Vec<Parcel>> = BTreeMap::new();
        for message in &messages {
            parcels.entry(self.url(&message.job)?).or_default().push(Parcel::of(message, now)?);
        }
        for (url, parcels) in parcels {
            for batch in in_batches(parcels)? {
                self.send(url, batch).await?;
            }
        }
        Ok(())
    }
}
