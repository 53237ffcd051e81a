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
        /// The secret before that, while it is signed with as well.
        #[serde(default)]
        retired: Option<String>,
    },
    /// A URL that takes a POST without a signature: somebody outside who notices when none comes.
    Heartbeat {
        /// Where.
        url: String,
    },
    /// A room of a chat.
    Chat(Chat),
    /// Somebody who follows the operator's official account.
    #[serde(rename = "wechat")]
    WeChat {
        /// Their openid.
        to: String,
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

/// A room of a chat that a program may write to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// What chat it is.
    pub app: ChatApp,
    /// Where to POST: the robot's URL; of Telegram `https://api.telegram.org/bot` and the bot's token.
    pub url: String,
    /// What is signed with, where the robot wants that.
    pub secret: Option<String>,
    /// Which room, for Telegram.
    pub room: Option<String>,
    /// The message that this one takes the place of, as the receipt of an earlier letter has it.
    pub edits: Option<String>,
}

/// What chat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatApp {
    /// DingTalk.
    DingTalk,
    /// Feishu.
    Feishu,
    /// Slack.
    Slack,
    /// Telegram.
    Telegram,
}

// Who knows a room's URL may write there.
impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").field("app", &self.app).finish_non_exhaustive()
    }
}

// A webhook's secret may not reach a log through a debug print.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email { to } => f.debug_struct("Email").field("to", to).finish(),
            Self::Webhook { url, .. } => f.debug_struct("Webhook").field("url", url).finish_non_exhaustive(),
            // Whoever knows it may beat.
            Self::Heartbeat { .. } => f.debug_struct("Heartbeat").finish_non_exhaustive(),
            Self::Sms { to } => f.debug_struct("Sms").field("to", to).finish(),
            Self::Chat(chat) => chat.fmt(f),
            Self::WeChat { to } => f.debug_struct("WeChat").field("to", to).finish(),
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
            Self::Heartbeat { .. } => "heartbeat",
            Self::Sms { .. } => "sms",
            Self::Chat(Chat { app: ChatApp::DingTalk, .. }) => "dingtalk",
            Self::Chat(Chat { app: ChatApp::Feishu, .. }) => "feishu",
            Self::Chat(Chat { app: ChatApp::Slack, .. }) => "slack",
            Self::Chat(Chat { app: ChatApp::Telegram, .. }) => "telegram",
            Self::WeChat { .. } => "wechat",
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

/// What the receipt of a message that can be changed later begins with.
const MESSAGE: &str = "message ";

impl Receipt {
    /// Of a message that the other side calls so, and that can be changed later.
    pub fn of_message(id: &str) -> Self {
        Self(format!("{MESSAGE}{id}"))
    }

    /// What the other side calls the message, if it can be changed later.
    pub fn message(&self) -> Option<&str> {
        self.0.strip_prefix(MESSAGE)
    }
}

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
