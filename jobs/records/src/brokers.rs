//! Which brokers live, where there may be several.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | a broker's last sign of life | `broker` | its name |

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Key, Range, Table, TableError, Versioned, record};

/// How many are read at once.
const PAGE: usize = 100;

/// A broker's sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOfLife {
    /// The broker.
    pub broker: String,
    /// When it gave it.
    pub at: Timestamp,
    /// Whether it was the last: others declared the broker dead, for good, and bury it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dead: bool,
}

/// A broker begins.
pub async fn begin(table: &dyn Table, broker: &str, now: Timestamp) -> Result<(), TableError> {
    record::commit(table, vec![record::put(key(broker), &sign(broker, now))?]).await
}

/// A broker lives. False when it was declared dead meanwhile.
pub async fn live(table: &dyn Table, broker: &str, now: Timestamp) -> Result<bool, TableError> {
    let stored = record::get::<SignOfLife>(table, &key(broker)).await?;
    let Some(stored) = stored.filter(|stored| !stored.value.dead) else { return Ok(false) };
    let next = Versioned { value: sign(broker, now), version: stored.version };
    record::put_own(table, next.put_back(key(broker), None)?).await
}

/// A broker ends in good order, or was buried: nothing is left of it.
pub async fn leave(table: &dyn Table, broker: &str) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(key(broker))]).await
}

/// Every broker's last sign of life.
pub async fn all(table: &dyn Table) -> Result<Vec<SignOfLife>, TableError> {
    record::all(table, Range::all("broker", PAGE)).await
}

/// Declares a broker dead, if that was its last sign. False when it gave another one, or is gone. From then on it finds
/// itself dead, so whatever is its may be taken away.
pub async fn declare_dead(table: &dyn Table, last: &SignOfLife) -> Result<bool, TableError> {
    let key = key(&last.broker);
    let stored = record::get::<SignOfLife>(table, &key).await?;
    let Some(stored) = stored.filter(|stored| stored.value == *last) else { return Ok(false) };
    let dead = Versioned { value: SignOfLife { dead: true, ..stored.value }, version: stored.version };
    record::put_own(table, dead.put_back(key, None)?).await
}

fn sign(broker: &str, at: Timestamp) -> SignOfLife {
    SignOfLife { broker: broker.to_owned(), at, dead: false }
}

fn key(broker: &str) -> Key {
    Key::new("broker", broker)
}
