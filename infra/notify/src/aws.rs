//! The channels that AWS carries: e-mail by SES, text messages and topics by SNS.
//!
//! Each letter is one call, which the SDK does not repeat by itself: an attempt whose answer is lost may have been sent, and
//! whether it is tried again is the job's to decide, and in the notice's ledger to see.

mod outcome;
mod ses;
mod sms;
mod topics;

use aws_sdk_sns::{config::retry::RetryConfig, error::BuildError, types::MessageAttributeValue};
use engine_aws::{SdkConfig, plain_text};

pub use ses::SesSettings;
pub use sms::SmsSettings;
pub use topics::TopicSettings;

pub(crate) use ses::SesChannel;
pub(crate) use sms::SmsChannel;
pub(crate) use topics::TopicChannel;

/// Which of the channels there are.
#[derive(Debug, Clone, Default)]
pub struct AwsChannels {
    /// E-mail, in place of an SMTP server.
    pub ses: Option<SesSettings>,
    /// Text messages.
    pub sms: Option<SmsSettings>,
    /// Topics.
    pub topics: Option<TopicSettings>,
}

fn sns(config: &SdkConfig) -> aws_sdk_sns::Client {
    let config = aws_sdk_sns::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
    aws_sdk_sns::Client::from_conf(config)
}

fn text_attribute(text: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(plain_text(text)).build()
}
