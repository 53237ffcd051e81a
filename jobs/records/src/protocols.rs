//! Protocols and what is normal for the devices that speak them.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | a protocol's document | `protocol` | name |
//! | a protocol's constants | `constants` | name |

use domain::protocol::{ConstantsDocument, ProtocolDocument};

use crate::{Key, Listed, Range, Table, TableError, record};

/// Stores a protocol, in place of one of the same name.
pub async fn put(table: &dyn Table, protocol: &ProtocolDocument) -> Result<(), TableError> {
    record::commit(table, vec![record::put(key(&protocol.protocol), protocol)?]).await
}

/// Stores protocols and constants, each in place of one of the same name: all of them or none. No more than
/// [`MOST_IN_A_TRANSACTION`](crate::MOST_IN_A_TRANSACTION) at once.
pub async fn put_all(
    table: &dyn Table,
    protocols: &[ProtocolDocument],
    constants: &[ConstantsDocument],
) -> Result<(), TableError> {
    let protocols = protocols.iter().map(|document| record::put(key(&document.protocol), document));
    let constants = constants.iter().map(|document| record::put(constants_key(&document.protocol), document));
    record::commit(table, protocols.chain(constants).collect::<Result<_, _>>()?).await
}

/// Removes a protocol and its constants.
pub async fn delete(table: &dyn Table, name: &str) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(key(name)), record::delete(constants_key(name))]).await
}

/// Removes a protocol's constants: nothing of its devices is watched any more.
pub async fn delete_constants(table: &dyn Table, name: &str) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(constants_key(name))]).await
}

/// The protocol of that name.
pub async fn get(table: &dyn Table, name: &str) -> Result<Option<ProtocolDocument>, TableError> {
    Ok(record::get(table, &key(name)).await?.map(|protocol| protocol.value))
}

/// A page of the protocols, in the order of their names.
pub async fn list(
    table: &dyn Table,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<ProtocolDocument>, TableError> {
    record::page(table, &Range::all("protocol", limit).after(after)).await
}

/// Stores a protocol's constants.
pub async fn put_constants(table: &dyn Table, constants: &ConstantsDocument) -> Result<(), TableError> {
    record::commit(table, vec![record::put(constants_key(&constants.protocol), constants)?]).await
}

/// The constants of the protocol of that name.
pub async fn constants(table: &dyn Table, name: &str) -> Result<Option<ConstantsDocument>, TableError> {
    Ok(record::get(table, &constants_key(name)).await?.map(|constants| constants.value))
}

fn key(name: &str) -> Key {
    Key::new("protocol", name)
}

fn constants_key(name: &str) -> Key {
    Key::new("constants", name)
}
