//! Rooms of chats, by the robots that they let write there. Each has its own JSON and its own way to say no in an answer 200.

mod dingtalk;
mod feishu;
mod slack;
mod telegram;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Timestamp;
use jobs::ports::{Chat, ChatApp, Delivery, Letter};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

use crate::{
    guard::{Answer, GuardedClient},
    mac::hmac_sha256,
    webhook::outcome,
};

/// How much of a letter a room is told: every one of the chats takes so much.
const MOST_CHARS: usize = 4000;

pub(crate) struct ChatChannel {
    client: GuardedClient,
}

impl ChatChannel {
    pub(crate) fn new(client: GuardedClient) -> Self {
        Self { client }
    }

    pub(crate) async fn send(&self, letter: &Letter, chat: &Chat, now: Timestamp) -> Delivery {
        match chat.app {
            ChatApp::DingTalk => dingtalk::send(self, letter, chat, now).await,
            ChatApp::Feishu => feishu::send(self, letter, chat, now).await,
            ChatApp::Slack => slack::send(self, letter, chat, now).await,
            ChatApp::Telegram => telegram::send(self, letter, chat, now).await,
        }
    }

    /// Posts JSON. An error is what becomes of the letter: nothing was answered.
    async fn post(&self, url: &str, body: &Value) -> Result<Answer, Delivery> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        self.client.post(url, headers, body.to_string()).await.map_err(|error| outcome::of_error(&error))
    }
}

/// What a room is told: the subject, and what the text says beyond it.
fn text(letter: &Letter) -> String {
    let whole = if letter.text.trim().is_empty() {
        letter.subject.clone()
    } else {
        format!("{}\n{}", letter.subject, letter.text.trim_end())
    };
    match whole.char_indices().nth(MOST_CHARS) {
        None => whole,
        Some(_) => whole.chars().take(MOST_CHARS - 1).chain(['…']).collect(),
    }
}

/// The answer's JSON; of another answer, what becomes of the letter.
fn json(answer: &Answer, now: Timestamp) -> Result<Value, Delivery> {
    match serde_json::from_slice(&answer.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ if answer.status.is_success() => Err(not_of_the_chat(answer)),
        _ => Err(outcome::of_answer(answer, now)),
    }
}

/// Somebody else answered: a proxy, a page to sign in at.
fn not_of_the_chat(answer: &Answer) -> Delivery {
    Delivery::TryLater { after: None, why: format!("the answer is not the chat's: {}", outcome::said(answer)) }
}

fn signature(key: &str, message: &str) -> Option<String> {
    hmac_sha256(key.as_bytes(), message.as_bytes()).map(|mac| STANDARD.encode(mac))
}

fn later(seconds: u64, why: String) -> Delivery {
    Delivery::TryLater { after: Some(std::time::Duration::from_secs(seconds)), why }
}

#[cfg(test)]
mod tests;
