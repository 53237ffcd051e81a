//! Raw values that stand for no value: a sensor that is not connected says 0x7fff.

use super::Fault;

/// A raw value that means nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sentinel {
    /// This number, before the coefficient: `-32768`.
    Number(f64),
    /// These bits, whatever number they make: `0x8000`.
    Bits(u64),
}

impl Sentinel {
    /// Reads one entry of a document's `noValue`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let sentinel = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16).ok().map(Self::Bits),
            None => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Number),
        };
        sentinel.ok_or_else(|| Fault::Sentinel(text.chars().take(40).collect()))
    }

    /// Whether a raw number, made of these bytes (highest first), is this one.
    pub(super) fn is(self, raw: f64, bytes: &[u8]) -> bool {
        match self {
            #[expect(clippy::float_cmp, reason = "a sentinel is one exact number")]
            Self::Number(number) => number == raw,
            Self::Bits(bits) => {
                bytes.len() <= 8 && bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)) == bits
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentinel_is_a_number_or_bits() {
        assert!(Sentinel::parse("-32768").unwrap().is(-32_768.0, &[0x80, 0]));
        assert!(Sentinel::parse("0x8000").unwrap().is(-32_768.0, &[0x80, 0]));
        assert!(!Sentinel::parse("0x8000").unwrap().is(0.0, &[0, 0, 0x80, 1]));
        assert_eq!(Sentinel::parse("none"), Err(Fault::Sentinel("none".to_owned())));
        assert_eq!(Sentinel::parse("0xfffffffffffffffff"), Err(Fault::Sentinel("0xfffffffffffffffff".to_owned())));
    }
}
