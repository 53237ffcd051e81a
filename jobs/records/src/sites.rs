//! Sites: places that people give names, with the terminals that are there.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | a terminal's site | `terminal#` mac | `site` |
//! | the terminals of a site | `site-terminals#` site | mac |
//!
//! Not a part of [`crate::terminals::Terminal`]: few ask for it, and those who ask for the terminals of one do not look through all.

use std::collections::BTreeMap;

use domain::Mac;

use crate::{Key, Listed, Range, Table, TableError, record};

/// Says at which site a terminal is; at none when none.
pub async fn put(table: &dyn Table, mac: &Mac, site: Option<&str>) -> Result<(), TableError> {
    let before = of(table, mac).await?;
    if before.as_deref() == site {
        return Ok(());
    }
    let mut writes = Vec::new();
    writes.extend(before.map(|before| record::delete(terminal_of(&before, mac))));
    match site {
        Some(site) => {
            writes.push(record::put(key(mac), &site)?);
            writes.push(record::put(terminal_of(site, mac), mac)?);
        }
        None => writes.push(record::delete(key(mac))),
    }
    record::commit(table, writes).await
}

/// The site of a terminal; none where nobody said.
pub async fn of(table: &dyn Table, mac: &Mac) -> Result<Option<String>, TableError> {
    Ok(record::get(table, &key(mac)).await?.map(|site| site.value))
}

/// The sites of terminals; those of which nobody said are left out.
pub async fn of_many(table: &dyn Table, macs: &[Mac]) -> Result<BTreeMap<Mac, String>, TableError> {
    let keys: BTreeMap<Key, &Mac> = macs.iter().map(|mac| (key(mac), mac)).collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let items = table.get_many(&keys.keys().cloned().collect::<Vec<_>>()).await?;
    let found = items.iter().filter_map(|item| Some((item, (*keys.get(&item.key)?).clone())));
    found.map(|(item, mac)| Ok((mac, record::decode(item)?.value))).collect()
}

/// A page of the terminals at a site, in the order of macs.
pub async fn terminals(
    table: &dyn Table,
    site: &str,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<Mac>, TableError> {
    record::page(table, &Range::all(format!("site-terminals#{site}"), limit).after(after)).await
}

fn key(mac: &Mac) -> Key {
    Key::new(format!("terminal#{mac}"), "site")
}

fn terminal_of(site: &str, mac: &Mac) -> Key {
    Key::new(format!("site-terminals#{site}"), mac.as_str())
}
