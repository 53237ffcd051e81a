//! A broker's inbox: a queue of its own, that lives as long as the broker does.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::{
    config::timeout::TimeoutConfig,
    error::{DisplayErrorContext, SdkError},
    operation::{
        get_queue_url::GetQueueUrlError,
        receive_message::{ReceiveMessageError, ReceiveMessageOutput},
    },
    types::{DeleteMessageBatchRequestEntry, Message, QueueAttributeName},
};
use engine_aws::{SdkConfig, explain};
use jobs::ports::{Inboxes, LinkError, ToBroker};
use serde_json::json;
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use super::{AUDIENCE, AwsLinkSettings, EVERY_BROKER};

/// A command that was not read for so long is of no use any more.
const RETENTION_SECONDS: u32 = 300;
/// How long a look into an empty queue waits: SQS's longest.
const LOOK_SECONDS: i32 = 20;
/// How much longer than a look SQS may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
const AT_ONCE: i32 = 10;
/// How long the queue is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an inbox that is about to be closed may still be read.
const EMPTIED_WITHIN: Duration = Duration::from_secs(2);
/// How often it is asked again for a queue that was just made.
const TRIES_OF_NEW: usize = 5;

/// The tag of an inbox that says which subscription brings it what is for all.
const SUBSCRIPTION: &str = "subscription";

/// The inboxes of all brokers.
pub struct AwsInboxes {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    settings: AwsLinkSettings,
}

impl AwsInboxes {
    /// The inboxes of these settings. Connects to nothing yet.
    pub fn new(config: &SdkConfig, settings: AwsLinkSettings) -> Self {
        Self { sqs: aws_sdk_sqs::Client::new(config), sns: aws_sdk_sns::Client::new(config), settings }
    }
}

#[async_trait]
impl Inboxes for AwsInboxes {
    /// Its subscription goes too.
    async fn remove(&self, broker: &str) -> Result<(), LinkError> {
        let found = self.sqs.get_queue_url().queue_name(self.settings.inbox_of(broker)).send().await;
        let url = match found {
            Ok(found) => found.queue_url.unwrap_or_default(),
            Err(error) if error.as_service_error().is_some_and(GetQueueUrlError::is_queue_does_not_exist) => {
                return Ok(());
            }
            Err(error) => return Err(LinkError::Away(explain(&error))),
        };
        let tags = self.sqs.list_queue_tags().queue_url(&url).send().await;
        let tags = tags.map_err(|error| LinkError::Away(explain(&error)))?.tags.unwrap_or_default();
        if let Some(subscription) = tags.get(SUBSCRIPTION) {
            let ended = self.sns.unsubscribe().subscription_arn(subscription).send().await;
            ended.map_err(|error| LinkError::Away(explain(&error)))?;
        }
        let deleted = self.sqs.delete_queue().queue_url(url).send().await;
        deleted.map(drop).map_err(|error| LinkError::Away(explain(&error)))
    }
}

/// An inbox that is open.
pub struct AwsInbox {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    url: String,
    subscription: Option<String>,
}

impl AwsInbox {
    /// Makes the inbox of a broker and subscribes it to what is for all. The name is the broker's alone.
    pub async fn open(config: &SdkConfig, settings: &AwsLinkSettings, broker: &str) -> Result<Self, LinkError> {
        let (sqs, sns) = (patient(config), aws_sdk_sns::Client::new(config));
        let made = sqs.create_queue().queue_name(settings.inbox_of(broker)).set_attributes(Some(attributes())).send();
        let url = made.await.map_err(|error| LinkError::Away(explain(&error)))?.queue_url.unwrap_or_default();
        let mut inbox = Self { sqs, sns, url, subscription: None };
        let arn = inbox.new_arn().await?;
        inbox.allow(&arn, &settings.topic).await?;
        inbox.subscription = inbox.subscribe(&arn, &settings.topic).await?;
        if let Some(subscription) = &inbox.subscription {
            // For who removes the inbox, should its broker die.
            let tagged = inbox.sqs.tag_queue().queue_url(&inbox.url).tags(SUBSCRIPTION, subscription).send().await;
            tagged.map_err(|error| LinkError::Away(explain(&error)))?;
        }
        Ok(inbox)
    }

    /// The ARN of a queue that was just made, which SQS may not know everywhere at once.
    async fn new_arn(&self) -> Result<String, LinkError> {
        let mut known = self.arn().await;
        for _ in 0..TRIES_OF_NEW {
            if known.is_ok() {
                break;
            }
            time::sleep(PAUSE).await;
            known = self.arn().await;
        }
        known
    }

    async fn arn(&self) -> Result<String, LinkError> {
        let request = self.sqs.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        let attributes = answer.map_err(|error| LinkError::Away(explain(&error)))?.attributes.unwrap_or_default();
        let arn = attributes.get(&QueueAttributeName::QueueArn).cloned();
        arn.ok_or_else(|| LinkError::Away("the inbox has no ARN".to_owned()))
    }

    /// Lets the topic, and nobody else but this account, send to the inbox.
    async fn allow(&self, arn: &str, topic: &str) -> Result<(), LinkError> {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "sns.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
            }],
        });
        let request = self.sqs.set_queue_attributes().queue_url(&self.url);
        let set = request.attributes(QueueAttributeName::Policy, policy.to_string()).send().await;
        set.map(drop).map_err(|error| LinkError::Away(explain(&error)))
    }

    async fn subscribe(&self, arn: &str, topic: &str) -> Result<Option<String>, LinkError> {
        let request = self.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn).return_subscription_arn(true);
        let filter = json!({ AUDIENCE: [EVERY_BROKER] }).to_string();
        let request = request.attributes("RawMessageDelivery", "true").attributes("FilterPolicy", filter);
        let answer = request.send().await.map_err(|error| LinkError::Away(explain(&error)))?;
        Ok(answer.subscription_arn)
    }

    /// Hands on what arrives until `stop`, and what is in the inbox then, as far as SQS gives it, and closes it.
    pub async fn run(self, broker: mpsc::Sender<ToBroker>, stop: CancellationToken) {
        while let Some(messages) = stop.run_until_cancelled(self.look()).await {
            hand_on(&messages, &broker).await;
            self.forget(&messages).await;
        }
        // What all browsers may see goes on coming.
        let _ = time::timeout(EMPTIED_WITHIN, self.hand_on_rest(&broker)).await;
        self.close().await;
    }

    async fn hand_on_rest(&self, broker: &mpsc::Sender<ToBroker>) {
        while let Ok(answer) = self.receive(0).await
            && let Some(rest) = answer.messages.filter(|rest| !rest.is_empty())
        {
            hand_on(&rest, broker).await;
            self.forget(&rest).await;
        }
    }

    async fn receive(&self, wait_seconds: i32) -> Result<ReceiveMessageOutput, SdkError<ReceiveMessageError>> {
        let request = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(AT_ONCE);
        request.wait_time_seconds(wait_seconds).send().await
    }

    async fn look(&self) -> Vec<Message> {
        loop {
            match self.receive(LOOK_SECONDS).await {
                Ok(answer) => match answer.messages {
                    Some(messages) if !messages.is_empty() => return messages,
                    _ => {}
                },
                Err(error) => {
                    tracing::warn!(error = %DisplayErrorContext(&error), "the broker's inbox cannot be read");
                    time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn forget(&self, messages: &[Message]) {
        let entries = messages.iter().enumerate().filter_map(|(index, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(message.receipt_handle()?).build().ok()
        });
        let request = self.sqs.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        // What is given again is known by its name: a plan is paced once, an operation done once.
        if let Err(error) = request.send().await {
            tracing::warn!(error = %explain(&error), "messages of the broker's inbox come again");
        }
    }

    async fn close(&self) {
        if let Some(subscription) = &self.subscription
            && let Err(error) = self.sns.unsubscribe().subscription_arn(subscription).send().await
        {
            tracing::warn!(error = %explain(&error), "the broker's inbox stays subscribed");
        }
        if let Err(error) = self.sqs.delete_queue().queue_url(&self.url).send().await {
            tracing::warn!(error = %explain(&error), "the broker's inbox stays behind");
        }
    }
}

async fn hand_on(messages: &[Message], broker: &mpsc::Sender<ToBroker>) {
    for message in messages {
        match serde_json::from_str(message.body().unwrap_or_default()) {
            // A broker that is gone has no use for the rest.
            Ok(told) => drop(broker.send(told).await),
            Err(error) => tracing::error!(%error, "a message in the broker's inbox is not understood"),
        }
    }
}

/// A client whose calls may take as long as a look. What an attempt that was cut off had received would be hidden.
fn patient(config: &SdkConfig) -> aws_sdk_sqs::Client {
    let attempt = Duration::from_secs(u64::from(LOOK_SECONDS.unsigned_abs())) + ANSWERS_WITHIN;
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(2 * attempt).build();
    aws_sdk_sqs::Client::from_conf(aws_sdk_sqs::config::Builder::from(config).timeout_config(timeouts).build())
}

fn attributes() -> HashMap<QueueAttributeName, String> {
    HashMap::from([
        (QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS.to_string()),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, LOOK_SECONDS.to_string()),
        (QueueAttributeName::SqsManagedSseEnabled, "true".to_owned()),
    ])
}
