//! Of which incidents somebody was told because a policy names them, or a rule: no binding leads them there.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | that somebody was told of an incident | `incident-told#` user | id |
//! | the same while it is not closed | `incident-told-open#` user | id |

use std::collections::BTreeSet;

use domain::Timestamp;

use super::{Incident, Named, RETENTION, key};
use crate::{Key, Listed, Range, Table, TableError, Write, record};

/// More incidents than anybody has open by name.
const MOST_OPEN: usize = 500;

/// The writes that say that somebody was told of an incident by name.
pub fn put_told(user: &str, incident: &Incident, now: Timestamp) -> Result<Vec<Write>, TableError> {
    let named = incident.named();
    let keys = [told_key(user, &named.id), open_key(user, &named.id)].into_iter();
    keys.map(|key| record::put_until(key, &named, now.plus(RETENTION))).collect()
}

/// The write that says that there is nothing more of an incident for somebody to do.
pub fn end_told(user: &str, incident: &Incident) -> Write {
    record::delete(open_key(user, &incident.id))
}

/// The incidents that somebody was told of by name and that are not closed.
pub async fn told_open(table: &dyn Table, user: &str) -> Result<Vec<Incident>, TableError> {
    let range = Range::all(format!("incident-told-open#{user}"), MOST_OPEN).newest_first();
    let named: Listed<Named> = record::page(table, &range).await?;
    let incidents = get_many(table, named.items).await?.into_iter();
    Ok(incidents.filter(|incident| !incident.state.closed && incident.people.contains(user)).collect())
}

/// A page of the incidents that somebody was told of by name, newest first.
pub async fn told(
    table: &dyn Table,
    user: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Incident>, TableError> {
    let range = Range::all(format!("incident-told#{user}"), limit).newest_first().after(after);
    let page: Listed<Named> = record::page(table, &range).await?;
    let mut items = get_many(table, page.items).await?;
    items.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(Listed { items, next: page.next })
}

/// Which incident of that id somebody was told of by name.
pub async fn told_of(table: &dyn Table, user: &str, id: &str) -> Result<Option<Named>, TableError> {
    Ok(record::get(table, &told_key(user, id)).await?.map(|named| named.value))
}

async fn get_many(table: &dyn Table, named: Vec<Named>) -> Result<Vec<Incident>, TableError> {
    let keys: BTreeSet<Key> = named.iter().map(key).collect();
    let keys: Vec<Key> = keys.into_iter().collect();
    let items = if keys.is_empty() { Vec::new() } else { table.get_many(&keys).await? };
    items.iter().map(|item| record::decode(item).map(|incident| incident.value)).collect()
}

fn told_key(user: &str, id: &str) -> Key {
    Key::new(format!("incident-told#{user}"), id)
}

fn open_key(user: &str, id: &str) -> Key {
    Key::new(format!("incident-told-open#{user}"), id)
}
