//! How a record lies in an item: encoded in the body, with a version that counts its writings.

use domain::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Condition, Item, Key, Outcome, Page, Range, Table, TableError, Write, body};

/// A record and which writing of it was read: what an update must name.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The record.
    pub value: T,
    /// Its version; 0 when nothing is stored yet.
    pub version: u64,
}

impl<T: Serialize> Versioned<T> {
    /// The write that puts this record back in place of the one that was read, or in the empty place.
    pub(crate) fn put_back(&self, key: Key, expires: Option<Timestamp>) -> Result<Write, TableError> {
        let condition = if self.version == 0 { Condition::Absent } else { Condition::Version(self.version) };
        Ok(Write::Put(Item { key, version: self.version + 1, expires, body: encode(&self.value)? }, condition))
    }
}

/// The record at `key`, if any.
pub(crate) async fn get<T: DeserializeOwned>(table: &dyn Table, key: &Key) -> Result<Option<Versioned<T>>, TableError> {
    table.get(key).await?.map(|item| decode(&item)).transpose()
}

/// The record at `key`, or its default at version 0.
pub(crate) async fn get_or_default<T: DeserializeOwned + Default>(
    table: &dyn Table,
    key: &Key,
) -> Result<Versioned<T>, TableError> {
    Ok(get(table, key).await?.unwrap_or_else(|| Versioned { value: T::default(), version: 0 }))
}

/// A page of records, in the range's order.
pub(crate) async fn page<T: DeserializeOwned>(table: &dyn Table, range: &Range) -> Result<Listed<T>, TableError> {
    let Page { items, next } = table.query(range).await?;
    let items = items.iter().map(|item| decode(item).map(|record| record.value)).collect::<Result<_, _>>()?;
    Ok(Listed { items, next })
}

/// What a page of a list of ids names, in the order of the ids, newest first.
pub(crate) async fn named<T: DeserializeOwned>(
    table: &dyn Table,
    ids: Listed<String>,
    key: impl Fn(&str) -> Key,
) -> Result<Listed<T>, TableError> {
    let keys: Vec<Key> = ids.items.iter().map(|id| key(id)).collect();
    let mut items = table.get_many(&keys).await?;
    items.sort_by(|a, b| b.key.sk.cmp(&a.key.sk));
    let items = items.iter().map(|item| decode(item).map(|record| record.value)).collect::<Result<_, _>>()?;
    Ok(Listed { items, next: ids.next })
}

/// Every record of a range, however many pages it has.
pub(crate) async fn all<T: DeserializeOwned>(table: &dyn Table, range: Range) -> Result<Vec<T>, TableError> {
    let mut range = range;
    let mut records = Vec::new();
    loop {
        let Listed { items, next } = page(table, &range).await?;
        records.extend(items);
        if next.is_none() {
            return Ok(records);
        }
        range.after = next;
    }
}

/// A page of records.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where to go on; none at the end.
    pub next: Option<String>,
}

/// A record as its first writing lies in the table.
pub(crate) fn item<T: Serialize>(key: Key, record: &T) -> Result<Item, TableError> {
    Ok(Item { key, version: 1, expires: None, body: encode(record)? })
}

/// The write that puts a record whatever was there before.
pub(crate) fn put<T: Serialize>(key: Key, record: &T) -> Result<Write, TableError> {
    Ok(Write::Put(item(key, record)?, Condition::Always))
}

/// The write that puts a record whatever was there before, until then.
pub(crate) fn put_until<T: Serialize>(key: Key, record: &T, expires: Timestamp) -> Result<Write, TableError> {
    Ok(Write::Put(Item { expires: Some(expires), ..item(key, record)? }, Condition::Always))
}

/// The write that puts a record where nothing is.
pub(crate) fn put_new<T: Serialize>(key: Key, record: &T, expires: Option<Timestamp>) -> Result<Write, TableError> {
    Ok(Write::Put(Item { expires, ..item(key, record)? }, Condition::Absent))
}

/// The write that removes a record whatever it is.
pub(crate) fn delete(key: Key) -> Write {
    Write::Delete(key, Condition::Always)
}

/// Puts a record that nobody else writes alike. Whether it is there: put now, or by an earlier try of the same call whose
/// answer was lost.
pub(crate) async fn put_own(table: &dyn Table, write: Write) -> Result<bool, TableError> {
    let own = match &write {
        Write::Put(item, _) => Some(item.clone()),
        Write::Delete(..) => None,
    };
    Ok(match table.write(write).await? {
        Outcome::Applied => true,
        Outcome::Refused { found, .. } => found.is_some() && found == own,
    })
}

/// Does writes that carry no conditions, all or none.
pub(crate) async fn commit(table: &dyn Table, writes: Vec<Write>) -> Result<(), TableError> {
    match table.transact(writes).await? {
        Outcome::Applied => Ok(()),
        Outcome::Refused { .. } => Err(TableError::Away("an unconditional write was refused".to_owned())),
    }
}

fn encode<T: Serialize>(record: &T) -> Result<bytes::Bytes, TableError> {
    body::encode(record).map(bytes::Bytes::from).map_err(TableError::Invalid)
}

pub(crate) fn decode<T: DeserializeOwned>(item: &Item) -> Result<Versioned<T>, TableError> {
    let value = body::decode(&item.body)
        .map_err(|error| TableError::Damaged(format!("{} {}: {error}", item.key.pk, item.key.sk)))?;
    Ok(Versioned { value, version: item.version })
}
