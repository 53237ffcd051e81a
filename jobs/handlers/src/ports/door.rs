//! The door that gateway programs come in by, as an operator looks at it.

use std::net::IpAddr;

use domain::Timestamp;

/// A gateway program that was turned away; it comes back by itself, so repeats are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAway {
    /// Where it came from.
    pub address: IpAddr,
    /// Why, as a word that does not change.
    pub code: &'static str,
    /// Why, and what to do about it.
    pub reason: String,
    /// When it came last.
    pub at: Timestamp,
    /// How often it came.
    pub times: u64,
}

/// Knows who was turned away, and what came through.
pub trait Door: Send + Sync {
    /// The latest, newest first; no more than a hundred.
    fn turned_away(&self) -> Vec<TurnedAway>;

    /// What was counted since the process started, each with its name; what makes no sense is counted, too.
    fn counts(&self) -> Vec<(&'static str, u64)>;
}
