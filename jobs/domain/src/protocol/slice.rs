//! Where a field stands in a reply.

use std::str::FromStr;

/// A place: `start-length`, `start` alone for a length of 1, or `start-length-width` for numbers narrower than the place.
/// Documents count from 1, this from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: usize,
    pub(super) length: usize,
    pub(super) width: usize,
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a place is start-length with numbers from 1, as in 1-2; this is not: {0:?}")]
pub struct BadSlice(String);

/// No reply is longer.
const FARTHEST: usize = 65_535;

impl FromStr for Slice {
    type Err = BadSlice;

    fn from_str(text: &str) -> Result<Self, BadSlice> {
        let bad = || BadSlice(text.chars().take(40).collect());
        let numbers: Vec<usize> = text
            .split('-')
            .map(|part| part.trim().parse().ok().filter(|number| (1..=FARTHEST).contains(number)))
            .collect::<Option<_>>()
            .ok_or_else(bad)?;
        let (start, length, width) = match numbers[..] {
            [start] => (start, 1, 1),
            [start, length] => (start, length, length),
            [start, length, width] if width <= length => (start, length, width),
            _ => return Err(bad()),
        };
        Ok(Self { start: start - 1, length, width })
    }
}

impl Slice {
    /// The items at this place; none when it is not wholly inside.
    pub(super) fn of<T>(self, items: &[T]) -> Option<&[T]> {
        items.get(self.start..self.start + self.length)
    }

    /// The items a number is made of: the first `width` of the place.
    pub(super) fn number_of<T>(self, items: &[T]) -> Option<&[T]> {
        items.get(self.start..self.start + self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_from_one() {
        for (text, start, length, width) in
            [("1-2", 0, 2, 2), ("3-2", 2, 2, 2), ("3", 2, 1, 1), ("1-4-2", 0, 4, 2), (" 2 - 1 ", 1, 1, 1)]
        {
            assert_eq!(text.parse(), Ok(Slice { start, length, width }), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "0-2", "1-0", "a-2", "1-2-3", "1-2-1-1", "-1", "1-", "1.5", "99999999999999999999-1", "65536"]
        {
            assert!(text.parse::<Slice>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_past_the_end_holds_nothing() {
        let place: Slice = "2-2".parse().unwrap();
        assert_eq!(place.of(&[1, 2, 3]), Some(&[2, 3][..]));
        assert_eq!(place.of(&[1, 2]), None);
        assert_eq!(place.of::<u8>(&[]), None);
    }
}
