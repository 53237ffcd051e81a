//! A Slack channel's incoming webhook: it answers `ok`, and an error with its status.

use domain::Timestamp;
use jobs::ports::{Chat, Delivery, Letter};
use serde_json::json;

use super::{ChatChannel, not_of_the_chat, text};
use crate::webhook::outcome;

pub(super) async fn send(channel: &ChatChannel, letter: &Letter, chat: &Chat, now: Timestamp) -> Delivery {
    let body = json!({ "text": escaped(&text(letter)) });
    match channel.post(&chat.url, &body).await {
        Ok(answer) if answer.status.is_success() && answer.body.trim_ascii() != b"ok" => not_of_the_chat(&answer),
        Ok(answer) => outcome::of_answer(&answer, now),
        Err(delivery) => delivery,
    }
}

/// These three are control characters to Slack: `<!channel>` would ring for everybody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
