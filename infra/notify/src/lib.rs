//! Letters to people: one folder per channel behind the one [`Notifier`](jobs::ports::Notifier).
//!
//! [`Post`] hands a letter to the channel its address names. E-mail goes to the operator's SMTP server; a webhook goes to
//! an address a user gave, as the rooms of chats are, and so through the [`GuardedClient`], which calls no internal address that the operator has not
//! opened. To add a channel: a variant of [`Address`](jobs::ports::Address), a folder here, a line in [`Post`].
//!
//! The channels do not log: what came of a letter is in its [`Delivery`](jobs::ports::Delivery), and the job logs that once.

mod aliyun;
#[cfg(feature = "aws")]
mod aws;
mod chat;
mod email;
mod facts;
mod guard;
mod illustrator;
mod mac;
mod post;
#[cfg(test)]
mod receiver;
pub mod recording;
mod secret;
mod settings;
mod webhook;
mod wechat;

pub use aliyun::{AliyunSmsSettings, SmsTemplates};
#[cfg(feature = "aws")]
pub use aws::{AwsChannels, SesSettings, SmsSettings, TopicSettings};
pub use email::{SmtpSettings, SmtpUrl, is_mail_address};
pub use guard::{Answer, GuardError, GuardedClient, Resolver, SystemResolver};
pub use illustrator::ChartIllustrator;
pub use post::Post;
pub use secret::Secret;
pub use settings::{NotifySettings, NotifySettingsError};
pub use webhook::{WebhookSettings, check_webhook};
pub use wechat::WeChatSettings;
