//! Webhooks: a POST signed by the Standard Webhooks scheme, to an address the user gave.

use ipnet::IpNet;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use domain::Timestamp;
use jobs::ports::{Delivery, Letter};

use crate::guard::GuardedClient;

pub(crate) mod outcome;
mod signature;

/// The event's type when the letter's data names none.
const DEFAULT_TYPE: &str = "notice";

/// What webhooks may reach: the `notify.webhook` table of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Networks that webhooks may reach although they are not public, such as `10.1.0.0/16`.
    #[schemars(with = "Vec<String>")]
    pub allowed_nets: Vec<IpNet>,
}

/// Whether letters can be sent to such a webhook, as far as one can tell without calling it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_webhook(url: &str, secret: &str) -> Result<(), String> {
    let is_http = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !is_http {
        return Err("the url must begin with http:// or https:// and name a host".to_owned());
    }
    signature::sign(secret, "", 0, "").map(drop).ok_or_else(|| BAD_SECRET.to_owned())
}

const BAD_SECRET: &str = "the webhook's secret must be `whsec_` and the base64 of a key; give it a new one";

pub(crate) struct WebhookChannel {
    client: GuardedClient,
}

impl WebhookChannel {
    pub(crate) fn new(client: GuardedClient) -> Self {
        Self { client }
    }

    /// Signs with each of the secrets: one, or the new one and the old. Without any there is no signature.
    pub(crate) async fn send(&self, letter: &Letter, url: &str, secrets: &[&str], now: Timestamp) -> Delivery {
        let body = body(letter, now);
        let headers = match headers(&letter.id, secrets, now, &body) {
            Ok(headers) => headers,
            Err(why) => {
                return Delivery::Refused { why: why.to_owned() };
            }
        };
        match self.client.post(url, headers, body).await {
            Ok(answer) => outcome::of_answer(&answer, now),
            Err(error) => outcome::of_error(&error),
        }
    }
}

/// `{type, timestamp, data}`. The type is `data.type` where the data has one.
fn body(letter: &Letter, now: Timestamp) -> String {
    let event_type = letter.data.get("type").and_then(Value::as_str).unwrap_or(DEFAULT_TYPE);
    json!({"type": event_type, "timestamp": now.rfc3339(), "data": letter.data}).to_string()
}

fn headers(id: &str, secrets: &[&str], now: Timestamp, body: &str) -> Result<HeaderMap, &'static str> {
    let seconds = now.0.div_euclid(1000);
    let signatures: Option<Vec<String>> =
        secrets.iter().map(|secret| signature::sign(secret, id, seconds, body)).collect();
    let signature = signatures.ok_or(BAD_SECRET)?.join(" ");
    let id = HeaderValue::from_str(id).map_err(|_| "the letter's id cannot be sent as a header")?;
    let signature = HeaderValue::from_str(&signature).map_err(|_| "the signature cannot be sent as a header")?;
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("webhook-id"), id),
        (HeaderName::from_static("webhook-timestamp"), HeaderValue::from(seconds)),
    ]);
    if !secrets.is_empty() {
        headers.insert(HeaderName::from_static("webhook-signature"), signature);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests;
