//! What was imported from a file, so that a file that did not change does not undo what people changed since.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Import`] | `import` | what kind of file: `site` |

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Key, Table, TableError, fingerprint::sha256_hex, record};

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// When.
    pub at: Timestamp,
}

impl Import {
    /// The import of a file with these bytes.
    pub fn of(bytes: &[u8], at: Timestamp) -> Self {
        Self { sha256: sha256_hex(bytes), at }
    }
}

/// The site file that was imported last.
pub async fn site(table: &dyn Table) -> Result<Option<Import>, TableError> {
    Ok(record::get(table, &key()).await?.map(|import| import.value))
}

/// Remembers that a site file was imported.
pub async fn put_site(table: &dyn Table, import: &Import) -> Result<(), TableError> {
    record::commit(table, vec![record::put(key(), import)?]).await
}

fn key() -> Key {
    Key::new("import", "site")
}
