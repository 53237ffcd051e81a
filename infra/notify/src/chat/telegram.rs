//! A Telegram bot: `sendMessage`, or `editMessageText` where the letter takes the place of an earlier one.

use domain::Timestamp;
use jobs::ports::{Chat, Delivery, Letter, Receipt};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{ChatChannel, json, later, text};

/// It asks for this pause where it names none.
const PAUSE_SECONDS: u64 = 30;

pub(super) async fn send(channel: &ChatChannel, letter: &Letter, chat: &Chat, now: Timestamp) -> Delivery {
    let Some(room) = &chat.room else {
        return Delivery::Refused { why: "no Telegram chat is named".to_owned() };
    };
    let mut body = json!({ "chat_id": room, "text": text(letter) });
    if let Some(id) = chat.edits.as_deref().and_then(|id| id.parse::<i64>().ok()) {
        body["message_id"] = id.into();
        let edited = call(channel, chat, "editMessageText", &body, now).await;
        match edited.map(|answer| of_edit(&answer, id)) {
            Ok(Some(delivery)) | Err(delivery) => return delivery,
            // The message is gone, or too old: a new one takes its place.
            Ok(None) => body["message_id"] = Value::Null,
        }
    }
    match call(channel, chat, "sendMessage", &body, now).await {
        Ok(answer) => of_answer(&answer),
        Err(delivery) => delivery,
    }
}

async fn call(
    channel: &ChatChannel,
    chat: &Chat,
    method: &str,
    body: &Value,
    now: Timestamp,
) -> Result<Value, Delivery> {
    let url = format!("{}/{method}", chat.url.trim_end_matches('/'));
    channel.post(&url, body).await.and_then(|answer| json(&answer, now))
}

fn of_edit(answer: &Value, id: i64) -> Option<Delivery> {
    match answer["description"].as_str().unwrap_or_default() {
        said if said.contains("message is not modified") => Some(Delivery::Sent(Receipt::of_message(&id.to_string()))),
        said if said.contains("message to edit not found") || said.contains("message can't be edited") => None,
        _ => Some(of_answer(answer)),
    }
}

fn of_answer(answer: &Value) -> Delivery {
    if answer["ok"] == true {
        return Delivery::Sent(match answer["result"]["message_id"].as_i64() {
            Some(id) => Receipt::of_message(&id.to_string()),
            None => Receipt("ok".to_owned()),
        });
    }
    let why =
        format!("Telegram answered {} {}", answer["error_code"], answer["description"].as_str().unwrap_or_default());
    let code = answer["error_code"].as_u64().and_then(|code| u16::try_from(code).ok());
    match code.and_then(|code| StatusCode::from_u16(code).ok()) {
        Some(StatusCode::TOO_MANY_REQUESTS) => {
            later(answer["parameters"]["retry_after"].as_u64().unwrap_or(PAUSE_SECONDS), why)
        }
        Some(status) if status.is_client_error() => Delivery::Refused { why },
        Some(_) | None => Delivery::TryLater { after: None, why },
    }
}
