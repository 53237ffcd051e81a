//! What people chose of how they are told.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Preferences`] | `preferences` | user |
//! | [`Tally`] | `tally#` channel `#` address | day |

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Timestamp,
    routing::{Preferences, Tally},
};

use crate::{Key, Table, TableError, Versioned, record};

/// How long it is kept what an address was told on a day.
const TALLY_RETENTION: Duration = Duration::from_hours(3 * 24);
/// How often a tally is tried anew when another notice was counted meanwhile.
const TRIES: usize = 20;

/// Stores what a user chose, in place of what they chose before.
pub async fn put(table: &dyn Table, user: &str, chosen: &Preferences) -> Result<(), TableError> {
    record::commit(table, vec![record::put(key(user), chosen)?]).await
}

/// What a user chose; the default where they chose nothing.
pub async fn get(table: &dyn Table, user: &str) -> Result<Preferences, TableError> {
    Ok(record::get(table, &key(user)).await?.map(|chosen| chosen.value).unwrap_or_default())
}

/// What each of them chose; who chose nothing is left out.
pub async fn of_users<'a>(
    table: &dyn Table,
    users: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, Preferences>, TableError> {
    let keys: Vec<Key> = users.into_iter().map(key).collect();
    let items = table.get_many(&keys).await?;
    items.iter().map(|item| Ok((item.key.sk.clone(), record::decode(item)?.value))).collect()
}

/// Counts a notice to an address on its day, if that makes no more than `most`. Whether it did, or was counted before.
pub async fn count(
    table: &dyn Table,
    (channel, address): (&str, &str),
    (day, now): (&str, Timestamp),
    notice: &str,
    most: u32,
) -> Result<bool, TableError> {
    let key = Key::new(format!("tally#{channel}#{address}"), day);
    change_tally(table, key, now, |tally| tally.has_room(notice, most)).await
}

/// Counts a notice no more that went nowhere.
pub async fn uncount(
    table: &dyn Table,
    (channel, address): (&str, &str),
    (day, now): (&str, Timestamp),
    notice: &str,
) -> Result<(), TableError> {
    let key = Key::new(format!("tally#{channel}#{address}"), day);
    change_tally(table, key, now, |tally| tally.forget(notice)).await
}

/// Changes what is counted of one address, where the change alters anything; what that gives.
async fn change_tally<T>(
    table: &dyn Table,
    key: Key,
    now: Timestamp,
    change: impl Fn(&mut Tally) -> T,
) -> Result<T, TableError> {
    for _ in 0..TRIES {
        let mut tally: Versioned<Tally> = record::get_or_default(table, &key).await?;
        let before = tally.value.clone();
        let changed = change(&mut tally.value);
        if tally.value == before
            || table.write(tally.put_back(key.clone(), Some(now.plus(TALLY_RETENTION)))?).await?.applied()
        {
            return Ok(changed);
        }
    }
    Err(TableError::Away("one address is told by many at once".to_owned()))
}

fn key(user: &str) -> Key {
    Key::new("preferences", user)
}
