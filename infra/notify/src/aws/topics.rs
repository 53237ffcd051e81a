//! A topic for each severity: whoever subscribes to one hears of every alarm of it.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use domain::alarm::Severity;
use engine_aws::{SdkConfig, plain_text};
use jobs::ports::{Delivery, Letter};
use serde::Deserialize;

use super::{outcome, sns, text_attribute};
use crate::post::Topics;

/// SNS takes no subject that is longer, and none that is not ASCII.
const MOST_SUBJECT_CHARS: usize = 99;

/// The topics' ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicSettings {
    /// Of critical alarms.
    pub critical: String,
    /// Of warnings.
    pub warning: String,
    /// Of what is good to know.
    pub info: String,
}

pub(crate) struct TopicChannel {
    client: Client,
    topics: TopicSettings,
}

impl TopicChannel {
    pub(crate) fn new(config: &SdkConfig, topics: TopicSettings) -> Self {
        Self { client: sns(config), topics }
    }
}

#[async_trait]
impl Topics for TopicChannel {
    /// Publishes a letter. Its attributes are what a subscription's filter can ask for, and the notice's id, by which a
    /// letter that comes twice can be told.
    async fn publish(&self, letter: &Letter, severity: Severity) -> Delivery {
        let (topic, name) = match severity {
            Severity::Critical => (&self.topics.critical, "critical"),
            Severity::Warning => (&self.topics.warning, "warning"),
            Severity::Info => (&self.topics.info, "info"),
        };
        let source = letter.data["source"].as_str().unwrap_or("unknown");
        let mut request = self.client.publish().topic_arn(topic).message(message(letter));
        for (attribute, value) in [("severity", name), ("notice", &letter.id), ("source", source)] {
            request = match text_attribute(value) {
                Ok(value) => request.message_attributes(attribute, value),
                Err(why) => return Delivery::Refused { why: why.to_string() },
            };
        }
        // What was seen may have a unit that no subject there may have: then it goes without.
        let headline = letter.subject.rsplit_once(" (").map(|(headline, _)| headline);
        let request = request.set_subject(subject(&letter.subject).or_else(|| subject(headline?)));
        outcome::of_call(async { Ok(request.send().await?.message_id) }).await
    }
}

fn message(letter: &Letter) -> String {
    plain_text(&format!("{}\n\n{}", letter.subject, letter.text)).into_owned()
}

/// The subject, where SNS takes one like it.
fn subject(subject: &str) -> Option<String> {
    let is_taken = |c: char| c.is_ascii() && !c.is_ascii_control();
    let begins_well = subject.starts_with(|c: char| c.is_ascii_alphanumeric() || c.is_ascii_punctuation());
    (begins_well && subject.chars().all(is_taken)).then(|| subject.chars().take(MOST_SUBJECT_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_that_sns_would_refuse_is_left_out() {
        assert_eq!(subject("Alarm: Cold store").as_deref(), Some("Alarm: Cold store"));
        assert_eq!(subject(&"x".repeat(200)).map(|subject| subject.len()), Some(MOST_SUBJECT_CHARS));
        for refused in ["Alarm: 冷库", "Alarm\nBcc: x", " Alarm", ""] {
            assert_eq!(subject(refused), None, "{refused:?}");
        }
    }
}
