//! A DingTalk group's robot: the URL is signed, the answer is 200 with an `errcode`.

use domain::Timestamp;
use jobs::ports::{Chat, Delivery, Letter, Receipt};
use reqwest::Url;
use serde_json::{Value, json};

use super::{ChatChannel, json, later, signature, text};

/// It is busy.
const BUSY: i64 = -1;
/// More than 20 messages within a minute: nothing is taken for ten.
const TOO_FAST: [i64; 2] = [130_101, 410_100];
const BLOCKED_SECONDS: u64 = 600;

pub(super) async fn send(channel: &ChatChannel, letter: &Letter, chat: &Chat, now: Timestamp) -> Delivery {
    let Some(url) = signed(&chat.url, chat.secret.as_deref(), now) else {
        return Delivery::Refused { why: "the robot's URL is none".to_owned() };
    };
    let body = json!({ "msgtype": "text", "text": { "content": text(letter) } });
    match channel.post(&url, &body).await.and_then(|answer| json(&answer, now)) {
        Ok(answer) => of_answer(&answer),
        Err(delivery) => delivery,
    }
}

/// The URL with `timestamp` and `sign`, where the robot has a secret.
fn signed(url: &str, secret: Option<&str>, now: Timestamp) -> Option<String> {
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { return Some(url.to_owned()) };
    let mut url = Url::parse(url).ok()?;
    let sign = signature(secret, &format!("{}\n{secret}", now.0))?;
    url.query_pairs_mut().append_pair("timestamp", &now.0.to_string()).append_pair("sign", &sign);
    Some(url.into())
}

fn of_answer(answer: &Value) -> Delivery {
    let why = || format!("DingTalk answered {} {}", answer["errcode"], answer["errmsg"].as_str().unwrap_or_default());
    match answer["errcode"].as_i64() {
        Some(0) => Delivery::Sent(Receipt("errcode 0".to_owned())),
        Some(BUSY) | None => Delivery::TryLater { after: None, why: why() },
        Some(code) if TOO_FAST.contains(&code) => later(BLOCKED_SECONDS, why()),
        Some(_) => Delivery::Refused { why: why() },
    }
}
