//! The post office: every letter to its channel.

use std::sync::Arc;

use async_trait::async_trait;

use domain::{Timestamp, alarm::Severity};
use jobs::ports::{Address, Clock, Delivery, Letter, Notifier};

use crate::aliyun::AliyunSmsChannel;
use crate::chat::ChatChannel;
use crate::email::EmailChannel;
use crate::guard::{GuardedClient, Resolver};
use crate::settings::{NotifySettings, NotifySettingsError};
use crate::webhook::WebhookChannel;
use crate::wechat::WeChatChannel;

/// A way to people whose addresses are a text: a mailbox, a number.
#[async_trait]
pub(crate) trait Channel: Send + Sync {
    /// One attempt, 10 s at most.
    async fn send(&self, letter: &Letter, to: &str, now: Timestamp) -> Delivery;
}

/// A way to whoever subscribed to the alarms of a severity.
#[async_trait]
pub(crate) trait Topics: Send + Sync {
    /// One attempt, 10 s at most.
    async fn publish(&self, letter: &Letter, severity: Severity) -> Delivery;
}

/// The [`Notifier`] that sends for real.
pub struct Post {
    /// None when the operator named no server that takes mail.
    email: Option<Box<dyn Channel>>,
    /// None where nothing carries text messages.
    sms: Option<Box<dyn Channel>>,
    /// None where the operator has no official account.
    wechat: Option<Box<dyn Channel>>,
    webhook: WebhookChannel,
    chat: ChatChannel,
    /// None where there are no topics.
    topics: Option<Box<dyn Topics>>,
    /// Dates what is sent.
    clock: Arc<dyn Clock>,
}

impl Post {
    /// Sets up every channel; connects to nothing yet. `resolver` looks up the hosts of webhooks.
    pub fn new(
        settings: NotifySettings,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, NotifySettingsError> {
        let email = settings.smtp.as_ref().map(EmailChannel::new).transpose()?;
        let client = GuardedClient::new(settings.webhook.allowed_nets, resolver)?;
        let sms = settings.aliyun_sms.map(|sms| AliyunSmsChannel::new(client.clone(), *sms)).transpose()?;
        let wechat = settings.wechat.map(|wechat| WeChatChannel::new(client.clone(), *wechat)).transpose()?;
        Ok(Self {
            email: email.map(|email| Box::new(email) as _),
            sms: sms.map(|sms| Box::new(sms) as _),
            wechat: wechat.map(|wechat| Box::new(wechat) as _),
            webhook: WebhookChannel::new(client.clone()),
            chat: ChatChannel::new(client),
            topics: None,
            clock,
        })
    }

    /// The same with the channels that AWS carries. SES stands in place of an SMTP server.
    #[cfg(feature = "aws")]
    pub fn with_aws(
        self,
        config: &engine_aws::SdkConfig,
        channels: crate::AwsChannels,
    ) -> Result<Self, NotifySettingsError> {
        let crate::AwsChannels { ses, sms, topics } = channels;
        let ses = ses.map(|ses| crate::aws::SesChannel::new(config, ses)).transpose()?;
        let sms = sms.filter(|sms| sms.enabled).map(|sms| crate::aws::SmsChannel::new(config, sms));
        let sms = sms.transpose().map_err(|error| NotifySettingsError::Sms(error.to_string()))?;
        Ok(Self {
            email: ses.map(|ses| Box::new(ses) as _).or(self.email),
            sms: sms.map(|sms| Box::new(sms) as _).or(self.sms),
            topics: topics.map(|topics| Box::new(crate::aws::TopicChannel::new(config, topics)) as _),
            ..self
        })
    }

    async fn send_to(&self, channel: Option<&dyn Channel>, letter: &Letter, to: &str, missing: &str) -> Delivery {
        match channel {
            Some(channel) => channel.send(letter, to, self.clock.now()).await,
            None => Delivery::Refused { why: missing.to_owned() },
        }
    }
}

#[async_trait]
impl Notifier for Post {
    async fn send(&self, letter: &Letter) -> Delivery {
        match &letter.address {
            Address::Email { to } => {
                let missing = "no server that takes mail is configured (notify.smtp.url)";
                self.send_to(self.email.as_deref(), letter, to, missing).await
            }
            Address::Sms { to } => {
                self.send_to(self.sms.as_deref(), letter, to, "nothing that carries text messages is configured").await
            }
            Address::WeChat { to } => {
                let missing = "no WeChat official account is configured (notify.wechat)";
                self.send_to(self.wechat.as_deref(), letter, to, missing).await
            }
            Address::Webhook { url, secret, retired } => {
                let secrets: Vec<&str> = std::iter::once(secret).chain(retired).map(String::as_str).collect();
                self.webhook.send(letter, url, &secrets, self.clock.now()).await
            }
            Address::Heartbeat { url } => match self.webhook.send(letter, url, &[], self.clock.now()).await {
                // Each says the same: what is refused is the address, and somebody is to hear of that.
                Delivery::Refused { why } => Delivery::TryLater { after: None, why },
                delivery => delivery,
            },
            Address::Chat(chat) => self.chat.send(letter, chat, self.clock.now()).await,
            Address::Topic { severity } => match &self.topics {
                Some(topics) => topics.publish(letter, *severity).await,
                None => Delivery::Refused { why: "no topics are configured".to_owned() },
            },
        }
    }
}

#[cfg(test)]
mod tests;
