//! The link on AWS: every broker has an inbox, an SQS queue of its own; what all browsers may see goes to an SNS topic that
//! every inbox subscribes to.

mod inbox;
mod parts;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_sqs::operation::{get_queue_url::GetQueueUrlError, send_message::SendMessageError};
use engine_aws::{SdkConfig, explain, json_text};
use jobs::ports::{Link, LinkError, NodeCommand, Push, ToBroker};
use serde::Deserialize;

pub use inbox::{AwsInbox, AwsInboxes};

/// The attribute that the inboxes' subscriptions look at, and what it says of a message for all of them.
const AUDIENCE: &str = "audience";
const EVERY_BROKER: &str = "every-broker";

/// Where the brokers are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsLinkSettings {
    /// What the name of every broker's queue begins with; the broker's name follows. Of letters, digits, `-` and `_`.
    pub inbox_prefix: String,
    /// The ARN of the topic that every inbox subscribes to.
    pub topic: String,
}

impl AwsLinkSettings {
    fn inbox_of(&self, broker: &str) -> String {
        format!("{}{broker}", self.inbox_prefix)
    }
}

/// The link to every broker.
pub struct AwsLink {
    sqs: aws_sdk_sqs::Client,
    sns: aws_sdk_sns::Client,
    settings: AwsLinkSettings,
    /// The URLs of inboxes that were there.
    inboxes: Mutex<HashMap<String, String>>,
}

impl AwsLink {
    /// The link to the brokers of these settings. Connects to nothing yet.
    pub fn new(config: &SdkConfig, settings: AwsLinkSettings) -> Self {
        let (sqs, sns) = (aws_sdk_sqs::Client::new(config), aws_sdk_sns::Client::new(config));
        Self { sqs, sns, settings, inboxes: Mutex::default() }
    }

    /// The URL of a broker's inbox; none when there is no such broker any more.
    async fn inbox(&self, broker: &str) -> Result<Option<String>, LinkError> {
        let known = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner).get(broker).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let found = self.sqs.get_queue_url().queue_name(self.settings.inbox_of(broker)).send().await;
        let url = match found {
            Ok(found) => found.queue_url,
            Err(error) if error.as_service_error().is_some_and(GetQueueUrlError::is_queue_does_not_exist) => None,
            Err(error) => return Err(LinkError::Away(explain(&error))),
        };
        if let Some(url) = &url {
            self.inboxes.lock().unwrap_or_else(PoisonError::into_inner).insert(broker.to_owned(), url.clone());
        }
        Ok(url)
    }

    /// Gives a broker a message; false when there is no such broker any more.
    async fn give(&self, broker: &str, message: &ToBroker) -> Result<bool, LinkError> {
        let Some(url) = self.inbox(broker).await? else { return Ok(false) };
        match self.sqs.send_message().queue_url(url).message_body(text(message)?).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(SendMessageError::is_queue_does_not_exist) => {
                self.inboxes.lock().unwrap_or_else(PoisonError::into_inner).remove(broker);
                Ok(false)
            }
            Err(error) => Err(LinkError::Away(explain(&error))),
        }
    }
}

#[async_trait]
impl Link for AwsLink {
    async fn command(&self, broker: &str, command: NodeCommand) -> Result<(), LinkError> {
        let somebody_waits = matches!(command, NodeCommand::Operate(_));
        for command in parts::of_command(command) {
            let arrives = self.give(broker, &ToBroker::Command(command)).await?;
            if !arrives && somebody_waits {
                return Err(LinkError::NotConnected);
            }
        }
        Ok(())
    }

    async fn publish(&self, pushes: Vec<Push>) -> Result<(), LinkError> {
        let to_all = MessageAttributeValue::builder().data_type("String").string_value(EVERY_BROKER).build();
        let to_all = to_all.map_err(|error| LinkError::Away(error.to_string()))?;
        for pushes in parts::of_pushes(pushes) {
            // The inboxes have no order in common.
            let message = text(&ToBroker::Publish { pushes, position: None })?;
            let request = self.sns.publish().topic_arn(&self.settings.topic).message(message);
            let sent = request.message_attributes(AUDIENCE, to_all.clone()).send().await;
            sent.map_err(|error| LinkError::Away(explain(&error)))?;
        }
        Ok(())
    }
}

fn text(message: &ToBroker) -> Result<String, LinkError> {
    let json = serde_json::to_string(message).map_err(|error| LinkError::Away(error.to_string()))?;
    Ok(json_text(&json).into_owned())
}
