//! A Slack channel's incoming webhook: it answers `ok`, and an error with its status.

use domain::Timestamp;
use jobs::ports::{Chat, Delivery, Letter};
use reqwest::StatusCode;
use serde_json::json;

use super::{ChatChannel, not_of_the_chat, text};
use crate::webhook::outcome;

pub(super) async fn send(channel: &ChatChannel, letter: &Letter, chat: &Chat, now: Timestamp) -> Delivery {
    let body = json!({ "text": escaped(&text(letter)) });
    match channel.post(&chat.url, &body).await {
        Ok(answer) if answer.status.is_success() && answer.body.trim_ascii() != b"ok" => not_of_the_chat(&answer),
        Ok(answer) => match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if is_a_word(&answer.body) => {
                Delivery::Refused { why: format!("Slack answered {}", outcome::said(&answer)) }
            }
            _ => outcome::of_answer(&answer, now),
        },
        Err(delivery) => delivery,
    }
}

/// Slack's own errors are one word (`no_service`, `channel_not_found`); a proxy's are pages.
fn is_a_word(body: &[u8]) -> bool {
    let word = body.trim_ascii();
    !word.is_empty() && word.iter().all(|&byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// These three are control characters to Slack: `<!channel>` would ring for everybody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
