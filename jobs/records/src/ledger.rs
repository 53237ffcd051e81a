//! The ledger: who is doing a piece of work, and that it is done. Makes work that is delivered at least once effective
//! once.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | `Entry` | `ledger#` key | `entry` |

use std::time::Duration;

use domain::{Timestamp, time::is_ahead};
use serde::{Deserialize, Serialize};

use crate::{Key, Outcome, Table, TableError, Versioned, record};

/// Nobody claims anything for longer.
const LONGEST: Duration = Duration::from_mins(10);

/// How long an entry is kept: longer than any queue gives a job again.
pub const RETENTION: Duration = Duration::from_hours(30 * 24);

/// How a piece of work stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Entry {
    Claimed { until: Timestamp },
    Done,
}

/// What came of a claim.
#[derive(Debug)]
pub enum Claim {
    /// It is ours until the lease runs out.
    Ours(Claimed),
    /// It was done before.
    Done,
    /// Another holds it until then.
    Busy(Timestamp),
}

/// A claim that is held.
#[derive(Debug)]
pub struct Claimed {
    key: Key,
    version: u64,
    /// Whether an earlier claim was never finished: its holder died or failed, and may have had some of its effect.
    pub unfinished_before: bool,
}

/// Claims the work of that key for `lease` from `now` on.
pub async fn claim(table: &dyn Table, key: &str, now: Timestamp, lease: Duration) -> Result<Claim, TableError> {
    let key = Key::new(format!("ledger#{key}"), "entry");
    let stored: Option<Versioned<Entry>> = record::get(table, &key).await?;
    let (version, unfinished_before) = match stored {
        Some(Versioned { value: Entry::Done, .. }) => return Ok(Claim::Done),
        // What was claimed for longer than anybody does was by a clock that was set back since.
        Some(Versioned { value: Entry::Claimed { until }, .. })
            if until > now && !is_ahead(until, now.plus(LONGEST)) =>
        {
            return Ok(Claim::Busy(until));
        }
        Some(lapsed) => (lapsed.version, true),
        None => (0, false),
    };
    let until = now.plus(lease);
    let entry = Versioned { value: Entry::Claimed { until }, version };
    match table.write(entry.put_back(key.clone(), Some(now.plus(RETENTION)))?).await? {
        Outcome::Applied => Ok(Claim::Ours(Claimed { key, version: version + 1, unfinished_before })),
        Outcome::Refused { .. } => Ok(Claim::Busy(until)),
    }
}

/// Whether the work of that key is done.
pub async fn is_done(table: &dyn Table, key: &str) -> Result<bool, TableError> {
    let stored: Option<Versioned<Entry>> = record::get(table, &Key::new(format!("ledger#{key}"), "entry")).await?;
    Ok(stored.is_some_and(|stored| stored.value == Entry::Done))
}

/// The write that makes work that is done to be done again.
pub fn reopen(key: &str) -> crate::Write {
    record::delete(Key::new(format!("ledger#{key}"), "entry"))
}

impl Claimed {
    /// Marks the work as done, for good. False when the lease ran out and another claimed it.
    pub async fn done(self, table: &dyn Table, now: Timestamp) -> Result<bool, TableError> {
        let entry = Versioned { value: Entry::Done, version: self.version };
        Ok(table.write(entry.put_back(self.key, Some(now.plus(RETENTION)))?).await?.applied())
    }

    /// Gives the claim back, so that the next attempt need not wait for the lease to run out.
    pub async fn give_back(self, table: &dyn Table) -> Result<(), TableError> {
        let delete = crate::Write::Delete(self.key, crate::Condition::Version(self.version));
        table.write(delete).await.map(|_| ())
    }

    /// Gives back the claim of a run that failed half way: the next one need not wait, and is told that it was not finished.
    pub async fn leave_unfinished(self, table: &dyn Table, now: Timestamp) -> Result<(), TableError> {
        let entry = Versioned { value: Entry::Claimed { until: now }, version: self.version };
        table.write(entry.put_back(self.key, Some(now.plus(RETENTION)))?).await.map(|_| ())
    }
}
