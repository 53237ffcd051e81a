//! What happened at brokers' doors, where brokers run in processes of their own.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | what a broker's door saw | `door` | the broker's name |

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Key, Range, Table, TableError, record};

/// How many are read at once.
const PAGE: usize = 100;

/// For how long what a broker saw is shown after it wrote it down last.
const RETENTION: Duration = Duration::from_hours(24);

/// A gateway program that was turned away; it comes back by itself, so repeats are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedAway {
    /// Where it came from.
    pub address: IpAddr,
    /// Why, as a word that does not change.
    pub code: String,
    /// Why, and what to do about it.
    pub reason: String,
    /// When it came last.
    pub at: Timestamp,
    /// How often it came.
    pub times: u64,
}

/// What a door saw since its broker started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Whom it turned away last, newest first.
    pub turned_away: Vec<TurnedAway>,
    /// What it counted, by name.
    pub counts: BTreeMap<String, u64>,
}

/// Writes down what a broker's door saw, in place of what was there.
pub async fn put(table: &dyn Table, broker: &str, seen: &Seen, now: Timestamp) -> Result<(), TableError> {
    let write = record::put_until(Key::new("door", broker), seen, now.plus(RETENTION))?;
    record::commit(table, vec![write]).await
}

/// What every door saw.
pub async fn all(table: &dyn Table) -> Result<Vec<Seen>, TableError> {
    record::all(table, Range::all("door", PAGE)).await
}

/// Forgets a broker's door.
pub async fn forget(table: &dyn Table, broker: &str) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(Key::new("door", broker))]).await
}
