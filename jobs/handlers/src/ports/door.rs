//! The door that gateway programs come in by, as an operator looks at it.

use async_trait::async_trait;
use records::{TableError, doors::Seen};

/// Knows who was turned away, and what came through: at the broker of this process, or at all brokers.
#[async_trait]
pub trait Door: Send + Sync {
    /// What was seen since the brokers started. Of those turned away the latest, newest first; no more than a hundred of
    /// each broker. Of several brokers, what each counted is added up.
    async fn seen(&self) -> Result<Seen, TableError>;
}
