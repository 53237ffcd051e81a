//! How administrators want alarms to be routed: policies, and who is on call.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Policy`] | `routing-policy` | id |
//! | [`StoredRota`] | `rota` | id |

use std::collections::BTreeSet;

use domain::{Timestamp, alarm::Severity, routing::rota::Rota};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Condition, Key, Range, Table, TableError, Versioned, Write, alert_rules::Scope, record, users::Role};

/// The most policies, and the most rotas, that there may be.
pub const MOST: usize = 200;

const PAGE: usize = 200;

/// How the alarms of some sources are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// What people call it.
    pub name: String,
    /// The sources that it is for: of a terminal also what it says of itself. Where several are, the narrowest goes first, then
    /// the oldest.
    pub scope: Scope,
    /// Whether it is in force.
    pub enabled: bool,
    /// What is told together.
    #[serde(default)]
    pub group_by: GroupBy,
    /// The least severity that is escalated.
    pub least: Severity,
    /// Who hears when nobody acknowledges, in order.
    pub steps: Vec<EscalationStep>,
}

/// What is told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// What hangs on one terminal; the terminals of one node.
    #[default]
    Cause,
    /// What hangs on one node.
    Node,
    /// What hangs on the terminals of one site, and these; of a terminal without one, as by `Cause`.
    Site,
    /// What one device, terminal or node says.
    Source,
    /// What one rule raises, wherever.
    Rule,
    /// Nothing: each condition of each source is told by itself.
    Nothing,
}

/// A step of an escalation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    /// How long nobody has acknowledged by then, in milliseconds. With 0 those who hear anyway are left out; with
    /// more, who is named hears once more.
    pub after_ms: u64,
    /// Users.
    #[serde(default)]
    pub users: BTreeSet<String>,
    /// `admin`: all administrators; `user`: all users to whom a terminal is bound that it is about.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Rotas: whoever is on call then.
    #[serde(default)]
    pub rotas: BTreeSet<String>,
}

/// A rota and what people call it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredRota {
    /// What people call it.
    pub name: String,
    /// Who is on call when.
    pub rota: Rota,
}

/// A record with its id, its version and who wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written<T> {
    /// A ULID.
    pub id: String,
    /// Which writing of it this is, 1 for the first.
    pub version: u64,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Who did that.
    pub changed_by: String,
    /// What it is.
    pub value: T,
}

/// Something that is stored in a partition of its own.
pub trait Routed: Serialize + DeserializeOwned + Send {
    /// The partition.
    const PARTITION: &'static str;
}

impl Routed for Policy {
    const PARTITION: &'static str = "routing-policy";
}

impl Routed for StoredRota {
    const PARTITION: &'static str = "rota";
}

/// All there are, oldest first.
pub async fn all<T: Routed>(table: &dyn Table) -> Result<Vec<Written<T>>, TableError> {
    record::all(table, Range::all(T::PARTITION, PAGE)).await
}

/// That of an id; none when there is none.
pub async fn get<T: Routed>(table: &dyn Table, id: &str) -> Result<Option<Written<T>>, TableError> {
    if id.is_empty() || id.contains('\0') {
        return Ok(None);
    }
    Ok(record::get(table, &Key::new(T::PARTITION, id)).await?.map(|found| found.value))
}

/// Stores it in the place of the version before it; false when something else is there.
pub async fn put<T: Routed>(table: &dyn Table, written: &Written<T>) -> Result<bool, TableError>
where
    Written<T>: Clone,
{
    let stored = Versioned { value: written.clone(), version: written.version.saturating_sub(1) };
    record::put_own(table, stored.put_back(Key::new(T::PARTITION, &written.id), None)?).await
}

/// Deletes that of a version; false when something else is there.
pub async fn delete<T: Routed>(table: &dyn Table, id: &str, version: u64) -> Result<bool, TableError> {
    let delete = Write::Delete(Key::new(T::PARTITION, id), Condition::Version(version));
    Ok(table.write(delete).await?.applied())
}
