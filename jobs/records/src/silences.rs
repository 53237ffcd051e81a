//! Silences and maintenance windows.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Kept`] | `silence` | `silence:` id, or a person's own: `user:` name `:silence:` id |
//!
//! There are few of them, and whoever tells somebody of something reads them all.

use std::time::Duration;

use domain::{Timestamp, alarm, routing::Silence};
use serde::{Deserialize, Serialize};

use crate::{Condition, Key, Range, Table, TableError, Versioned, Write, record};

/// The most that everybody, or a person, may have at a time.
pub const MOST: usize = 200;
/// How long one that is over is shown.
pub const RETENTION: Duration = Duration::from_hours(30 * 24);

const PAGE: usize = 500;

/// A silence that somebody made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// A ULID.
    pub id: String,
    /// Whose it is: it keeps them alone from being told. None for everybody's, which an administrator made.
    pub owner: Option<String>,
    /// What is not told, and when.
    pub silence: Silence,
    /// Why.
    pub why: String,
    /// Who made or changed it last.
    pub by: String,
    /// When they did.
    pub at: Timestamp,
}

/// Stores a silence, in place of the one that was read, or where none is (version 0). False when it was changed meanwhile.
pub async fn put(table: &dyn Table, kept: &Versioned<Kept>) -> Result<bool, TableError> {
    let key = key(kept.value.owner.as_deref(), &kept.value.id);
    let expires = kept.value.silence.window.over().map(|over| over.plus(RETENTION));
    record::put_own(table, kept.put_back(key, expires)?).await
}

/// The silence of that id among everybody's and those of a user.
pub async fn get(table: &dyn Table, user: &str, id: &str) -> Result<Option<Versioned<Kept>>, TableError> {
    let items = table.get_many(&[key(None, id), key(Some(user), id)]).await?;
    items.first().map(record::decode).transpose()
}

/// Removes a silence. False when it was changed since it was read.
pub async fn delete(table: &dyn Table, kept: &Versioned<Kept>) -> Result<bool, TableError> {
    let key = key(kept.value.owner.as_deref(), &kept.value.id);
    Ok(table.write(Write::Delete(key, Condition::Version(kept.version))).await?.applied())
}

/// All of everybody's (of no owner), or of a person's, in the order in which they were made: those that are over as well.
pub async fn of_owner(table: &dyn Table, owner: Option<&str>) -> Result<Vec<Kept>, TableError> {
    record::all(table, Range::all("silence", PAGE).prefix(&prefix(owner))).await
}

/// How many of them are not over.
pub async fn count(table: &dyn Table, owner: Option<&str>, now: Timestamp) -> Result<usize, TableError> {
    let all = of_owner(table, owner).await?;
    Ok(all.iter().filter(|kept| kept.silence.window.over().is_none_or(|over| over > now)).count())
}

/// All of everybody.
pub async fn all(table: &dyn Table) -> Result<Vec<Kept>, TableError> {
    record::all(table, Range::all("silence", PAGE)).await
}

/// As the alarm machine names rules, so that no person's name can be taken for a part of another's.
fn prefix(owner: Option<&str>) -> String {
    const COMMON: &str = "silence:";
    owner.map_or_else(|| COMMON.to_owned(), |owner| alarm::owned(owner, COMMON))
}

fn key(owner: Option<&str>, id: &str) -> Key {
    Key::new("silence", format!("{}{id}", prefix(owner)))
}
