//! E-mail by SES.

use async_trait::async_trait;
use aws_sdk_sesv2::{
    Client,
    config::retry::RetryConfig,
    primitives::Blob,
    types::{Destination, EmailContent, RawMessage},
};
use domain::Timestamp;
use engine_aws::SdkConfig;
use jobs::ports::{Delivery, Letter};
use lettre::message::Mailbox;
use serde::Deserialize;

use super::outcome;
use crate::{email::message, post::Channel, settings::NotifySettingsError};

/// The sender that SES knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SesSettings {
    /// The sender, such as `Telltale <alarms@example.com>`; SES must have verified the address or its domain.
    pub from: String,
    /// The configuration set that tells what becomes of the mail, if any.
    #[serde(default)]
    pub configuration_set: Option<String>,
}

pub(crate) struct SesChannel {
    client: Client,
    from: Mailbox,
    configuration_set: Option<String>,
}

impl SesChannel {
    pub(crate) fn new(config: &SdkConfig, settings: SesSettings) -> Result<Self, NotifySettingsError> {
        let from = settings.from.parse().map_err(|_| NotifySettingsError::SesFrom(settings.from))?;
        let config = aws_sdk_sesv2::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
        let configuration_set = settings.configuration_set.filter(|name| !name.is_empty());
        Ok(Self { client: Client::from_conf(config), from, configuration_set })
    }
}

#[async_trait]
impl Channel for SesChannel {
    async fn send(&self, letter: &Letter, to: &str, now: Timestamp) -> Delivery {
        let message = match message::write(letter, to, &self.from, now) {
            Ok(message) => message.formatted(),
            Err(why) => return Delivery::Refused { why: why.to_string() },
        };
        let raw = match RawMessage::builder().data(Blob::new(message)).build() {
            Ok(raw) => raw,
            Err(why) => return Delivery::Refused { why: why.to_string() },
        };
        let request = self
            .client
            .send_email()
            .from_email_address(self.from.email.to_string())
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.configuration_set.clone());
        outcome::of_call(async { Ok(Box::pin(request.send()).await?.message_id) }).await
    }
}
