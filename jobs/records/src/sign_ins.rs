//! Wrong passwords, counted for every name that is tried, whether or not somebody has it: a lock tells nobody which
//! names exist.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`WrongPasswords`] | `sign-in` | name |

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Condition, Key, Table, TableError, Versioned, Write, record};

/// How many wrong passwords lock a name.
pub const MOST_WRONG: u32 = 5;
/// How long a name is locked, and how long a wrong password is remembered.
pub const LOCK: Duration = Duration::from_mins(30);

const TRIES: usize = 10;

/// The wrong passwords for one name since the last right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WrongPasswords {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last: Timestamp,
}

impl WrongPasswords {
    /// Until when the name is locked, if it is.
    pub fn locked_until(&self) -> Option<Timestamp> {
        (self.count >= MOST_WRONG).then(|| self.last.plus(LOCK))
    }
}

/// The wrong passwords for a name that still count.
pub async fn wrong_passwords(table: &dyn Table, name: &str, now: Timestamp) -> Result<WrongPasswords, TableError> {
    Ok(read(table, name, now).await?.value)
}

/// Counts one more. A name that is locked stays locked as long as it was.
pub async fn count_wrong(table: &dyn Table, name: &str, now: Timestamp) -> Result<(), TableError> {
    for _ in 0..TRIES {
        let mut wrong = read(table, name, now).await?;
        if wrong.value.locked_until().is_some() {
            return Ok(());
        }
        wrong.value = WrongPasswords { count: wrong.value.count + 1, last: now };
        if table.write(wrong.put_back(key(name), Some(now.plus(LOCK)))?).await?.applied() {
            return Ok(());
        }
    }
    // Without the name: some type their password there.
    Err(TableError::Away("the sign-ins of one name are written by many at once".to_owned()))
}

/// Forgets them: the password was right.
pub async fn forget(table: &dyn Table, name: &str) -> Result<(), TableError> {
    table.write(Write::Delete(key(name), Condition::Always)).await.map(|_| ())
}

/// What does not count any more is read as none, even where the engine has not removed it yet.
async fn read(table: &dyn Table, name: &str, now: Timestamp) -> Result<Versioned<WrongPasswords>, TableError> {
    let mut wrong: Versioned<WrongPasswords> = record::get_or_default(table, &key(name)).await?;
    if wrong.value.last.plus(LOCK) <= now {
        wrong.value = WrongPasswords::default();
    }
    Ok(wrong)
}

fn key(name: &str) -> Key {
    Key::new("sign-in", name)
}
