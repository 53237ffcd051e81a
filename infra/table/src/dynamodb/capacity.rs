//! What calls cost, in the units that DynamoDB bills.
//!
//! A write is paid by the kilobyte of its item (the larger of the new one and the old; we reckon with the new), a consistent
//! read by four of them, each begun one whole; a transaction costs twice as much; a condition that does not hold is paid as well. What the engine says of a call counts as it says; where it
//! says nothing, what we reckon does. Both are kept, so that they can be compared.
//! (Amazon DynamoDB Developer Guide: "Item sizes and formats", "Read and write operations".)

use std::{
    ops::AddAssign,
    sync::{Mutex, PoisonError},
};

use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity};
use records::{Item, Key, Write};

use super::attributes::{Attributes, ttl};

/// How many bytes one unit writes, and reads.
const WRITTEN: u64 = 1024;
const READ: u64 = 4096;

/// Units of reads and of writes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Units {
    /// Of consistent reads.
    pub reads: f64,
    /// Of writes.
    pub writes: f64,
}

impl AddAssign for Units {
    fn add_assign(&mut self, more: Self) {
        self.reads += more.reads;
        self.writes += more.writes;
    }
}

/// What a table's calls cost since it was opened.
#[derive(Debug, Default)]
pub struct Consumed {
    reckoned: Mutex<Units>,
    told: Mutex<Units>,
}

impl Consumed {
    /// By the sizes of the items.
    pub fn reckoned(&self) -> Units {
        *self.reckoned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By what the engine said, where it said something.
    pub fn told(&self) -> Units {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One item was read, or found not to be there.
    pub(super) fn got(&self, found: Option<&Attributes>, told: Option<&ConsumedCapacity>) {
        self.read(found.map_or(1, |item| units(size(item), READ)), told);
    }

    /// Of a batch of keys these were found; each is paid for itself.
    pub(super) fn got_many(&self, asked: usize, found: &[Attributes], told: &[ConsumedCapacity]) {
        let missing = asked.saturating_sub(found.len()) as u64;
        let units: u64 = found.iter().map(|item| units(size(item), READ)).sum();
        self.read(units + missing, told);
    }

    /// A query went over these; they are paid together.
    pub(super) fn queried(&self, found: &[Attributes], told: Option<&ConsumedCapacity>) {
        let bytes = found.iter().map(size).sum();
        self.read(units(bytes, READ), told);
    }

    /// A call made these writes, or tried to.
    pub(super) fn wrote(&self, writes: &[Write], cost: Cost) {
        let units: u64 = writes.iter().map(write_units).sum();
        let paid = match cost {
            Cost::Once => units,
            Cost::Twice => 2 * units,
        };
        add(&self.reckoned, Units { writes: number(paid), reads: 0.0 });
    }

    /// The engine said what writes cost.
    pub(super) fn told_of_writes<'a>(&self, told: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        add(&self.told, Units { writes: sum(told), reads: 0.0 });
    }

    fn read<'a>(&self, units: u64, told: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        add(&self.reckoned, Units { reads: number(units), writes: 0.0 });
        add(&self.told, Units { reads: sum(told), writes: 0.0 });
    }
}

fn add(to: &Mutex<Units>, more: Units) {
    *to.lock().unwrap_or_else(PoisonError::into_inner) += more;
}

fn sum<'a>(told: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    told.into_iter().filter_map(ConsumedCapacity::capacity_units).sum()
}

fn number(units: u64) -> f64 {
    f64::from(u32::try_from(units).unwrap_or(u32::MAX))
}

/// Whether writes are paid once, or, in a transaction, twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    Once,
    Twice,
}

fn units(bytes: u64, of: u64) -> u64 {
    bytes.div_ceil(of).max(1)
}

/// What a write of this costs, by the new item alone. DynamoDB bills the larger of it and of the one that it replaces or
/// deletes, which is not known here; few are larger than a unit, and what is billed is told beside it.
fn write_units(write: &Write) -> u64 {
    match write {
        Write::Put(item, _) => units(item_size(item), WRITTEN),
        Write::Delete(key, _) => units(key_size(key), WRITTEN),
    }
}

/// An item's size as DynamoDB counts it, in bytes: those of its attributes' names and values, as `attributes` lays them out.
pub fn item_size(item: &Item) -> u64 {
    let version = "v".len() + number_size(&item.version.to_string());
    let expires = item.expires.map_or(0, |expires| {
        "expires".len() + number_size(&expires.0.to_string()) + "ttl".len() + number_size(&ttl(expires).to_string())
    });
    key_size(&item.key) + (version + expires + "b".len() + item.body.len()) as u64
}

fn key_size(key: &Key) -> u64 {
    ("pk".len() + key.pk.len() + "sk".len() + key.sk.len()) as u64
}

/// A number takes a byte for two digits, and one more.
fn number_size(number: &str) -> usize {
    number.trim_start_matches('-').len().div_ceil(2) + 1
}

/// The size of an item that was read.
fn size(item: &Attributes) -> u64 {
    let bytes = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::B(blob) => blob.as_ref().len(),
        _ => 1,
    };
    item.iter().map(|(name, value)| (name.len() + bytes(value)) as u64).sum()
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use records::Condition;

    use super::*;
    use crate::dynamodb::attributes::{of_item, of_key};

    /// An item that is of so many bytes as a whole: its key is 2 + 1 and 2 + 1, its version 1 + 2, its body 1 and the rest.
    fn item(bytes: usize) -> Item {
        Item { key: Key::new("p", "s"), version: 1, expires: None, body: vec![0; bytes - 10].into() }
    }

    fn written(bytes: usize, cost: Cost) -> f64 {
        let consumed = Consumed::default();
        consumed.wrote(&[Write::Put(item(bytes), Condition::Always)], cost);
        consumed.reckoned().writes
    }

    #[test]
    fn an_item_is_as_large_when_it_is_written_as_when_it_is_read() {
        for expires in [None, Some(Timestamp(-5)), Some(Timestamp(1_795_424_466_001)), Some(Timestamp(i64::MAX))] {
            let item = Item { version: 123_456, expires, ..item(2000) };
            assert_eq!(item_size(&item), size(&of_item(&item)), "{expires:?}");
        }
        let key = Key::new("terminal#98D863CC870D", "latest");
        assert_eq!(key_size(&key), size(&of_key(&key)));
    }

    #[test]
    fn every_kilobyte_that_is_begun_is_paid_and_in_a_transaction_twice() {
        for (bytes, units) in [(10, 1.0), (1024, 1.0), (1025, 2.0), (10 * 1024, 10.0)] {
            assert_eq!((written(bytes, Cost::Once), written(bytes, Cost::Twice)), (units, 2.0 * units), "{bytes}");
        }
    }

    #[test]
    fn a_read_is_paid_by_four_kilobytes_and_what_is_not_there_is_paid_too() {
        let consumed = Consumed::default();
        consumed.got(Some(&of_item(&item(4097))), None);
        consumed.got(None, None);
        assert_eq!(consumed.reckoned(), Units { reads: 3.0, writes: 0.0 });
        consumed.got_many(3, &[of_item(&item(100)), of_item(&item(100))], &[]);
        assert_eq!(consumed.reckoned(), Units { reads: 6.0, writes: 0.0 });
        consumed.queried(&[of_item(&item(100)), of_item(&item(100))], None);
        assert_eq!(consumed.reckoned(), Units { reads: 7.0, writes: 0.0 });
    }

    #[test]
    fn what_the_engine_says_is_kept_beside_what_we_reckon() {
        let consumed = Consumed::default();
        let told = ConsumedCapacity::builder().capacity_units(2.5).build();
        consumed.got(None, Some(&told));
        assert_eq!((consumed.told().reads, consumed.reckoned().reads), (2.5, 1.0));
    }
}
