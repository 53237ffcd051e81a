//! What a call must keep to, and when a write is done: the same for every engine.

use std::collections::HashSet;

use domain::Timestamp;
use records::{Condition, Item, Key, MOST_IN_A_TRANSACTION, Outcome, Range, TableError, Write};

/// The most bytes of a partition's name, and of a place in it (DynamoDB's limits).
const MOST_PK_BYTES: usize = 2048;
const MOST_SK_BYTES: usize = 1024;
const MOST_BODY_BYTES: usize = 350 * 1024;
/// The most bytes that one transaction writes (DynamoDB's limit), and what an item has beside its key and its body.
const MOST_TRANSACTION_BYTES: usize = 4 * 1024 * 1024;
const ATTRIBUTE_BYTES: usize = 64;

/// Refuses a key no engine could hold.
pub(crate) fn check_key(key: &Key) -> Result<(), TableError> {
    check_name("pk", &key.pk, MOST_PK_BYTES)?;
    check_name("sk", &key.sk, MOST_SK_BYTES)
}

/// Refuses a range that is none.
pub(crate) fn check_range(range: &Range) -> Result<(), TableError> {
    check_name("pk", &range.pk, MOST_PK_BYTES)?;
    if range.limit == 0 {
        return Err(TableError::Invalid("a query's limit is at least 1".to_owned()));
    }
    Ok(())
}

/// Refuses writes that cannot be done together, or not at all.
pub(crate) fn check_writes(writes: &[Write]) -> Result<(), TableError> {
    let mut seen = HashSet::with_capacity(writes.len());
    for write in writes {
        let key = write.key();
        check_key(key)?;
        if !seen.insert(key) {
            return Err(TableError::Invalid(format!("{key:?} is written twice in one call")));
        }
        if let Write::Put(item, _) = write
            && item.body.len() > MOST_BODY_BYTES
        {
            let bytes = item.body.len();
            return Err(TableError::Invalid(format!("{key:?} has {bytes} bytes, the most is {MOST_BODY_BYTES}")));
        }
    }
    Ok(())
}

/// Refuses a transaction that DynamoDB would refuse.
pub(crate) fn check_transaction(writes: &[Write]) -> Result<(), TableError> {
    if writes.len() > MOST_IN_A_TRANSACTION {
        let count = writes.len();
        return Err(TableError::Invalid(format!(
            "a transaction of {count} writes, the most is {MOST_IN_A_TRANSACTION}"
        )));
    }
    let bytes: usize = writes.iter().map(size).sum();
    if bytes > MOST_TRANSACTION_BYTES {
        return Err(TableError::Invalid(format!(
            "a transaction of {bytes} bytes, the most is {MOST_TRANSACTION_BYTES}"
        )));
    }
    check_writes(writes)
}

fn size(write: &Write) -> usize {
    let key = write.key();
    let body = match write {
        Write::Put(item, _) => ATTRIBUTE_BYTES + item.body.len(),
        Write::Delete(..) => 0,
    };
    key.pk.len() + key.sk.len() + body
}

/// Refuses conditions in a batch, which would not be looked at.
pub(crate) fn check_batch(writes: &[Write]) -> Result<(), TableError> {
    if let Some(write) = writes.iter().find(|write| write.condition() != Condition::Always) {
        return Err(TableError::Invalid(format!("{:?} has a condition, a batch takes none", write.key())));
    }
    check_writes(writes)
}

fn check_name(what: &str, name: &str, most_bytes: usize) -> Result<(), TableError> {
    if name.is_empty() || name.len() > most_bytes || name.contains('\0') {
        let start: String = name.chars().take(40).collect();
        return Err(TableError::Invalid(format!(
            "a key's {what} has 1 to {most_bytes} bytes and no NUL, this has {}: {start:?}",
            name.len()
        )));
    }
    Ok(())
}

/// The item, unless it counts as gone.
pub(crate) fn live(item: Item, now: Timestamp) -> Option<Item> {
    if item.expires.is_some_and(|expires| expires <= now) { None } else { Some(item) }
}

/// Whether all of `writes` may be done, where `find` gives the live item at a key.
pub(crate) fn judge(
    writes: &[Write],
    mut find: impl FnMut(&Key) -> Result<Option<Item>, TableError>,
) -> Result<Outcome, TableError> {
    for (index, write) in writes.iter().enumerate() {
        let condition = write.condition();
        if condition == Condition::Always {
            continue;
        }
        let found = find(write.key())?;
        if !holds(condition, found.as_ref()) {
            return Ok(Outcome::Refused { index, found });
        }
    }
    Ok(Outcome::Applied)
}

fn holds(condition: Condition, found: Option<&Item>) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Absent => found.is_none(),
        Condition::Version(version) => found.is_some_and(|item| item.version == version),
    }
}
