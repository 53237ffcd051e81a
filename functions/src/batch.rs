//! A batch of messages, as SQS gives it to a function, and what the function says of each.

mod record;

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::{FutureExt, StreamExt, stream};
use jobs::{Job, Verdict, execute};
use queue::DeadMessage;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::record::Record;
use crate::Function;

/// How many messages of a batch run at a time.
const AT_A_TIME: usize = 10;

/// Messages of one queue. Each is read alone, so that one that cannot be read holds up none of the others.
#[derive(Debug, Clone, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

/// The messages that are to come again; SQS forgets the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Function {
    /// Runs every job of a batch. One that fails, panics or takes too long comes again by itself, later with each run, and is a
    /// dead letter when its queue has given it out often enough; one that can never be done is a dead letter at once.
    pub async fn perform_all<J: Job>(&self, batch: Batch) -> Failures {
        let runs = batch.records.iter().map(|told| async move {
            let comes_again = match Record::read(told) {
                Ok(record) => !self.is_settled::<J>(&record).await,
                Err(why) => {
                    let (job, key, max_attempts) = (J::NAME, "", "");
                    let dead = DeadMessage { job, key, body: &told.to_string(), max_attempts, attempts: 1, why: &why };
                    !self.is_buried(record::id(told), &dead).await
                }
            };
            // Where there is no id to name, the empty one makes the whole batch come again.
            comes_again.then(|| Failure { item_identifier: record::id(told).to_owned() })
        });
        let runs: Vec<Option<Failure>> = stream::iter(runs).buffer_unordered(AT_A_TIME).collect().await;
        Failures { batch_item_failures: runs.into_iter().flatten().collect() }
    }

    /// Runs one job; whether its message may be forgotten.
    async fn is_settled<J: Job>(&self, record: &Record) -> bool {
        match self.run::<J>(record).await {
            Verdict::Done => true,
            Verdict::Again { why, after } => {
                self.put_off::<J>(record, &why, after).await;
                false
            }
            Verdict::Never { why } => {
                let (key, max_attempts) = (record.attribute("key"), record.attribute("max_attempts"));
                let (body, attempts) = (&record.body, record.run());
                let dead = DeadMessage { job: J::NAME, key, body, max_attempts, attempts, why: &why };
                self.is_buried(&record.message_id, &dead).await
            }
        }
    }

    async fn run<J: Job>(&self, record: &Record) -> Verdict {
        let run = AssertUnwindSafe(execute::<J>(&self.cx, record.body.as_bytes())).catch_unwind();
        run.await.unwrap_or_else(|_| Verdict::Again { why: "it panicked".to_owned(), after: None })
    }

    async fn put_off<J: Job>(&self, record: &Record, why: &str, after: Option<Duration>) {
        let run = record.run();
        let wait = after.unwrap_or_else(|| queue::backoff(run, self.cx.dice.roll()));
        tracing::warn!(job.name = J::NAME, message.id = record.message_id, job.attempt = run, "a job failed: {why}");
        if let Err(error) = self.queue.put_off(J::NAME, &record.receipt_handle, wait).await {
            tracing::warn!(%error, message.id = record.message_id, "the message comes again when its time is up");
        }
    }

    /// Makes a dead letter of a message, with the reason. Where that fails, it comes again.
    async fn is_buried(&self, id: &str, dead: &DeadMessage<'_>) -> bool {
        tracing::error!(job.name = dead.job, message.id = id, "a job can never be done: {}", dead.why);
        match self.queue.bury(&self.dead_letters, dead).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, message.id = id, "a dead letter could not be sent");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
