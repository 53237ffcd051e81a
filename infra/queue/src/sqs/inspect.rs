//! Looks into the queues on SQS. Counts are SQS's own, which may be a minute old; dead letters are looked at by receiving
//! them, so who looks at the same time as another may miss some.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{Message as Received, MessageAttributeValue, MessageSystemAttributeName as System, QueueAttributeName},
};
use domain::Timestamp;
use engine_aws::{SdkConfig, explain};
use jobs::ports::{DeadLetter, Depth, Inspect, Lane, Message, QueueError, Waiting};
use serde_json::Value;

/// SQS gives no more at once.
const MOST_AT_ONCE: i32 = 10;
/// How many receives one look makes at most: it sees a thousand dead letters.
const MOST_RECEIVES: usize = 100;
/// For how long what is looked at is hidden from others, if this process ends in between, in seconds.
const HIDDEN_FOR: i32 = 30;
/// How long a look into an empty queue waits, in seconds.
const LOOK_SECONDS: i32 = 1;

/// The queues of jobs and of their dead letters.
pub struct SqsInspect {
    client: Client,
    queues: HashMap<String, String>,
    dead_letters: HashMap<String, String>,
}

impl SqsInspect {
    /// Looks into these: URLs by the job's name. A job that the schedule asks for has dead letters alone.
    pub fn new(config: &SdkConfig, queues: HashMap<String, String>, dead_letters: HashMap<String, String>) -> Self {
        Self { client: Client::new(config), queues, dead_letters }
    }

    fn dead(&self, job: &str) -> Result<&str, QueueError> {
        let unknown =
            || QueueError::Invalid(format!("the dead letters of job {job:?} are nowhere: configure their URL"));
        self.dead_letters.get(job).map(String::as_str).ok_or_else(unknown)
    }

    async fn counts(&self, url: &str) -> Result<(usize, usize), QueueError> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as Taken,
        };
        let request = self.client.get_queue_attributes().queue_url(url);
        let request = request.attribute_names(Visible).attribute_names(Delayed).attribute_names(Taken);
        let told = request.send().await.map_err(|error| QueueError::Away(explain(&error)))?;
        let told = told.attributes.unwrap_or_default();
        let count = |name| told.get(&name).and_then(|count: &String| count.parse().ok()).unwrap_or(0_usize);
        Ok((count(Visible) + count(Delayed), count(Taken)))
    }

    /// Takes dead letters until `is_enough` of what it has, or until there are no more.
    async fn take(&self, url: &str, is_enough: impl Fn(&[Received]) -> bool) -> Result<Vec<Received>, QueueError> {
        let mut taken: Vec<Received> = Vec::new();
        for _ in 0..MOST_RECEIVES {
            let request = self.client.receive_message().queue_url(url).max_number_of_messages(MOST_AT_ONCE);
            // Only a look that waits asks all of SQS's servers; another may find nothing where something is.
            let request = request.wait_time_seconds(LOOK_SECONDS);
            let request = request.visibility_timeout(HIDDEN_FOR).message_attribute_names("All");
            let request = request.message_system_attribute_names(System::All);
            let answer = request.send().await.map_err(|error| QueueError::Away(explain(&error)))?;
            let messages = answer.messages.unwrap_or_default();
            let is_last = messages.is_empty();
            taken.extend(messages);
            if is_last || is_enough(&taken) {
                break;
            }
        }
        Ok(taken)
    }

    /// Lets go of what was taken. What fails here is let go of by SQS.
    async fn let_go(&self, url: &str, taken: &[Received]) {
        for receipt in taken.iter().filter_map(Received::receipt_handle) {
            let request = self.client.change_message_visibility().queue_url(url).receipt_handle(receipt);
            let _ = request.visibility_timeout(0).send().await;
        }
    }

    /// Takes the dead letter of that id, and lets go of all others.
    async fn take_one(&self, url: &str, id: &str) -> Result<Option<Received>, QueueError> {
        let is_it = |letter: &Received| letter.message_id() == Some(id);
        let mut taken = self.take(url, |taken| taken.iter().any(is_it)).await?;
        let found = taken.iter().position(is_it).map(|index| taken.swap_remove(index));
        self.let_go(url, &taken).await;
        Ok(found)
    }

    async fn forget(&self, url: &str, letter: &Received) -> Result<(), QueueError> {
        let receipt = letter.receipt_handle().unwrap_or_default();
        let request = self.client.delete_message().queue_url(url).receipt_handle(receipt);
        request.send().await.map(drop).map_err(|error| QueueError::Away(explain(&error)))
    }
}

/// Why nobody is told what waits.
const HIDDEN: &str = "SQS does not tell what waits: what users asked for is listed with what it is about";

#[async_trait]
impl Inspect for SqsInspect {
    async fn depth(&self, job: &str) -> Result<Depth, QueueError> {
        let (waiting, running) = match self.queues.get(job) {
            Some(url) => self.counts(url).await?,
            None => (0, 0),
        };
        let (dead, looked_at) = self.counts(self.dead(job)?).await?;
        Ok(Depth { waiting, running, dead: dead + looked_at })
    }

    async fn dead_letters(&self, job: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        let url = self.dead(job)?;
        let taken = self.take(url, |taken| taken.len() >= limit).await?;
        self.let_go(url, &taken).await;
        let mut letters: Vec<DeadLetter> = taken.iter().map(|letter| dead_letter(job, letter)).collect();
        letters.sort_by_key(|letter| letter.at);
        letters.truncate(limit);
        Ok(letters)
    }

    async fn waiting(&self, _: &str, _: usize) -> Result<Vec<Waiting>, QueueError> {
        Err(QueueError::Invalid(HIDDEN.to_owned()))
    }

    async fn cancel(&self, _: &str, _: &str) -> Result<bool, QueueError> {
        Err(QueueError::Invalid(HIDDEN.to_owned()))
    }

    async fn redrive(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let url = self.dead(job)?;
        let Some(queue) = self.queues.get(job) else {
            let why = format!("job {job:?} is asked for by the schedule, which asks again by itself each minute");
            return Err(QueueError::Invalid(why));
        };
        let Some(letter) = self.take_one(url, id).await? else { return Ok(false) };
        let attributes = letter.message_attributes.clone().unwrap_or_default().into_iter();
        let attributes = attributes.filter(|(name, _)| !["job", "why", "attempts"].contains(&name.as_str())).collect();
        let request = self.client.send_message().queue_url(queue).message_body(letter.body().unwrap_or_default());
        let sent = request.set_message_attributes(Some(attributes)).send().await;
        sent.map_err(|error| QueueError::Away(explain(&error)))?;
        // Sent first: a job that runs twice does no harm.
        self.forget(url, &letter).await?;
        Ok(true)
    }

    async fn discard(&self, job: &str, id: &str) -> Result<bool, QueueError> {
        let url = self.dead(job)?;
        let Some(letter) = self.take_one(url, id).await? else { return Ok(false) };
        self.forget(url, &letter).await?;
        Ok(true)
    }
}

fn dead_letter(job: &str, letter: &Received) -> DeadLetter {
    let attributes = letter.message_attributes.as_ref();
    let attribute = |name| attributes.and_then(|all| all.get(name)).and_then(MessageAttributeValue::string_value);
    let system = |name| letter.attributes().and_then(|all| all.get(&name)).map(String::as_str);
    let body = letter.body().unwrap_or_default();
    let max_attempts = attribute("max_attempts").and_then(|most| most.parse().ok()).unwrap_or_default();
    let message = Message {
        job: job.to_owned(),
        key: attribute("key").unwrap_or_default().to_owned(),
        lane: Lane::Normal,
        not_before: None,
        max_attempts,
        body: body.to_owned().into(),
    };
    let buried = attribute("why").map(str::to_owned);
    DeadLetter {
        id: letter.message_id().unwrap_or_default().to_owned(),
        message,
        attempts: attribute("attempts").and_then(|attempts| attempts.parse().ok()).unwrap_or(max_attempts),
        why: buried.or_else(|| of_event(body)).unwrap_or_else(|| OUT_OF_ATTEMPTS.to_owned()),
        at: Timestamp(system(System::SentTimestamp).and_then(|at| at.parse().ok()).unwrap_or_default()),
    }
}

/// SQS keeps no reason.
const OUT_OF_ATTEMPTS: &str = "its attempts are used up; the reasons are in the function's log";

/// What an invocation by the schedule failed with: Lambda keeps the event in its own words.
fn of_event(body: &str) -> Option<String> {
    let event: Value = serde_json::from_str(body).ok()?;
    Some(event["responsePayload"]["errorMessage"].as_str()?.to_owned())
}
