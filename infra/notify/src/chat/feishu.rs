//! A Feishu group's robot: the body is signed, the answer is 200 with a `code`.

use domain::Timestamp;
use jobs::ports::{Chat, Delivery, Letter, Receipt};
use serde_json::{Value, json};

use super::{ChatChannel, json, later, signature, text};

/// More than 100 messages within a minute, or 5 within a second.
const TOO_FAST: [i64; 2] = [11_232, 99_991_400];
const TOO_FAST_SECONDS: u64 = 60;
/// Its own side failed.
const FAILED_INSIDE: [i64; 2] = [19_023, 99_991_663];

pub(super) async fn send(channel: &ChatChannel, letter: &Letter, chat: &Chat, now: Timestamp) -> Delivery {
    let mut body = json!({ "msg_type": "text", "content": { "text": text(letter) } });
    if let Some(secret) = chat.secret.as_deref().filter(|secret| !secret.is_empty()) {
        let timestamp = now.0.div_euclid(1000).to_string();
        // What is signed is empty: time and secret are the key.
        body["sign"] = signature(&format!("{timestamp}\n{secret}"), "").into();
        body["timestamp"] = timestamp.into();
    }
    match channel.post(&chat.url, &body).await.and_then(|answer| json(&answer, now)) {
        Ok(answer) => of_answer(&answer),
        Err(delivery) => delivery,
    }
}

fn of_answer(answer: &Value) -> Delivery {
    // Robots of the first version say it so.
    let code = answer["code"].as_i64().or_else(|| answer["StatusCode"].as_i64());
    let why = || format!("Feishu answered {} {}", answer["code"], answer["msg"].as_str().unwrap_or_default());
    match code {
        Some(0) => Delivery::Sent(Receipt("code 0".to_owned())),
        Some(code) if TOO_FAST.contains(&code) => later(TOO_FAST_SECONDS, why()),
        Some(code) if !FAILED_INSIDE.contains(&code) => Delivery::Refused { why: why() },
        Some(_) | None => Delivery::TryLater { after: None, why: why() },
    }
}
