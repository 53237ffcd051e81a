//! Which alarms speak for which others.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Kept`] | `inhibition` | id |
//!
//! They are everybody's, administrators make them.

use domain::{Timestamp, routing::Inhibition};
use serde::{Deserialize, Serialize};

use crate::{Condition, Key, Range, Table, TableError, Versioned, Write, record};

/// The most there may be.
pub const MOST: usize = 100;

/// An inhibition that somebody made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// A ULID.
    pub id: String,
    /// What speaks for what.
    pub inhibition: Inhibition,
    /// Why.
    pub why: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Stores a new one.
pub async fn put_new(table: &dyn Table, kept: &Kept) -> Result<bool, TableError> {
    record::put_own(table, record::put_new(key(&kept.id), kept, None)?).await
}

/// The one of that id.
pub async fn get(table: &dyn Table, id: &str) -> Result<Option<Versioned<Kept>>, TableError> {
    record::get(table, &key(id)).await
}

/// Removes one. False when it was not there.
pub async fn delete(table: &dyn Table, kept: &Versioned<Kept>) -> Result<bool, TableError> {
    Ok(table.write(Write::Delete(key(&kept.value.id), Condition::Version(kept.version))).await?.applied())
}

/// All of them, in the order in which they were made.
pub async fn all(table: &dyn Table) -> Result<Vec<Kept>, TableError> {
    record::all(table, Range::all("inhibition", MOST)).await
}

fn key(id: &str) -> Key {
    Key::new("inhibition", id)
}
