//! Protocols and what is normal for the devices that speak them.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | a protocol's document | `protocol` | name |
//! | a protocol's constants | `constants` | name |

use domain::protocol::{ConstantsDocument, ProtocolDocument};

use crate::{Key, Range, Table, TableError, record};

const PAGE: usize = 100;

/// Stores a protocol, in place of one of the same name.
pub async fn put(table: &dyn Table, protocol: &ProtocolDocument) -> Result<(), TableError> {
    record::commit(table, vec![record::put(Key::new("protocol", &protocol.protocol), protocol)?]).await
}

/// The protocol of that name.
pub async fn get(table: &dyn Table, name: &str) -> Result<Option<ProtocolDocument>, TableError> {
    Ok(record::get(table, &Key::new("protocol", name)).await?.map(|protocol| protocol.value))
}

/// Every protocol.
pub async fn list(table: &dyn Table) -> Result<Vec<ProtocolDocument>, TableError> {
    record::all(table, Range::all("protocol", PAGE)).await
}

/// Stores a protocol's constants.
pub async fn put_constants(table: &dyn Table, constants: &ConstantsDocument) -> Result<(), TableError> {
    record::commit(table, vec![record::put(Key::new("constants", &constants.protocol), constants)?]).await
}

/// The constants of the protocol of that name.
pub async fn constants(table: &dyn Table, name: &str) -> Result<Option<ConstantsDocument>, TableError> {
    Ok(record::get(table, &Key::new("constants", name)).await?.map(|constants| constants.value))
}
