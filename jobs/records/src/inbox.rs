//! What people are told in the application itself.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Entry`] | `inbox#` user | id |
//! | that it is unread | `inbox-unread#` user | id |
//!
//! An entry and whether it is counted as unread change in one transaction, so that the count is what the list shows, however
//! many mark at once.

use std::time::Duration;

use domain::{Source, Timestamp, alarm::Severity, routing::Category};
use serde::{Deserialize, Serialize};

use crate::{Condition, Key, Listed, Outcome, Range, Table, TableError, Versioned, Write, record};

/// How long an entry is kept.
pub const RETENTION: Duration = Duration::from_hours(90 * 24);
/// How many can be marked or deleted at once.
pub const MOST_AT_ONCE: usize = 200;
/// As far as unread entries are counted.
pub const MOST_COUNTED: usize = 10_000;

const PAGE: usize = 1000;
/// How often a change is tried anew when another one came first.
const TRIES: usize = 10;

/// Something that a person was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// A ULID.
    pub id: String,
    /// What it is about; none for what was held back of several.
    pub category: Option<Category>,
    /// How much it matters.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// The text.
    pub content: String,
    /// About what, if it is about one thing.
    pub source: Option<Source>,
    /// About which transition, if it is about one.
    pub transition: Option<String>,
    /// The alarms that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
    /// When they were told.
    pub at: Timestamp,
    /// When they read it.
    pub read_at: Option<Timestamp>,
}

/// The writes that put a new entry. Refused when it was put before.
pub fn put_new(user: &str, entry: &Entry) -> Result<Vec<Write>, TableError> {
    let expires = Some(entry.at.plus(RETENTION));
    Ok(vec![
        record::put_new(key(user, &entry.id), entry, expires)?,
        record::put_new(unread_key(user, &entry.id), &entry.id, expires)?,
    ])
}

/// A user's entry.
pub async fn get(table: &dyn Table, user: &str, id: &str) -> Result<Option<Versioned<Entry>>, TableError> {
    record::get(table, &key(user, id)).await
}

/// A page of a user's entries, newest first.
pub async fn list(
    table: &dyn Table,
    user: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Entry>, TableError> {
    record::page(table, &Range::all(format!("inbox#{user}"), limit).newest_first().after(after)).await
}

/// How many of a user's entries are unread, up to [`MOST_COUNTED`].
pub async fn unread(table: &dyn Table, user: &str) -> Result<usize, TableError> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = unread_ids(table, user, PAGE, after).await?;
        count += page.items.len();
        after = page.next;
        if after.is_none() || count >= MOST_COUNTED {
            return Ok(count.min(MOST_COUNTED));
        }
    }
}

/// A page of the ids of a user's unread entries, newest first.
pub async fn unread_ids(
    table: &dyn Table,
    user: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<String>, TableError> {
    record::page(table, &Range::all(format!("inbox-unread#{user}"), limit).newest_first().after(after)).await
}

/// A page of a user's unread entries, newest first.
pub async fn list_unread(
    table: &dyn Table,
    user: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Entry>, TableError> {
    let ids = unread_ids(table, user, limit, after).await?;
    record::named(table, ids, |id| key(user, id)).await
}

/// Marks an entry as read. Whether it was there unread.
pub async fn mark_read(table: &dyn Table, user: &str, id: &str, now: Timestamp) -> Result<bool, TableError> {
    for _ in 0..TRIES {
        let Some(mut entry) = get(table, user, id).await?.filter(|entry| entry.value.read_at.is_none()) else {
            return Ok(false);
        };
        entry.value.read_at = Some(now);
        let expires = Some(entry.value.at.plus(RETENTION));
        let writes = vec![entry.put_back(key(user, id), expires)?, record::delete(unread_key(user, id))];
        if table.transact(writes).await?.applied() {
            return Ok(true);
        }
    }
    Err(TableError::Away("a notification is changed by many at once".to_owned()))
}

/// Deletes an entry. Whether it was there.
pub async fn delete(table: &dyn Table, user: &str, id: &str) -> Result<bool, TableError> {
    for _ in 0..TRIES {
        let Some(entry) = get(table, user, id).await? else { return Ok(false) };
        let gone = Write::Delete(key(user, id), Condition::Version(entry.version));
        if let Outcome::Applied = table.transact(vec![gone, record::delete(unread_key(user, id))]).await? {
            return Ok(true);
        }
    }
    Err(TableError::Away("a notification is changed by many at once".to_owned()))
}

fn key(user: &str, id: &str) -> Key {
    Key::new(format!("inbox#{user}"), id)
}

fn unread_key(user: &str, id: &str) -> Key {
    Key::new(format!("inbox-unread#{user}"), id)
}
