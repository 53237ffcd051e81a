//! The queue on SQS: it takes jobs in, puts off what is to be tried again, and buries what can never be done. On AWS jobs are
//! given out by Lambda.
//!
//! A message's body is the job; its attributes `key` and `max_attempts` tell the rest. Keys are not compared: a message
//! whose key waits already is taken as well, and the job does the same work twice.

mod inspect;
mod parcel;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, MessageAttributeValue, SendMessageBatchRequestEntry},
};
use engine_aws::{Backoff, SdkConfig, explain, json_text, plain_text};
use jobs::ports::{Clock, Dice, Enqueue, Message, QueueError};

pub use self::inspect::SqsInspect;
use self::parcel::{Parcel, in_batches};
use crate::ledger;

/// The longest that a received message is kept from being given out again: SQS's twelve hours count from the receive.
const LONGEST_WAIT: Duration = Duration::from_mins(11 * 60 + 50);

/// The most characters of the reason why a message is a dead letter.
const MOST_REASON: usize = 1000;

/// A message that can never be done, as its function was given it.
#[derive(Debug, Clone, Copy)]
pub struct DeadMessage<'a> {
    /// Its job.
    pub job: &'a str,
    /// What names the work, if that is known.
    pub key: &'a str,
    /// Its body.
    pub body: &'a str,
    /// How many runs it was to get, if that is known.
    pub max_attempts: &'a str,
    /// How many it got.
    pub attempts: u32,
    /// What is wrong.
    pub why: &'a str,
}

/// One SQS queue for each job.
pub struct SqsQueue {
    client: Client,
    urls: HashMap<String, String>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    requests: AtomicU64,
}

impl SqsQueue {
    /// Sends each job to its queue's URL in `urls`.
    pub fn new(config: &SdkConfig, urls: HashMap<String, String>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        Self { client: Client::new(config), urls, clock, dice, requests: AtomicU64::new(0) }
    }

    /// How many calls were made; each is paid.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The client, for one call.
    fn client(&self) -> &Client {
        self.requests.fetch_add(1, Ordering::Relaxed);
        &self.client
    }

    /// Lets the run of a message that Lambda gave out come again after `wait`, rather than when its time is up. `receipt` is the
    /// receive's; a little less than 12 hours at most.
    pub async fn put_off(&self, job: &str, receipt: &str, wait: Duration) -> Result<(), QueueError> {
        let seconds = i32::try_from(wait.min(LONGEST_WAIT).as_millis().div_ceil(1000)).unwrap_or(0);
        let request = self.client().change_message_visibility().queue_url(self.url(job)?).receipt_handle(receipt);
        let put_off = request.visibility_timeout(seconds).send().await;
        put_off.map(drop).map_err(|error| QueueError::Away(explain(&error)))
    }

    /// Sends a message that can never be done to the queue of dead letters at `url`, with the reason.
    pub async fn bury(&self, url: &str, dead: &DeadMessage<'_>) -> Result<(), QueueError> {
        // A body may not be empty.
        let body = if dead.body.is_empty() { " ".into() } else { json_text(dead.body) };
        let mut request = self.client().send_message().queue_url(url).message_body(body);
        let attempts = dead.attempts.to_string();
        let attributes = [
            ("job", dead.job),
            ("why", dead.why),
            ("key", dead.key),
            ("max_attempts", dead.max_attempts),
            ("attempts", &attempts),
        ];
        // Nor may an attribute, and it counts towards the message's size.
        for (name, text) in attributes.into_iter().filter(|(_, text)| !text.is_empty()) {
            let text: String = plain_text(text).chars().take(MOST_REASON).collect();
            let attribute = MessageAttributeValue::builder().data_type("String").string_value(text).build();
            request =
                request.message_attributes(name, attribute.map_err(|error| QueueError::Invalid(error.to_string()))?);
        }
        request.send().await.map(drop).map_err(|error| QueueError::Away(explain(&error)))
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
            let request = self.client().send_message_batch().queue_url(url).set_entries(Some(left.clone()));
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
