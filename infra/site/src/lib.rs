//! A site file: the protocols, nodes, terminals and people of a place, in the names that earlier servers' exports use.
//!
//! All of it is checked before any of it is stored, and storing it again changes nothing.

mod check;
mod entries;
mod import;
#[cfg(test)]
mod tests;

use jobs::ports::Dice;
use records::{Clock, Table, TableError, nodes, protocols};

pub use entries::Site;

/// How much of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Protocols.
    pub protocols: usize,
    /// Nodes.
    pub nodes: usize,
    /// Terminals.
    pub terminals: usize,
    /// Users.
    pub users: usize,
}

/// Why a site is not imported.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It is no site file.
    #[error("the site file is not understood: {0}")]
    NotUnderstood(#[from] serde_json::Error),
    /// These things are wrong with it, and nothing of it was stored.
    #[error("nothing was imported:\n  {}", .0.join("\n  "))]
    Wrong(Vec<String>),
    /// The table could not do its part. Some of the site may be stored; to import it again is safe.
    #[error("the site could not be stored as a whole, import it again: {0}")]
    Table(#[from] TableError),
    /// A password could not be hashed. Some of the site may be stored; to import it again is safe.
    #[error("the site could not be stored as a whole: {0}")]
    Password(#[from] api::PasswordError),
}

impl Site {
    /// Reads a site file.
    pub fn parse(bytes: &[u8]) -> Result<Self, SiteError> {
        // A list would be taken for a site whose parts it holds in order, an empty one for a site without any.
        let file: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes)?;
        Ok(serde_json::from_value(file.into())?)
    }

    /// Stores the whole site, if all of it makes sense; nothing of it otherwise.
    pub async fn import(&self, table: &dyn Table, clock: &dyn Clock, dice: &dyn Dice) -> Result<Counts, SiteError> {
        self.must_be_right(table).await?;
        for protocol in &self.protocols {
            protocols::put(table, protocol).await?;
        }
        for constants in &self.constants {
            protocols::put_constants(table, constants).await?;
        }
        for node in &self.nodes {
            nodes::put(table, &node.record()).await?;
        }
        for terminal in &self.terminals {
            terminal.import(table, clock.now()).await?;
        }
        for user in &self.users {
            user.import(table, dice, clock.now()).await?;
        }
        Ok(self.counts())
    }

    /// An error that names everything that is wrong, if anything is.
    pub async fn must_be_right(&self, table: &dyn Table) -> Result<(), SiteError> {
        let wrong = self.check(table).await?;
        if wrong.is_empty() { Ok(()) } else { Err(SiteError::Wrong(wrong)) }
    }

    /// How much there is of what.
    pub fn counts(&self) -> Counts {
        Counts {
            protocols: self.protocols.len(),
            nodes: self.nodes.len(),
            terminals: self.terminals.len(),
            users: self.users.len(),
        }
    }
}
