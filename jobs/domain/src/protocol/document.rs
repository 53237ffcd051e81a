//! A protocol as users write and exchange it: the JSON of the servers before this one, field for field.
//!
//! What is missing or null gets its default, and fields that are not known are passed over.

use serde::{Deserialize, Deserializer, Serialize};

use super::Line;

/// A protocol's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProtocolDocument {
    /// The kind of line: 485 or 232.
    #[serde(rename = "Type")]
    pub line: Line,
    /// The protocol's name.
    pub protocol: String,
    /// The kind of device: `ups`, `air`, `em`, `th` or `io`.
    #[serde(default, deserialize_with = "or_default")]
    pub protocol_type: String,
    /// What is asked.
    #[serde(rename = "instruct", default, deserialize_with = "or_default")]
    pub instruct: Vec<InstructDocument>,
    /// For people.
    #[serde(rename = "remark", default, deserialize_with = "or_default")]
    pub remark: String,
}

/// One instruction and the fields of its reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "the form of documents that exist")]
pub struct InstructDocument {
    /// On a 485 line hex of function and data without address and CRC (`0300010002`), on a 232 line the command (`QGS`).
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Whether it is asked at all.
    pub is_use: bool,
    /// Whether a text is read word by word; otherwise character by character.
    pub is_split: bool,
    /// What stands between words, when it is not a space.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub split_str: Option<String>,
    /// Whether scripts take the place of the standard frame.
    pub no_standard: bool,
    /// The script that builds what is sent.
    #[serde(deserialize_with = "or_default")]
    pub script_start: String,
    /// The script that proves what came back.
    #[serde(deserialize_with = "or_default")]
    pub script_end: String,
    /// How the bytes of a field are read: `hex`, `float`, `bit2`, `utf8`, …
    #[serde(deserialize_with = "or_default")]
    pub result_type: String,
    /// Whether `shiftNum` leading bytes are dropped instead of the frame's head.
    pub shift: bool,
    /// How many.
    #[serde(deserialize_with = "or_default")]
    pub shift_num: usize,
    /// Whether `popNum` trailing bytes are dropped instead of the frame's end.
    pub pop: bool,
    /// How many.
    #[serde(deserialize_with = "or_default")]
    pub pop_num: usize,
    /// The fields as an editor shows them; `formResize` is what counts.
    #[serde(deserialize_with = "or_default")]
    pub resize: String,
    /// The fields of the reply.
    #[serde(deserialize_with = "or_default")]
    pub form_resize: Vec<FieldDocument>,
    /// For people.
    #[serde(deserialize_with = "or_default")]
    pub remark: String,
}

impl Default for InstructDocument {
    fn default() -> Self {
        Self {
            name: String::new(),
            is_use: true,
            is_split: true,
            split_str: None,
            no_standard: false,
            script_start: String::new(),
            script_end: String::new(),
            result_type: String::new(),
            shift: false,
            shift_num: 1,
            pop: false,
            pop_num: 1,
            resize: String::new(),
            form_resize: Vec::new(),
            remark: String::new(),
        }
    }
}

/// One field of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FieldDocument {
    /// The value's name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its English name.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Option::is_none")]
    pub en_name: Option<String>,
    /// Where it stands: `start-length`, from 1.
    #[serde(deserialize_with = "or_default")]
    pub regx: String,
    /// What the raw number is multiplied by, as text.
    #[serde(deserialize_with = "text_or_number")]
    pub bl: String,
    /// The unit (`℃`), or the words of a state (`{0:停止,1:运行}`).
    #[serde(deserialize_with = "or_default")]
    pub unit: String,
    /// Whether the value is a state, so that `unit` holds words.
    pub is_state: bool,
    /// The order of a number's bytes on the line: `ABCD` (which Modbus means, and what nothing means), `CDAB`, `BADC` or
    /// `DCBA`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "String::is_empty")]
    pub order: String,
    /// Raw numbers that stand for no value, before the coefficient: `-32768`, or as bits `0x8000`.
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub no_value: Vec<String>,
}

impl Default for FieldDocument {
    fn default() -> Self {
        Self {
            name: String::new(),
            en_name: None,
            regx: String::new(),
            bl: "1".to_owned(),
            unit: String::new(),
            is_state: false,
            order: String::new(),
            no_value: Vec::new(),
        }
    }
}

/// Documents say null where they mean nothing.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Some editors write `0.1` where others write `"0.1"`.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    TextOrNumber::deserialize(from).map(String::from)
}

/// A list of texts that some editors write as numbers.
pub(super) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts: Vec<TextOrNumber> = or_default(from)?;
    Ok(texts.into_iter().map(String::from).collect())
}

/// A text that some editors write as a number.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum TextOrNumber {
    Text(String),
    Number(serde_json::Number),
    Null(()),
}

impl From<TextOrNumber> for String {
    fn from(value: TextOrNumber) -> Self {
        match value {
            TextOrNumber::Text(text) => text,
            TextOrNumber::Number(number) => number.to_string(),
            TextOrNumber::Null(()) => Self::new(),
        }
    }
}
