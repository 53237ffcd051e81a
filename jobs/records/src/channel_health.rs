//! How the operator's channels are: the servers that every letter of a kind goes by.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Health`] | `channel-health` | channel |

use std::collections::BTreeSet;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Key, Table, TableError, Versioned, Write, record};

/// How a channel is. Nothing is stored of one that never failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// The first failure since it took something last.
    pub failing_since: Option<Timestamp>,
    /// How many failures there were since then.
    pub failures: u32,
    /// What it refused since then for good.
    pub refusing: Option<Refusing>,
    /// Since when it is told of as dead.
    pub told: Option<Timestamp>,
}

/// Letters that a channel refused, with none taken between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusing {
    /// The first of them.
    pub since: Timestamp,
    /// How many.
    pub letters: u32,
    /// Whose: enough of them to tell a channel from one wrong address.
    pub people: BTreeSet<String>,
}

/// How a channel is.
pub async fn get(table: &dyn Table, channel: &str) -> Result<Versioned<Health>, TableError> {
    record::get_or_default(table, &key(channel)).await
}

/// The write that stores how a channel is. Refused when somebody else saw it meanwhile.
pub fn put(channel: &str, health: &Versioned<Health>) -> Result<Write, TableError> {
    health.put_back(key(channel), None)
}

fn key(channel: &str) -> Key {
    Key::new("channel-health", channel)
}
