//! In which order a number's bytes come.

use std::{borrow::Cow, str::FromStr};

use super::Fault;

/// The order of the bytes of a number, written as makers of Modbus devices write it: what becomes of the four bytes
/// A B C D, highest first, on the line. Longer and shorter numbers go by the same two questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ByteOrder {
    /// `ABCD`: the highest byte first, as Modbus has it.
    #[default]
    Big,
    /// `CDAB`: the lowest register first, each register's high byte first.
    WordSwapped,
    /// `BADC`: the highest register first, each register's low byte first.
    ByteSwapped,
    /// `DCBA`: the lowest byte first.
    Little,
}

impl FromStr for ByteOrder {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Ok(match text.trim().to_ascii_uppercase().as_str() {
            "" | "ABCD" => Self::Big,
            "CDAB" => Self::WordSwapped,
            "BADC" => Self::ByteSwapped,
            "DCBA" => Self::Little,
            _ => return Err(Fault::Order(text.chars().take(40).collect())),
        })
    }
}

impl ByteOrder {
    /// The bytes of a number, highest first. In the orders that go by registers, their number is even: `compile` sees to
    /// it, and a last byte alone would stay where it is.
    pub(super) fn highest_first(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self == Self::Big {
            return Cow::Borrowed(bytes);
        }
        let mut ordered = bytes.to_vec();
        if matches!(self, Self::WordSwapped | Self::Little) {
            ordered.reverse();
        }
        if matches!(self, Self::WordSwapped | Self::ByteSwapped) {
            ordered.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
        Cow::Owned(ordered)
    }

    /// Whether a number of so many bytes can come in this order.
    pub(super) fn fits(self, width: usize) -> bool {
        matches!(self, Self::Big | Self::Little) || width.is_multiple_of(2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_order_does_what_its_letters_say() {
        for order in ["ABCD", "CDAB", "BADC", "DCBA", "cdab"] {
            let read: ByteOrder = order.parse().unwrap();
            assert_eq!(read.highest_first(order.to_ascii_uppercase().as_bytes()).as_ref(), b"ABCD", "{order}");
        }
        assert_eq!("CDAB".parse::<ByteOrder>().unwrap().highest_first(b"GHEFCDAB").as_ref(), b"ABCDEFGH");
        assert_eq!("DCBA".parse::<ByteOrder>().unwrap().highest_first(b"BA").as_ref(), b"AB");
        assert_eq!("ACBD".parse::<ByteOrder>(), Err(Fault::Order("ACBD".to_owned())));
    }

    proptest! {
        #[test]
        fn an_order_twice_is_none(registers in prop::collection::vec(any::<[u8; 2]>(), 0..5)) {
            let bytes = registers.concat();
            for order in [ByteOrder::Big, ByteOrder::WordSwapped, ByteOrder::ByteSwapped, ByteOrder::Little] {
                let once = order.highest_first(&bytes);
                let twice = order.highest_first(&once);
                prop_assert_eq!(twice.as_ref(), bytes.as_slice());
            }
        }
    }
}
