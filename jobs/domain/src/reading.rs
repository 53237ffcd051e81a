//! What a verified reply says: named values with a quality and two times.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, Timestamp};

/// How far a value can be believed (the OPC UA severities, plus the age we know of).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Proven and fresh.
    Good,
    /// Proven, but something about it is doubtful: an enum key nobody defined, a clock out of range.
    Uncertain,
    /// The device answered and the answer holds no value: a sentinel, a field past the end of the reply.
    Bad,
    /// Was good once; nothing newer has come in time.
    Stale,
}

/// A value's machine form. Numbers are numbers; text is for display.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Datum {
    /// A number, finite always.
    Number(f64),
    /// A text as the device said it.
    Text(String),
    /// No value: see the quality.
    None,
}

impl Datum {
    /// What a word says. Dashes and dots alone (`---.-`) stand for no value; a long run of zeros and ones is flags.
    pub(crate) fn of_word(word: &str) -> Self {
        let is_made_of = |characters: &[char]| word.chars().all(|c| characters.contains(&c));
        if is_made_of(&['-', '.']) {
            return Self::None;
        }
        let is_flags = word.len() >= FLAGS && is_made_of(&['0', '1']);
        let looks_like_number = word.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
        match word.parse::<f64>() {
            Ok(number) if looks_like_number && !is_flags && number.is_finite() => Self::Number(number),
            _ => Self::Text(word.chars().take(MOST_CHARS).collect()),
        }
    }

    /// The value as text: a number in its shortest form (`25.5`, `500`), nothing for no value.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => shortest(*number),
            Self::Text(text) => text.clone(),
            Self::None => String::new(),
        }
    }
}

/// The most characters of a text that count: a device's words are short.
pub(crate) const MOST_CHARS: usize = 256;

/// A run of zeros and ones at least this long is a row of flags, not a number.
const FLAGS: usize = 8;

/// A number for a person: plain digits, and a power of ten where those would be too many.
pub(crate) fn shortest(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e15).contains(&size) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

/// One named value out of a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// The argument's name, from the protocol.
    pub name: String,
    /// The machine form.
    pub value: Datum,
    /// What a person is shown: the enum's word for a state, else the value as text without its unit.
    pub display: String,
    /// The unit (`℃`, `V`), empty for a state.
    pub unit: String,
    /// How far it can be believed.
    pub quality: Quality,
}

/// What one query of one device brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Who was asked.
    pub device: DeviceId,
    /// When the query was sent: with the device, the reading's identity.
    pub asked: Timestamp,
    /// The device's time when it can be believed, else the time of arrival.
    pub at: Timestamp,
    /// When the reply reached us.
    pub arrived: Timestamp,
    /// Came so late that it may not raise a live alarm.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The values, in the protocol's order.
    pub values: Vec<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_number_only_when_it_is_a_finite_one() {
        for (word, datum) in [
            ("025.0", Datum::Number(25.0)),
            ("-1.5", Datum::Number(-1.5)),
            ("---.-", Datum::None),
            ("00000001", Datum::Text("00000001".into())),
            ("inf", Datum::Text("inf".into())),
            ("NaN", Datum::Text("NaN".into())),
        ] {
            assert_eq!(Datum::of_word(word), datum, "{word}");
        }
        let nines = "9".repeat(400);
        assert_eq!(Datum::of_word(&nines), Datum::Text(nines[..MOST_CHARS].to_owned()));
    }

    #[test]
    fn a_number_is_shown_in_its_shortest_form() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (500.0, "500"),
            (25.5, "25.5"),
            (-0.03, "-0.03"),
            (281_474_976_710_655.0, "281474976710655"),
            (1e15, "1e15"),
            (1.2e-39, "1.2e-39"),
        ] {
            assert_eq!(Datum::Number(number).text(), text);
        }
    }
}
