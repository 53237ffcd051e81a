//! What SNS and SES were given for people.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;

use super::Aws;
use crate::players::{MailForms, of};

/// Everything that left for people so far, each in the order in which it left.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Sent {
    /// Text messages to numbers.
    pub sms: Vec<Sms>,
    /// E-mails.
    pub mails: Vec<SesMail>,
    /// What was published to topics, but for the one that brokers listen to.
    pub published: Vec<Published>,
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sms {
    /// The number.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// An e-mail that SES took.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SesMail {
    /// Its `Message-ID`.
    pub message_id: String,
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says.
    #[serde(flatten)]
    pub forms: MailForms,
}

/// A message to a topic.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Published {
    /// The topic's name.
    pub topic: String,
    /// Its subject, if it has one.
    pub subject: Option<String>,
    /// Its text.
    pub message: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Aws {
    /// What left for people so far.
    pub async fn sent(&mut self) -> Result<Sent> {
        let before = self.player.reports("sent").len();
        self.player.order("tell_sent", json!({})).await?;
        let sent = self.player.until("done with telling", |reports| of(reports, "sent").nth(before).cloned()).await?;
        Ok(serde_json::from_value(sent)?)
    }

    /// Makes a sender one whom SES knows.
    pub async fn verify_sender(&mut self, address: &str) -> Result<()> {
        self.player.order_done("verify_sender", json!({ "address": address })).await
    }

    /// Keeps a secret; gives its ARN.
    pub async fn keep_secret(&mut self, name: &str, text: &str) -> Result<String> {
        let before = self.player.reports("secret").len();
        self.player.order("keep_secret", json!({ "name": name, "text": text })).await?;
        let arn = self.player.until("done with a secret", |reports| of(reports, "secret").nth(before).cloned()).await?;
        Ok(arn.as_str().unwrap_or_default().to_owned())
    }
}
