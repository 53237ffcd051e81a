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
    /// What its alarms go by, where they end with it unless another broker goes by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// A broker begins, whose alarms go by `part` and end with it, if one is named.
pub async fn begin(table: &dyn Table, broker: &str, part: Option<&str>, now: Timestamp) -> Result<(), TableError> {
    let sign = SignOfLife { broker: broker.to_owned(), at: now, dead: false, part: part.map(str::to_owned) };
    record::commit(table, vec![record::put(key(broker), &sign)?]).await
}

/// A broker lives. False when it was declared dead meanwhile.
pub async fn live(table: &dyn Table, broker: &str, now: Timestamp) -> Result<bool, TableError> {
    let stored = record::get::<SignOfLife>(table, &key(broker)).await?;
    let Some(stored) = stored.filter(|stored| !stored.value.dead) else { return Ok(false) };
    let next = Versioned { value: SignOfLife { at: now, ..stored.value }, version: stored.version };
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

fn key(broker: &str) -> Key {
    Key::new("broker", broker)
}
