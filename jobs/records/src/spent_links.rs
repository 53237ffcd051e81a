//! Links of letters that were used: each does what it does once.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`SpentLink`] | `spent-link` | what the link names |

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Condition, Key, Outcome, Table, TableError, Versioned, Write, record};

/// For how long one who uses a link keeps others from it. Whoever died over it is not waited for any longer.
const LEASE: Duration = Duration::from_secs(30);

/// The use of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpentLink {
    /// When.
    pub at: Timestamp,
    /// Whether what it does is done.
    pub done: bool,
}

/// What came of trying to use a link.
#[derive(Debug)]
pub enum Use {
    /// It is ours: do it, and say so.
    Ours(Using),
    /// It was used at that time.
    Spent(Timestamp),
    /// Somebody is just using it.
    Busy,
}

/// A use that goes on.
#[derive(Debug)]
pub struct Using {
    link: Versioned<SpentLink>,
    key: Key,
    until: Timestamp,
}

/// Begins to use a link. `until` is when the link ends by itself: the record is of no use after that.
pub async fn begin(table: &dyn Table, name: &str, now: Timestamp, until: Timestamp) -> Result<Use, TableError> {
    let key = Key::new("spent-link", name);
    let version = match record::get::<SpentLink>(table, &key).await? {
        Some(spent) if spent.value.done => return Ok(Use::Spent(spent.value.at)),
        Some(spent) if spent.value.at.plus(LEASE) > now => return Ok(Use::Busy),
        Some(left) => left.version,
        None => 0,
    };
    let link = Versioned { value: SpentLink { at: now, done: false }, version };
    match table.write(link.put_back(key.clone(), Some(until))?).await? {
        Outcome::Applied => {
            let link = Versioned { value: link.value, version: version + 1 };
            Ok(Use::Ours(Using { link, key, until }))
        }
        Outcome::Refused { .. } => Ok(Use::Busy),
    }
}

/// When a link was used, if it was.
pub async fn spent(table: &dyn Table, name: &str) -> Result<Option<Timestamp>, TableError> {
    let spent = record::get::<SpentLink>(table, &Key::new("spent-link", name)).await?;
    Ok(spent.filter(|spent| spent.value.done).map(|spent| spent.value.at))
}

impl Using {
    /// It is done: the link is spent for good.
    pub async fn done(mut self, table: &dyn Table) -> Result<(), TableError> {
        self.link.value.done = true;
        // Refused only to one who took longer than the lease: then another did the same, and says so.
        table.write(self.link.put_back(self.key, Some(self.until))?).await.map(|_| ())
    }

    /// It could not be done: the link may be used again.
    pub async fn give_back(self, table: &dyn Table) -> Result<(), TableError> {
        table.write(Write::Delete(self.key, Condition::Version(self.link.version))).await.map(|_| ())
    }
}
