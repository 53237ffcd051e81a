//! Text messages by Alibaba Cloud (dysmsapi 2017-05-25, `SendSms`): what is said lies in templates that were approved.

mod outcome;
mod signature;
mod template;

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::{Timestamp, phone};
use jiff::tz::TimeZone;
use jobs::ports::{Delivery, Letter};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::signature::{Call, signed};
use crate::{guard::GuardedClient, post::Channel, secret::Secret, settings::NotifySettingsError, webhook};

pub use template::SmsTemplates;

/// The account that sends text messages: the `notify.aliyun_sms` table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AliyunSmsSettings {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub access_key_secret: Secret,
    /// The approved signature that messages begin with.
    pub sign_name: String,
    /// The approved templates.
    #[serde(default)]
    pub templates: SmsTemplates,
    /// By whose clocks times are told.
    #[serde(default = "shanghai")]
    pub zone: String,
    /// Where the service is.
    #[serde(default = "service")]
    pub endpoint: String,
}

pub(crate) fn shanghai() -> String {
    "Asia/Shanghai".to_owned()
}

fn service() -> String {
    "https://dysmsapi.aliyuncs.com".to_owned()
}

pub(crate) struct AliyunSmsChannel {
    client: GuardedClient,
    settings: AliyunSmsSettings,
    endpoint: Url,
    zone: TimeZone,
    /// How many calls there were: no two have one nonce.
    calls: AtomicU64,
}

impl AliyunSmsChannel {
    pub(crate) fn new(client: GuardedClient, settings: AliyunSmsSettings) -> Result<Self, NotifySettingsError> {
        let zone = TimeZone::get(&settings.zone).map_err(|error| NotifySettingsError::Sms(error.to_string()))?;
        let endpoint = Url::parse(&settings.endpoint)
            .map_err(|error| NotifySettingsError::Sms(format!("notify.aliyun_sms.endpoint is no URL: {error}")))?;
        Ok(Self { client, settings, endpoint, zone, calls: AtomicU64::new(0) })
    }

    /// The URL and headers of the call that sends it.
    fn call(&self, letter: &Letter, number: &str, now: Timestamp) -> Option<(String, HeaderMap)> {
        let (template, parameters) = template::fill(letter, &self.settings.templates, &self.zone, now);
        let number_of_call = self.calls.fetch_add(1, Ordering::Relaxed);
        let call = Call {
            host: host(&self.endpoint)?,
            action: "SendSms",
            version: "2017-05-25",
            parameters: &[
                ("OutId", &letter.id),
                // Numbers of the mainland stand without their country's code, others without the plus.
                ("PhoneNumbers", number.strip_prefix("+86").unwrap_or_else(|| number.trim_start_matches('+'))),
                ("RegionId", "cn-hangzhou"),
                ("SignName", &self.settings.sign_name),
                ("TemplateCode", &template),
                ("TemplateParam", &parameters.to_string()),
            ],
            nonce: &crate::mac::sha256_hex(format!("{}/{}/{number_of_call}", letter.id, now.0).as_bytes())[..32],
            at: now,
        };
        let signed = signed(&call, &self.settings.access_key_id, self.settings.access_key_secret.text())?;
        let headers = signed.headers.into_iter().filter(|(name, _)| *name != "host");
        let headers = headers.map(|(name, value)| Some((HeaderName::from_static(name), value.parse().ok()?)));
        let headers: Option<Vec<(HeaderName, HeaderValue)>> = headers.collect();
        let url = format!("{}/?{}", self.settings.endpoint.trim_end_matches('/'), signed.query);
        Some((url, headers?.into_iter().collect()))
    }
}

/// As the header `host` has it.
fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[async_trait]
impl Channel for AliyunSmsChannel {
    async fn send(&self, letter: &Letter, to: &str, now: Timestamp) -> Delivery {
        let Some(number) = phone::e164(to) else {
            return Delivery::Refused {
                why: format!("`{to}` is not a telephone number as E.164 has it (+8613800138000)"),
            };
        };
        let Some((url, headers)) = self.call(letter, &number, now) else {
            return Delivery::Refused { why: "the call cannot be signed".to_owned() };
        };
        match self.client.post(&url, headers, String::new()).await {
            Ok(answer) => outcome::of_answer(&answer, now),
            Err(error) => webhook::outcome::of_error(&error),
        }
    }
}
