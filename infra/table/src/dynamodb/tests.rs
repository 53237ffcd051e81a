//! What DynamoDB refuses, and not every engine that plays it.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use records::{Condition, Item, Key, Range, Write};

use super::{
    attributes::{Attributes, of_item, of_key},
    batch,
    guard::Guard,
    span::Span,
};

/// DynamoDB's limits.
const MOST_WRITES: usize = 25;
const MOST_KEYS: usize = 100;
const MOST_DIGITS: usize = 38;

fn key(number: usize) -> Key {
    Key::new("p", number.to_string())
}

/// The values that an expression names.
fn named(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|letter: char| !letter.is_alphanumeric() && letter != ':');
    words.filter(|word| word.starts_with(':')).collect()
}

fn given(values: &Attributes) -> BTreeSet<&str> {
    values.keys().map(String::as_str).collect()
}

#[test]
fn a_condition_names_the_values_that_are_given_and_no_others() {
    for condition in [Condition::Absent, Condition::Version(7)] {
        let guard = Guard::new(condition, Timestamp(1));
        let (expression, values) = (guard.expression.unwrap(), guard.values.unwrap());
        assert!(!values.is_empty());
        assert_eq!(named(&expression), given(&values), "{condition:?}");
    }
    let none = Guard::new(Condition::Always, Timestamp(1));
    assert_eq!((none.expression, none.values), (None, None));
}

#[test]
fn a_query_names_the_values_that_are_given_and_no_others() {
    let all = || Range::all("p", 1);
    let open = Range { from: "b".to_owned(), ..all() };
    for range in [all(), open, all().between("", "c"), all().between("b", "c"), all().prefix("b"), all().prefix("")] {
        for range in [range.clone(), range.clone().newest_first(), range.after(Some("bb".to_owned()))] {
            let span = Span::of(&range).unwrap();
            assert_eq!(named(span.condition), given(&span.values), "{range:?}");
        }
    }
}

#[test]
fn no_call_has_more_writes_or_keys_than_dynamodb_takes() {
    let writes: Vec<Write> = (0..60).map(|number| Write::Delete(key(number), Condition::Always)).collect();
    let calls: Vec<usize> = batch::writes(&writes).unwrap().iter().map(Vec::len).collect();
    assert_eq!(calls, [MOST_WRITES, MOST_WRITES, 10]);
    let keys: Vec<Attributes> = (0..220).map(|number| of_key(&key(number))).collect();
    let calls: Vec<usize> = batch::reads(&keys).unwrap().iter().map(|call| call.keys().len()).collect();
    assert_eq!(calls, [MOST_KEYS, MOST_KEYS, 20]);
    assert!(batch::writes(&[]).unwrap().is_empty() && batch::reads(&[]).unwrap().is_empty());
}

#[test]
fn no_number_has_more_digits_than_dynamodb_takes() {
    for expires in [i64::MIN, i64::MAX] {
        let item = Item { key: key(1), version: u64::MAX, expires: Some(Timestamp(expires)), body: "".into() };
        let guard = Guard::new(Condition::Version(u64::MAX), Timestamp(expires));
        for (name, value) in of_item(&item).into_iter().chain(guard.values.unwrap()) {
            if let AttributeValue::N(number) = value {
                assert!(number.trim_start_matches('-').len() <= MOST_DIGITS, "{name} is {number}");
            }
        }
    }
}
