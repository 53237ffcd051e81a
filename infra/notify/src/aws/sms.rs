//! Text messages by SNS, straight to a number.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_sns::{Client, error::BuildError, types::MessageAttributeValue};
use domain::{Timestamp, phone};
use engine_aws::{SdkConfig, plain_text};
use jobs::ports::{Delivery, Letter};
use serde::Deserialize;
use tokio::time::timeout;

use super::{outcome, sns, text_attribute};
use crate::post::Channel;

/// How much of a letter a text message holds: five parts where the text is not ASCII.
const MOST_CHARS: usize = 300;

/// How long it is asked whether a number wants text messages, so that there is time left to send one.
const ASKED_FOR: Duration = Duration::from_secs(2);

/// How text messages are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSettings {
    /// Whether they are sent at all: each costs money.
    pub enabled: bool,
    /// The sender's name, in countries that show one.
    #[serde(default)]
    pub sender_id: Option<String>,
}

pub(crate) struct SmsChannel {
    client: Client,
    attributes: HashMap<String, MessageAttributeValue>,
}

impl SmsChannel {
    pub(crate) fn new(config: &SdkConfig, settings: SmsSettings) -> Result<Self, BuildError> {
        // An alarm goes before advertisements.
        let mut attributes = HashMap::from([("AWS.SNS.SMS.SMSType".to_owned(), text_attribute("Transactional")?)]);
        if let Some(sender) = settings.sender_id.filter(|sender| !sender.is_empty()) {
            attributes.insert("AWS.SNS.SMS.SenderID".to_owned(), text_attribute(&sender)?);
        }
        Ok(Self { client: sns(config), attributes })
    }

    /// Whether the number's owner has asked for no more messages. Where that cannot be found out, SNS itself does not send
    /// to such a number.
    async fn has_opted_out(&self, number: &str) -> bool {
        let asked = self.client.check_if_phone_number_is_opted_out().phone_number(number).send();
        timeout(ASKED_FOR, asked).await.is_ok_and(|answer| answer.is_ok_and(|answer| answer.is_opted_out))
    }
}

#[async_trait]
impl Channel for SmsChannel {
    async fn send(&self, letter: &Letter, to: &str, _now: Timestamp) -> Delivery {
        let Some(number) = phone::e164(to) else {
            return Delivery::Refused {
                why: format!("`{to}` is not a telephone number as E.164 has it (+8613800138000)"),
            };
        };
        if self.has_opted_out(&number).await {
            return Delivery::Refused { why: format!("{number} has opted out of text messages") };
        }
        let request = self.client.publish().phone_number(number).message(text(letter));
        let request = request.set_message_attributes(Some(self.attributes.clone()));
        outcome::of_call(async { Ok(request.send().await?.message_id) }).await
    }
}

/// What was made short for it; else the subject, and what the text says beyond it, as far as it fits.
fn text(letter: &Letter) -> String {
    if let Some(short) = &letter.forms.short {
        return plain_text(short).into_owned();
    }
    let lines = letter.text.lines().filter(|line| !line.is_empty() && !letter.subject.ends_with(line));
    let whole = lines.fold(letter.subject.clone(), |text, line| text + "\n" + line);
    let whole = plain_text(&whole);
    match whole.char_indices().nth(MOST_CHARS) {
        None => whole.into_owned(),
        Some(_) => whole.chars().take(MOST_CHARS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use jobs::ports::{Address, Forms};
    use serde_json::Value;

    use super::*;

    fn letter(subject: &str, text: &str) -> Letter {
        let address = Address::Sms { to: "+12065550100".to_owned() };
        Letter {
            id: "n1".to_owned(),
            address,
            subject: subject.to_owned(),
            text: text.to_owned(),
            data: Value::Null,
            forms: Forms::default(),
        }
    }

    #[test]
    fn a_text_message_says_each_thing_once() {
        let told = text(&letter("Alarm: 冷库", "冷库\nraised 12:00: temperature is 40 ℃\n\nmac/1\n"));
        assert_eq!(told, "Alarm: 冷库\nraised 12:00: temperature is 40 ℃\nmac/1");
    }

    #[test]
    fn a_long_letter_is_cut_and_shows_it() {
        let told = text(&letter("Alarm", &"温".repeat(1000)));
        assert_eq!((told.chars().count(), told.chars().last()), (MOST_CHARS, Some('…')));
        let fits = text(&letter("Alarm", &"温".repeat(MOST_CHARS - 6)));
        assert!(fits.ends_with('温'));
    }
}
