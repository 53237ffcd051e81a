//! One field of a reply: where it stands, how it is read and what it means.

use super::{
    Fault, FieldDocument, ProtocolError,
    coefficient::{Coefficient, ProgramFailed},
    order::ByteOrder,
    programs::Programs,
    result_type::ResultType,
    sentinel::Sentinel,
    slice::Slice,
    states::States,
};
use crate::reading::{Datum, Quality, Value};

/// A field of a binary reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BinaryField {
    label: Label,
    place: Slice,
    /// How its bytes are read.
    result_type: ResultType,
    /// What makes a number of them; bits and texts are as they are.
    scale: Option<Scale>,
}

/// What becomes of a number's bytes.
#[derive(Debug, Clone, PartialEq)]
struct Scale {
    order: ByteOrder,
    /// The raw numbers that stand for no value.
    no_value: Vec<Sentinel>,
    /// What the raw number is multiplied by.
    coefficient: Coefficient,
}

/// A field of a text reply: a word of it, or a run of characters. Coefficients are not applied to texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextField {
    label: Label,
    place: Slice,
}

/// What a value is called and what it means.
#[derive(Debug, Clone, PartialEq)]
struct Label {
    name: String,
    unit: String,
    states: Option<States>,
}

impl BinaryField {
    /// Checks a field's document.
    pub(super) fn compile(
        result_type: ResultType,
        document: &FieldDocument,
        programs: &Programs<'_>,
    ) -> Result<Self, ProtocolError> {
        let label = Label::compile(document)?;
        let place = place_of(document)?;
        result_type.check_width(place).map_err(|fault| ProtocolError::at("regx", fault))?;
        let scale = if result_type.is_number() {
            Some(Scale::compile(place, document, programs)?)
        } else {
            refuse_numbers_settings(document)?;
            None
        };
        Ok(Self { label, place, result_type, scale })
    }

    /// Reads the field out of a reply's data. Where its coefficient's program fails there is no value.
    pub(super) fn read(&self, data: &[u8]) -> (Value, Result<(), ProgramFailed>) {
        let read = match &self.scale {
            Some(scale) => {
                let bytes = self.place.number_of(data);
                bytes.map_or(Ok(Datum::None), |bytes| scale.value(self.result_type, bytes))
            }
            None => Ok(self.result_type.read(self.place, data)),
        };
        let (datum, ended) = read.map_or_else(|failed| (Datum::None, Err(failed)), |datum| (datum, Ok(())));
        let raw = datum.text();
        (self.label.value(datum, &raw), ended)
    }
}

impl Scale {
    fn compile(place: Slice, document: &FieldDocument, programs: &Programs<'_>) -> Result<Self, ProtocolError> {
        let order: ByteOrder = document.order.parse().map_err(|fault| ProtocolError::at("order", fault))?;
        if !order.fits(place.width) {
            return Err(ProtocolError::at("order", Fault::OddOrder(place.width)));
        }
        let no_value = document.no_value.iter().map(|text| Sentinel::parse(text)).collect::<Result<_, _>>();
        let no_value = no_value.map_err(|fault| ProtocolError::at("noValue", fault))?;
        let coefficient = Coefficient::parse(&document.bl, programs).map_err(|fault| ProtocolError::at("bl", fault))?;
        Ok(Self { order, no_value, coefficient })
    }

    fn value(&self, result_type: ResultType, bytes: &[u8]) -> Result<Datum, ProgramFailed> {
        let bytes = self.order.highest_first(bytes);
        match result_type.number(&bytes) {
            Some(raw) if !self.no_value.iter().any(|sentinel| sentinel.is(raw, &bytes)) => self.coefficient.apply(raw),
            _ => Ok(Datum::None),
        }
    }
}

impl TextField {
    /// Checks a field's document.
    pub(super) fn compile(document: &FieldDocument) -> Result<Self, ProtocolError> {
        refuse_numbers_settings(document)?;
        Ok(Self { label: Label::compile(document)?, place: place_of(document)? })
    }

    /// How many words a reply must have to hold this one.
    pub(super) fn words_needed(&self) -> usize {
        self.place.start + 1
    }

    /// Reads the field out of a reply's words.
    pub(super) fn read_word(&self, words: &[&str]) -> Value {
        let word = words.get(self.place.start).copied().unwrap_or_default();
        self.label.value(Datum::of_word(word), word)
    }

    /// Reads the field out of a reply's characters.
    pub(super) fn read_characters(&self, characters: &[char]) -> Value {
        let word: String = self.place.of(characters).unwrap_or_default().iter().collect();
        self.label.value(Datum::of_word(word.trim()), word.trim())
    }
}

impl Label {
    fn compile(document: &FieldDocument) -> Result<Self, ProtocolError> {
        if document.name.trim().is_empty() {
            return Err(ProtocolError::at("name", Fault::NoName));
        }
        let states = document.is_state.then(|| States::parse(&document.unit)).transpose();
        let states = states.map_err(|fault| ProtocolError::at("unit", fault))?;
        let unit = if states.is_some() { String::new() } else { document.unit.trim().to_owned() };
        Ok(Self { name: document.name.clone(), unit, states })
    }

    /// The value of a datum that the device wrote as `raw`.
    fn value(&self, datum: Datum, raw: &str) -> Value {
        let text = datum.text();
        let word = self.states.as_ref().map(|states| states.word(raw).or_else(|| states.word(&text)));
        let (display, quality) = match (&datum, word) {
            (Datum::None, _) => (text, Quality::Bad),
            (_, None) => (text, Quality::Good),
            (_, Some(Some(word))) => (word.to_owned(), Quality::Good),
            (_, Some(None)) => (text, Quality::Uncertain),
        };
        Value { name: self.name.clone(), value: datum, display, unit: self.unit.clone(), quality }
    }
}

/// Refuses what only a number read from bytes can have, where there is none: it would be passed over in silence.
fn refuse_numbers_settings(document: &FieldDocument) -> Result<(), ProtocolError> {
    if !document.order.is_empty() {
        return Err(ProtocolError::at("order", Fault::NotANumber));
    }
    if !document.no_value.is_empty() {
        return Err(ProtocolError::at("noValue", Fault::NotANumber));
    }
    Ok(())
}

fn place_of(document: &FieldDocument) -> Result<Slice, ProtocolError> {
    document.regx.parse().map_err(|bad| ProtocolError::at("regx", Fault::Slice(bad)))
}
