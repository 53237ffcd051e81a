//! How the bytes of a field are read.

use std::str::FromStr;

use super::{Fault, slice::Slice};
use crate::{
    frame::hex_of_bytes,
    reading::{Datum, MOST_CHARS},
};

/// Every name a document may use on a 485 line.
const KNOWN: &str = "hex, short, int, HX, int16, uint16, int32, uint32, int64, uint64, bcd, float, float64, bit2, utf8";

/// How the bytes of a field are read. Of a number they are given highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultType {
    /// `bit2`: the reply's bits, each byte's lowest first; the place counts bits.
    Bit,
    /// `utf8`: a text, without the zeros and spaces that pad it.
    Text,
    /// `HX`: the bytes as hex digits.
    Digits,
    /// `hex`, `short`, `int`: a two's complement integer as wide as its place.
    Integer,
    /// `int16`, `int32`, `int64`: a two's complement integer of so many bytes.
    Signed(usize),
    /// `uint16`, `uint32`, `uint64`: an unsigned integer of so many bytes.
    Unsigned(usize),
    /// `bcd`: packed binary-coded decimal, two digits a byte, without a sign.
    Decimal,
    /// `float`: IEEE 754, 4 bytes.
    Float,
    /// `float64`: IEEE 754, 8 bytes.
    Double,
}

impl FromStr for ResultType {
    type Err = Fault;

    fn from_str(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "bit2" => Self::Bit,
            "utf8" => Self::Text,
            "HX" => Self::Digits,
            "hex" | "short" | "int" => Self::Integer,
            "int16" => Self::Signed(2),
            "int32" => Self::Signed(4),
            "int64" => Self::Signed(8),
            "uint16" => Self::Unsigned(2),
            "uint32" => Self::Unsigned(4),
            "uint64" => Self::Unsigned(8),
            "bcd" => Self::Decimal,
            "float" => Self::Float,
            "float64" => Self::Double,
            _ => return Err(Fault::ResultType { told: name.to_owned(), known: KNOWN }),
        })
    }
}

impl ResultType {
    /// Whether it reads numbers that a coefficient applies to.
    pub(super) fn is_number(self) -> bool {
        !matches!(self, Self::Bit | Self::Text | Self::Digits)
    }

    /// Refuses a place that this cannot be read from.
    pub(super) fn check_width(self, place: Slice) -> Result<(), Fault> {
        let (fits, result_type, allowed) = match self {
            Self::Bit | Self::Text | Self::Digits => return Ok(()),
            Self::Decimal => ((1..=8).contains(&place.width), "a BCD number", "1 to 8"),
            Self::Integer => ((1..=8).contains(&place.width), "an integer", "1 to 8"),
            Self::Signed(2) | Self::Unsigned(2) => (place.width == 2, "a 16-bit integer", "2"),
            Self::Signed(4) | Self::Unsigned(4) => (place.width == 4, "a 32-bit integer", "4"),
            Self::Signed(_) | Self::Unsigned(_) => (place.width == 8, "a 64-bit integer", "8"),
            Self::Float => (place.width == 4, "a float", "4"),
            Self::Double => (place.width == 8, "a float64", "8"),
        };
        if fits { Ok(()) } else { Err(Fault::Width { result_type, allowed, got: place.width }) }
    }

    /// The bit, text or digits at a place of the data; nothing when the place is past the end, or the bytes are no text.
    pub(super) fn read(self, place: Slice, data: &[u8]) -> Datum {
        match self {
            Self::Text => text(place, data).map_or(Datum::None, Datum::Text),
            Self::Digits => place.of(data).map_or(Datum::None, |bytes| Datum::Text(hex_of_bytes(bytes))),
            _ => bit(place, data).map_or(Datum::None, Datum::Number),
        }
    }

    /// The number that bytes make, highest first; none when they make none.
    pub(super) fn number(self, bytes: &[u8]) -> Option<f64> {
        let number = match self {
            Self::Bit | Self::Text | Self::Digits => None,
            Self::Integer | Self::Signed(_) => Some(integer(bytes, sign_of(bytes))),
            Self::Unsigned(_) => Some(integer(bytes, 0)),
            Self::Decimal => decimal(bytes),
            Self::Float => float(bytes),
            Self::Double => double(bytes),
        };
        number.filter(|number| number.is_finite())
    }
}

fn bit(place: Slice, data: &[u8]) -> Option<f64> {
    let byte = data.get(place.start / 8)?;
    Some(f64::from(byte >> (place.start % 8) & 1))
}

fn text(place: Slice, data: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(place.of(data)?).ok()?;
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!text.is_empty()).then(|| text.chars().take(MOST_CHARS).collect())
}

/// The byte that goes on before a two's complement integer.
fn sign_of(bytes: &[u8]) -> u8 {
    if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 }
}

/// A big-endian integer of up to 8 bytes, continued before its first by `sign`.
#[expect(clippy::cast_precision_loss, reason = "a number has 53 bits; wider counters lose their last digits")]
fn integer(bytes: &[u8], sign: u8) -> f64 {
    let mut wide = [sign; 16];
    let start = wide.len().saturating_sub(bytes.len());
    wide[start..].copy_from_slice(bytes);
    i128::from_be_bytes(wide) as f64
}

/// Two digits a byte; none when one of them is no digit.
fn decimal(bytes: &[u8]) -> Option<f64> {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| (digit < 10).then_some(f64::from(digit))).try_fold(0.0, |all, digit| Some(all * 10.0 + digit?))
}

/// A float as the shortest decimal that means it: 220.1, where its exact value is 220.10000610351562.
fn float(bytes: &[u8]) -> Option<f64> {
    f32::from_be_bytes(bytes.try_into().ok()?).to_string().parse().ok()
}

fn double(bytes: &[u8]) -> Option<f64> {
    Some(f64::from_be_bytes(bytes.try_into().ok()?))
}
