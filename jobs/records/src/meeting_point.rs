//! Where those who work on a table meet. What waits in one queue is not seen through another, so one queue belongs to a
//! table, and the table says which. An embedded store may be copied with all that it says, so its owner writes where it is.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | the name of the queue | `meeting-point` | `queue` |
//! | where an embedded store is: by this its owner knows it from a copy | `meeting-point` | `owner` |

use crate::{Key, Outcome, Table, TableError, record};

/// The queue of Telltale on AWS: SQS.
pub const ON_AWS: &str = "aws";

/// Where the record lies, for who must remove it by hand.
pub const PLACE: (&str, &str) = ("meeting-point", "queue");

/// The queue that belongs to the table, if one does by now.
pub async fn queue(table: &dyn Table) -> Result<Option<String>, TableError> {
    Ok(record::get(table, &key()).await?.map(|queue| queue.value))
}

/// Makes `queue` the table's, unless it has one. Which is the table's from now on: of two that come at once, one wins.
pub async fn agree(table: &dyn Table, queue: &str) -> Result<String, TableError> {
    if let Some(there) = self::queue(table).await? {
        return Ok(there);
    }
    match table.write(record::put_new(key(), &queue, None)?).await? {
        Outcome::Applied => Ok(queue.to_owned()),
        Outcome::Refused { found: Some(there), .. } => Ok(record::decode(&there)?.value),
        Outcome::Refused { found: None, .. } => {
            Err(TableError::Away("its queue was written, and is not there".to_owned()))
        }
    }
}

/// Where the owner of the embedded store has it, if it has one.
pub async fn owners_place(table: &dyn Table) -> Result<Option<String>, TableError> {
    Ok(record::get(table, &owner_key()).await?.map(|place| place.value))
}

/// Says where the embedded store is.
pub async fn set_owners_place(table: &dyn Table, place: &str) -> Result<(), TableError> {
    if owners_place(table).await?.as_deref() == Some(place) {
        return Ok(());
    }
    table.write_batch(vec![record::put(owner_key(), &place)?]).await
}

fn owner_key() -> Key {
    Key::new(PLACE.0, "owner")
}

fn key() -> Key {
    Key::new(PLACE.0, PLACE.1)
}
