//! One message of a batch, as SQS shapes it.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// A message, and the receipt of this receive.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) message_id: String,
    pub(super) receipt_handle: String,
    pub(super) body: String,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    message_attributes: HashMap<String, Attribute>,
}

/// What whoever sent the message said beside its body.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    #[serde(default)]
    string_value: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Attributes {
    /// Which run this is, as text: 1 for the first.
    #[serde(rename = "ApproximateReceiveCount", default)]
    receive_count: String,
}

impl Record {
    /// Reads what an event holds; else why it cannot be read.
    pub(super) fn read(told: &Value) -> Result<Self, String> {
        Self::deserialize(told).map_err(|error| format!("the record is not a message of SQS: {error}"))
    }

    /// An attribute of the message; empty where it has none of that name.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.message_attributes.get(name).map_or("", |attribute| &attribute.string_value)
    }

    /// Which run of the message this is: 1 for the first.
    pub(super) fn run(&self) -> u32 {
        self.attributes.receive_count.parse().unwrap_or(1)
    }
}

/// The id of what may not be a message at all; empty where it tells none.
pub(super) fn id(told: &Value) -> &str {
    told["messageId"].as_str().unwrap_or_default()
}
