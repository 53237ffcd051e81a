//! The notifier: one letter, one channel, one outcome.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use domain::alarm::Severity;
use serde::{Deserialize, Serialize};

/// Where a letter goes: the channel and the address in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub enum Address {
    /// An e-mail address.
    Email {
        /// The mailbox.
        to: String,
    },
    /// A URL that takes a signed POST (the Standard Webhooks scheme).
    Webhook {
        /// Where.
        url: String,
        /// The secret the POST is signed with, as `whsec_` and base64.
        secret: String,
    },
    /// A telephone that takes text messages.
    Sms {
        /// Its number, as E.164 has it.
        to: String,
    },
    /// Whoever subscribed to the alarms of a severity.
    Topic {
        /// The severity.
        severity: Severity,
    },
}

// A webhook's secret may not reach a log through a debug print.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email { to } => f.debug_struct("Email").field("to", to).finish(),
            Self::Webhook { url, .. } => f.debug_struct("Webhook").field("url", url).finish_non_exhaustive(),
            Self::Sms { to } => f.debug_struct("Sms").field("to", to).finish(),
            Self::Topic { severity } => f.debug_struct("Topic").field("severity", severity).finish(),
        }
    }
}

impl Address {
    /// The channel's name, for ledgers and logs.
    pub fn channel(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::Webhook { .. } => "webhook",
            Self::Sms { .. } => "sms",
            Self::Topic { .. } => "topic",
        }
    }
}

/// What one person is told on one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// Names it: the same letter sent again has the same id, so that a receiver can tell (`webhook-id`, `Message-ID`).
    pub id: String,
    /// Where it goes.
    pub address: Address,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same for programs.
    pub data: serde_json::Value,
    /// The same in other forms, for channels that can show them.
    #[serde(default)]
    pub forms: Forms,
}

/// What a letter says, in other forms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forms {
    /// As a page, for mail.
    pub html: Option<String>,
    /// What the page shows, by [`Inline::content_id`].
    pub inline: Vec<Inline>,
    /// So short that it fits into two parts of a text message.
    pub short: Option<String>,
}

/// Something that a page shows and brings along.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inline {
    /// What the page calls it: `cid:` and this.
    pub content_id: String,
    /// Its type: `image/png`.
    pub mime: String,
    /// It.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { content_id, mime, bytes } = self;
        write!(f, "Inline({content_id}, {mime}, {} bytes)", bytes.len())
    }
}

/// What the other side gave for a letter: an SMTP reply, an HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt(pub String);

/// How one attempt to send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The other side took it.
    Sent(Receipt),
    /// It may take it later.
    TryLater {
        /// When, if it said so.
        after: Option<Duration>,
        /// What it said.
        why: String,
    },
    /// It will never take it.
    Refused {
        /// What it said.
        why: String,
    },
}

/// The way from jobs to people.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// One attempt. Bounded in time by the adapter (10 s at most).
    async fn send(&self, letter: &Letter) -> Delivery;
}
