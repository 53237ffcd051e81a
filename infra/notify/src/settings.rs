//! The settings of all channels.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aliyun::{AliyunSmsChannel, AliyunSmsSettings};
use crate::email::{EmailChannel, SmtpSettings};
use crate::guard::{GuardError, GuardedClient, SystemResolver};
use crate::webhook::WebhookSettings;
use crate::wechat::{WeChatChannel, WeChatSettings};

/// What the operator says about the channels: the `notify` table of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NotifySettings {
    /// The server that takes our mail. Without it every e-mail is refused.
    pub smtp: Option<SmtpSettings>,
    /// What webhooks may reach.
    pub webhook: WebhookSettings,
    /// The Alibaba Cloud account that sends text messages, if one does.
    pub aliyun_sms: Option<Box<AliyunSmsSettings>>,
    /// The WeChat official account that sends template messages, if one does.
    pub wechat: Option<Box<WeChatSettings>>,
}

impl NotifySettings {
    /// Whether the channels can be set up with them. Connects to nothing.
    pub fn check(&self) -> Result<(), NotifySettingsError> {
        self.smtp.as_ref().map(EmailChannel::new).transpose()?;
        let client = GuardedClient::new(Vec::new(), Arc::new(SystemResolver))?;
        let sms = self.aliyun_sms.clone().map(|sms| AliyunSmsChannel::new(client.clone(), *sms));
        let wechat = self.wechat.clone().map(|wechat| WeChatChannel::new(client, *wechat));
        sms.transpose()?;
        wechat.transpose().map(drop)
    }
}

/// Why the channels cannot be set up. It never shows the SMTP password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifySettingsError {
    /// The SMTP server's URL is not one.
    #[error(
        "notify.smtp.url must be smtp://user:password@host:port (add ?tls=required for STARTTLS) or smtps://user:password@host:port"
    )]
    SmtpUrl,
    /// The sender is not a mailbox.
    #[error("notify.smtp.from must be a mailbox such as `Telltale <alarms@example.com>`, and `{0}` is not")]
    From(String),
    /// The sender is not a mailbox.
    #[error("the sender of SES must be a mailbox such as `Telltale <alarms@example.com>`, and `{0}` is not")]
    SesFrom(String),
    /// What is said of text messages makes no sense.
    #[error("text messages cannot be sent: {0}")]
    Sms(String),
    /// What is said of the official account makes no sense.
    #[error("notify.wechat: {0}")]
    WeChat(String),
    /// The HTTP client cannot be built.
    #[error("webhooks cannot be sent: {0}")]
    Webhook(#[from] GuardError),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_settings_open_no_channel_to_mail_and_no_internal_network() {
        let settings: NotifySettings = serde_json::from_value(json!({})).unwrap();
        assert_eq!(settings, NotifySettings::default());
        assert!(settings.smtp.is_none() && settings.webhook.allowed_nets.is_empty());
    }

    #[test]
    fn a_misspelt_setting_is_an_error() {
        let error = serde_json::from_value::<NotifySettings>(json!({"webhook": {"alowed_nets": []}})).unwrap_err();
        assert!(error.to_string().contains("alowed_nets"), "{error}");
    }

    #[test]
    fn the_smtp_password_is_not_printed() {
        let settings: NotifySettings = serde_json::from_value(json!({
            "smtp": {"url": "smtp://u:hunter2@mail.example:25", "from": "a@example.com"},
            "webhook": {"allowed_nets": ["10.0.0.0/8", "fd00::/8"]},
        }))
        .unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
