//! What single people call normal, in place of what a protocol's constants say.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`AlarmSetup`] | `alarm-setup#` protocol | user |
//! | the protocols a user has one for | `user-alarm-setups#` user | protocol |

use domain::{Timestamp, protocol::ConstantsDocument};
use serde::{Deserialize, Serialize};

use crate::{Key, Range, Table, TableError, record};

const PAGE: usize = 500;

/// What one person calls normal for the devices of one protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmSetup {
    /// Whose it is.
    pub user: String,
    /// Since when they have one for this protocol: of alarms that began before, they hear the end.
    pub since: Timestamp,
    /// What stands in place of the protocol's constants of the same names.
    pub constants: ConstantsDocument,
}

/// Stores a setup, in place of the user's earlier one for the protocol.
pub async fn put(table: &dyn Table, setup: &AlarmSetup) -> Result<(), TableError> {
    let (user, protocol) = (setup.user.as_str(), setup.constants.protocol.as_str());
    let writes = vec![record::put(key(protocol, user), setup)?, record::put(of_user_key(user, protocol), &protocol)?];
    record::commit(table, writes).await
}

/// The user's setup for a protocol.
pub async fn get(table: &dyn Table, user: &str, protocol: &str) -> Result<Option<AlarmSetup>, TableError> {
    Ok(record::get(table, &key(protocol, user)).await?.map(|setup| setup.value))
}

/// Removes a setup: the protocol's constants hold for the user again.
pub async fn delete(table: &dyn Table, user: &str, protocol: &str) -> Result<(), TableError> {
    record::commit(table, vec![record::delete(key(protocol, user)), record::delete(of_user_key(user, protocol))]).await
}

/// Everybody's setups for a protocol, in the order of their names.
pub async fn of_protocol(table: &dyn Table, protocol: &str) -> Result<Vec<AlarmSetup>, TableError> {
    record::all(table, Range::all(format!("alarm-setup#{protocol}"), PAGE)).await
}

/// The protocols that a user has a setup for, in order.
pub async fn of_user(table: &dyn Table, user: &str) -> Result<Vec<String>, TableError> {
    record::all(table, Range::all(format!("user-alarm-setups#{user}"), PAGE)).await
}

fn key(protocol: &str, user: &str) -> Key {
    Key::new(format!("alarm-setup#{protocol}"), user)
}

fn of_user_key(user: &str, protocol: &str) -> Key {
    Key::new(format!("user-alarm-setups#{user}"), protocol)
}
