//! A range, as DynamoDB is asked for it.

use std::collections::HashMap;

use records::{Order, Range};

use super::attributes::{Attributes, of_place, text};

/// What a query says of its keys.
#[derive(Debug, PartialEq)]
pub(super) struct Span {
    pub(super) condition: &'static str,
    pub(super) values: Attributes,
    /// Behind which key to begin.
    pub(super) start: Option<Attributes>,
}

impl Span {
    /// What is left of a range; none when that is nothing. DynamoDB refuses ends that are turned round, and a start that
    /// lies outside of them.
    pub(super) fn of(range: &Range) -> Option<Self> {
        let from = range.from.as_str();
        let to = range.to.as_deref();
        if to.is_some_and(|to| to.is_empty() || to < from) {
            return None;
        }
        let start = match (range.after.as_deref(), range.order) {
            (None, _) => None,
            (Some(after), Order::Ascending) if to.is_some_and(|to| to <= after) => return None,
            (Some(after), Order::Ascending) => Some(after).filter(|&after| !after.is_empty() && from <= after),
            (Some(after), Order::Descending) if after <= from => return None,
            (Some(after), Order::Descending) => Some(after).filter(|&after| to.is_none_or(|to| after <= to)),
        };
        let mut values = HashMap::from([(":pk".to_owned(), text(&range.pk))]);
        values.extend(Some(from).filter(|from| !from.is_empty()).map(|from| (":from".to_owned(), text(from))));
        values.extend(to.map(|to| (":to".to_owned(), text(to))));
        let condition = match (from, to) {
            ("", None) => "pk = :pk",
            ("", Some(_)) => "pk = :pk AND sk <= :to",
            (_, None) => "pk = :pk AND sk >= :from",
            (_, Some(_)) => "pk = :pk AND sk BETWEEN :from AND :to",
        };
        Some(Self { condition, values, start: start.map(|after| of_place(&range.pk, after)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the query of a range that goes on behind `after` begins.
    fn begins(range: Range, after: &str) -> &'static str {
        match Span::of(&range.after(Some(after.to_owned()))) {
            None => "nowhere",
            Some(Span { start: None, .. }) => "at the range's first",
            Some(Span { start: Some(key), .. }) if key == of_place("p", after) => "there",
            Some(_) => "elsewhere",
        }
    }

    #[test]
    fn only_ends_that_are_there_are_named() {
        let condition = |range: &Range| Span::of(range).map(|span| (span.condition, span.values.len()));
        let all = Range::all("p", 1);
        let open = Range { from: "b".to_owned(), ..all.clone() };
        assert_eq!(condition(&all), Some(("pk = :pk", 1)));
        assert_eq!(condition(&open), Some(("pk = :pk AND sk >= :from", 2)));
        assert_eq!(condition(&all.clone().between("", "b")), Some(("pk = :pk AND sk <= :to", 2)));
        assert_eq!(condition(&all.clone().between("b", "b")), Some(("pk = :pk AND sk BETWEEN :from AND :to", 3)));
        assert_eq!(condition(&all.clone().between("c", "b")), None);
        assert_eq!(condition(&all.between("", "")), None);
    }

    #[test]
    fn a_start_outside_the_range_is_its_beginning_or_its_end() {
        let up = || Range::all("p", 1).between("b", "d");
        let down = || up().newest_first();
        assert_eq!([begins(up(), "b"), begins(up(), "c")], ["there"; 2]);
        assert_eq!([begins(down(), "d"), begins(down(), "c")], ["there"; 2]);
        assert_eq!([begins(up(), "a"), begins(down(), "e")], ["at the range's first"; 2]);
        assert_eq!([begins(up(), "d"), begins(up(), "e")], ["nowhere"; 2]);
        assert_eq!([begins(down(), "b"), begins(down(), "a")], ["nowhere"; 2]);
        assert_eq!(begins(Range::all("p", 1), ""), "at the range's first");
    }
}
