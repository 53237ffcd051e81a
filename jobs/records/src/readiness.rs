//! Whether the table does its work: it takes a write and gives it back.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | when it was last tried | `readiness` | `readiness` |

use domain::Timestamp;

use crate::{Key, Table, TableError, record};

/// Writes something small and reads it.
pub async fn prove(table: &dyn Table, now: Timestamp) -> Result<(), TableError> {
    let key = Key::new("readiness", "readiness");
    record::commit(table, vec![record::put(key.clone(), &now)?]).await?;
    match record::get::<Timestamp>(table, &key).await? {
        Some(_) => Ok(()),
        None => Err(TableError::Damaged("what was just written is not there".to_owned())),
    }
}
