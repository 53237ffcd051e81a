//! Which brokers live, where there may be several.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | a broker's last sign of life | `broker` | its name |

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Condition, Key, Outcome, Range, Table, TableError, Versioned, Write, record};

/// How many are read at once.
const PAGE: usize = 100;

/// A broker's sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOfLife {
    /// The broker.
    pub broker: String,
    /// When it gave it.
    pub at: Timestamp,
}

/// A broker begins.
pub async fn begin(table: &dyn Table, broker: &str, now: Timestamp) -> Result<(), TableError> {
    record::commit(table, vec![record::put(key(broker), &sign(broker, now))?]).await
}

/// A broker lives. False when it was declared dead meanwhile.
pub async fn live(table: &dyn Table, broker: &str, now: Timestamp) -> Result<bool, TableError> {
    let Some(stored) = record::get::<SignOfLife>(table, &key(broker)).await? else { return Ok(false) };
    let next = Versioned { value: sign(broker, now), version: stored.version };
    record::put_own(table, next.put_back(key(broker), None)?).await
}

/// A broker ends in good order.
pub async fn leave(table: &dyn Table, broker: &str) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(key(broker))]).await
}

/// Every broker's last sign of life.
pub async fn all(table: &dyn Table) -> Result<Vec<SignOfLife>, TableError> {
    record::all(table, Range::all("broker", PAGE)).await
}

/// Declares a broker dead, if that was its last sign. False when it gave another one, or is gone.
pub async fn end(table: &dyn Table, last: &SignOfLife) -> Result<bool, TableError> {
    let key = key(&last.broker);
    let stored = record::get::<SignOfLife>(table, &key).await?;
    let Some(stored) = stored.filter(|stored| stored.value == *last) else { return Ok(false) };
    let end = Write::Delete(key, Condition::Version(stored.version));
    Ok(matches!(table.write(end).await?, Outcome::Applied))
}

fn sign(broker: &str, at: Timestamp) -> SignOfLife {
    SignOfLife { broker: broker.to_owned(), at }
}

fn key(broker: &str) -> Key {
    Key::new("broker", broker)
}
