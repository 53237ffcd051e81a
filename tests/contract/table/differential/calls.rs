//! Sequences of calls, over so few keys that they meet each other.

use std::time::Duration;

use domain::Timestamp;
use proptest::{
    collection::{hash_map, vec},
    option,
    prelude::*,
    sample::select,
};
use records::{Condition, Item, Key, Order, Range, Write};

const PARTITIONS: [&str; 2] = ["p", "q"];
const PLACES: [&str; 7] = ["a", "ab", "ab~", "abc", "b", "é", "\u{10FFFF}"];
/// What ranges begin and end with: places, and what lies between them.
const ENDS: [&str; 10] = ["", "a", "aa", "ab", "ab~", "abc", "b", "c", "é", "\u{10FFFF}"];
/// How many calls are in the longest sequence; half as many on average.
const CALLS: usize = 80;

/// What a sequence holds.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Get(Key),
    GetMany(Vec<Key>),
    Query(Range),
    Write(Write),
    WriteBatch(Vec<Write>),
    Transact(Vec<Write>),
    /// Time goes on.
    Wait(Duration),
    /// The embedded store removes what has expired, which nobody may see.
    RemoveExpired,
}

/// A sequence that begins at `start`.
pub(super) fn sequence(start: Timestamp) -> impl Strategy<Value = Vec<Call>> {
    vec(call(start), 0..=CALLS)
}

fn call(start: Timestamp) -> impl Strategy<Value = Call> {
    let seldom_the_same = |most| {
        let distinct = hash_map(key(), write(start), 0..=most)
            .prop_map(|writes| writes.into_iter().map(|(key, write)| at(key, write)).collect());
        prop_oneof![9 => distinct, 1 => vec(write(start), 0..=most)]
    };
    let unconditional = seldom_the_same(9).prop_map(|writes| writes.into_iter().map(without_condition).collect());
    prop_oneof![
        3 => key().prop_map(Call::Get),
        2 => vec(key(), 0..12).prop_map(Call::GetMany),
        5 => range().prop_map(Call::Query),
        6 => write(start).prop_map(Call::Write),
        4 => seldom_the_same(5).prop_map(Call::Transact),
        2 => prop_oneof![9 => unconditional, 1 => seldom_the_same(3)].prop_map(Call::WriteBatch),
        3 => select(vec![1, 999, 1000, 2000, 5000]).prop_map(|ms| Call::Wait(Duration::from_millis(ms))),
        1 => Just(Call::RemoveExpired),
    ]
}

/// Now and then one that no table takes.
fn key() -> impl Strategy<Value = Key> {
    let good = (select(&PARTITIONS[..]), select(&PLACES[..]));
    let bad = select(vec![("", "a"), ("p", ""), ("p\0", "a"), ("p", "a\0")]);
    prop_oneof![60 => good, 1 => bad].prop_map(|(pk, sk)| Key::new(pk, sk))
}

fn write(start: Timestamp) -> impl Strategy<Value = Write> {
    let version = || prop_oneof![8 => 1_u64..=3, 1 => Just(u64::MAX)];
    let condition = prop_oneof![
        3 => Just(Condition::Always),
        3 => Just(Condition::Absent),
        4 => version().prop_map(Condition::Version),
    ];
    // On the second, as the waits are, so that calls come at the very millisecond at which an item goes.
    let expires = option::weighted(0.4, 0_u64..15);
    let item = (key(), version(), expires, vec(any::<u8>(), 0..4)).prop_map(move |(key, version, expires, body)| {
        let expires = expires.map(|seconds| start.plus(Duration::from_secs(seconds)));
        Item { key, version, expires, body: body.into() }
    });
    (item, condition, prop::bool::weighted(0.3)).prop_map(|(item, condition, deletes)| {
        if deletes { Write::Delete(item.key, condition) } else { Write::Put(item, condition) }
    })
}

fn at(key: Key, write: Write) -> Write {
    match write {
        Write::Put(item, condition) => Write::Put(Item { key, ..item }, condition),
        Write::Delete(_, condition) => Write::Delete(key, condition),
    }
}

fn without_condition(write: Write) -> Write {
    match write {
        Write::Put(item, _) => Write::Put(item, Condition::Always),
        Write::Delete(key, _) => Write::Delete(key, Condition::Always),
    }
}

fn range() -> impl Strategy<Value = Range> {
    let end = || select(&ENDS[..]).prop_map(str::to_owned);
    let part = prop_oneof![
        2 => Just((String::new(), None)),
        4 => (end(), option::of(end())),
        2 => end().prop_map(|prefix| {
            let range = Range::all("", 1).prefix(&prefix);
            (range.from, range.to)
        }),
    ];
    let order = select(vec![Order::Ascending, Order::Descending]);
    let limit = prop_oneof![30 => 1_usize..9, 1 => Just(0)];
    (select(&PARTITIONS[..]), part, order, limit, option::weighted(0.3, end()))
        .prop_map(|(pk, (from, to), order, limit, after)| Range { pk: pk.to_owned(), from, to, order, limit, after })
}
