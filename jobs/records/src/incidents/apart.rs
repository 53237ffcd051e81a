//! The alarms of an incident beyond those that it remembers itself.

use std::collections::BTreeMap;

use domain::routing::incident::{Apart, Open};

use super::Named;
use crate::{Key, Range, Table, TableError, Write, record};

/// So many are read at a time.
const PAGE: usize = 500;

/// The writes that store what a step changed of them.
pub fn put_apart(incident: &Named, apart: &Apart) -> Result<Vec<Write>, TableError> {
    let put = apart.put.iter().map(|(alarm, open)| record::put(key(incident, alarm), open));
    let taken = apart.taken.iter().map(|alarm| Ok(record::delete(key(incident, alarm))));
    put.chain(taken).collect()
}

/// Those of some alarms that are among them.
pub async fn apart_among<'a>(
    table: &dyn Table,
    incident: &Named,
    alarms: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, Open>, TableError> {
    let keys: Vec<Key> = alarms.into_iter().map(|alarm| key(incident, alarm)).collect();
    let items = if keys.is_empty() { Vec::new() } else { table.get_many(&keys).await? };
    items.iter().map(|item| Ok((item.key.sk.clone(), record::decode(item)?.value))).collect()
}

/// The first of them.
pub async fn first_apart(
    table: &dyn Table,
    incident: &Named,
    limit: usize,
) -> Result<BTreeMap<String, Open>, TableError> {
    let page = table.query(&Range::all(partition(incident), limit)).await?;
    page.items.iter().map(|item| Ok((item.key.sk.clone(), record::decode(item)?.value))).collect()
}

/// All of them.
pub async fn all_apart(table: &dyn Table, incident: &Named) -> Result<BTreeMap<String, Open>, TableError> {
    let (mut alarms, mut after) = (BTreeMap::new(), None);
    loop {
        let page = table.query(&Range::all(partition(incident), PAGE).after(after)).await?;
        for item in &page.items {
            alarms.insert(item.key.sk.clone(), record::decode(item)?.value);
        }
        after = page.next;
        if after.is_none() {
            return Ok(alarms);
        }
    }
}

fn partition(incident: &Named) -> String {
    format!("incident-apart#{}#{}", incident.audience, incident.id)
}

fn key(incident: &Named, alarm: &str) -> Key {
    Key::new(partition(incident), alarm)
}
