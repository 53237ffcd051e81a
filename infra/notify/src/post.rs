//! The post office: every letter to its channel.

use std::sync::Arc;

use async_trait::async_trait;

use jobs::ports::{Address, Clock, Delivery, Letter, Notifier};

use crate::email::EmailChannel;
use crate::guard::{GuardedClient, Resolver};
use crate::settings::{NotifySettings, NotifySettingsError};
use crate::webhook::WebhookChannel;

/// The [`Notifier`] that sends for real.
pub struct Post {
    /// None when the operator named no SMTP server.
    email: Option<EmailChannel>,
    webhook: WebhookChannel,
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
        Ok(Self {
            email: settings.smtp.as_ref().map(EmailChannel::new).transpose()?,
            webhook: WebhookChannel::new(GuardedClient::new(settings.webhook.allowed_nets, resolver)?),
            clock,
        })
    }
}

#[async_trait]
impl Notifier for Post {
    async fn send(&self, letter: &Letter) -> Delivery {
        let now = self.clock.now();
        match (&letter.address, &self.email) {
            (Address::Email { to }, Some(email)) => email.send(letter, to, now).await,
            (Address::Email { .. }, None) => {
                Delivery::Refused { why: "no SMTP server is configured (notify.smtp.url)".to_owned() }
            }
            (Address::Webhook { url, secret }, _) => self.webhook.send(letter, url, secret, now).await,
        }
    }
}

#[cfg(test)]
mod tests;
