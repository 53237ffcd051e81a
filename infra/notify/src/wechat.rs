//! Template messages of a WeChat official account.

mod outcome;
mod template;
mod token;

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use jiff::tz::TimeZone;
use jobs::ports::{Delivery, Letter};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::timeout;

use self::{outcome::Said, token::Tokens};
use crate::{guard::GuardedClient, post::Channel, secret::Secret, settings::NotifySettingsError, webhook};

/// Tokens and message together.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The official account: the `notify.wechat` table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeChatSettings {
    /// The account's app id.
    pub app_id: String,
    /// The account's app secret.
    pub app_secret: Secret,
    /// The template, with the fields `first`, `device`, `time` and `remark`.
    pub template_id: String,
    /// The app id of the mini program that a message opens, if one is to.
    #[serde(default)]
    pub mini_program: Option<String>,
    /// By whose clocks times are told.
    #[serde(default = "crate::aliyun::shanghai")]
    pub zone: String,
    /// Where the service is.
    #[serde(default = "service")]
    pub endpoint: String,
}

fn service() -> String {
    "https://api.weixin.qq.com".to_owned()
}

pub(crate) struct WeChatChannel {
    wire: Wire,
    tokens: Tokens,
    template_id: String,
    mini_program: Option<String>,
    zone: TimeZone,
}

impl WeChatChannel {
    pub(crate) fn new(client: GuardedClient, settings: WeChatSettings) -> Result<Self, NotifySettingsError> {
        let zone = TimeZone::get(&settings.zone).map_err(|error| NotifySettingsError::WeChat(error.to_string()))?;
        let WeChatSettings { app_id, app_secret, template_id, mini_program, endpoint, .. } = settings;
        let wire = Wire { client, endpoint: endpoint.trim_end_matches('/').to_owned() };
        Ok(Self { wire, tokens: Tokens::new(app_id, app_secret), template_id, mini_program, zone })
    }

    async fn try_to_send(&self, letter: &Letter, to: &str, now: Timestamp) -> Result<Delivery, Delivery> {
        let message =
            template::fill(letter, &self.zone, now).message(to, &self.template_id, self.mini_program.as_deref());
        let token = self.tokens.current(&self.wire, now).await?;
        let said = self.message(&token, &message, now).await?;
        if !said.is_of_the_token() {
            return Ok(said.delivery());
        }
        // It ended early: somebody asked for another one. Once, so that a token that never counts is not asked for for ever.
        let token = self.tokens.instead_of(&token, &self.wire, now).await?;
        Ok(self.message(&token, &message, now).await?.delivery())
    }

    async fn message(&self, token: &str, message: &Value, now: Timestamp) -> Result<Said, Delivery> {
        self.wire.ask(&format!("/cgi-bin/message/template/send?access_token={token}"), message, now).await
    }
}

#[async_trait]
impl Channel for WeChatChannel {
    async fn send(&self, letter: &Letter, to: &str, now: Timestamp) -> Delivery {
        match timeout(TIME_LIMIT, self.try_to_send(letter, to, now)).await {
            Ok(Ok(delivery) | Err(delivery)) => delivery,
            Err(_) => Delivery::TryLater { after: None, why: format!("WeChat took longer than {TIME_LIMIT:?}") },
        }
    }
}

/// The way to the service.
struct Wire {
    client: GuardedClient,
    endpoint: String,
}

impl Wire {
    /// Asks, and gives what was said; where that was nothing, what becomes of the letter.
    async fn ask(&self, path: &str, body: &Value, now: Timestamp) -> Result<Said, Delivery> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let url = format!("{}{path}", self.endpoint);
        let answer = self.client.post(&url, headers, body.to_string()).await;
        let answer = answer.map_err(|error| webhook::outcome::of_error(&error))?;
        Said::read(&answer, now)
    }
}

#[cfg(test)]
mod tests;
