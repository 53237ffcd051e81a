//! Whether the store does its work, for whoever asks a process how it is.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use records::{Table, readiness};
use tokio::{sync::Mutex, time::timeout};

use crate::ports::Clock;

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_millis(2500);

/// For how long what was found stands: anybody may ask, and a write is not for nothing.
const FRESH: Duration = Duration::from_secs(1);

/// Proves that a store takes a write and gives it back, once a second at most, however many ask.
pub struct StoreProof {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
    tried: Mutex<Option<Tried>>,
}

/// What was found when the store was last tried.
#[derive(Clone, Copy)]
struct Tried {
    at: Timestamp,
    is_well: bool,
}

impl StoreProof {
    /// A proof of this table. Nothing is tried until somebody asks.
    pub fn of(table: Arc<dyn Table>, clock: Arc<dyn Clock>) -> Self {
        Self { table, clock, tried: Mutex::default() }
    }

    /// Whether the store did its work when it was last tried, which is a moment ago or now. Answers within 2.5 s.
    pub async fn is_well(&self) -> bool {
        let mut tried = self.tried.lock().await;
        let now = self.clock.now();
        let is_fresh = |tried: &Tried| now >= tried.at && now.since(tried.at) < FRESH;
        if let Some(tried) = tried.filter(is_fresh) {
            return tried.is_well;
        }
        let is_well = self.does_its_work(now).await;
        *tried = Some(Tried { at: now, is_well });
        is_well
    }

    async fn does_its_work(&self, now: Timestamp) -> bool {
        match timeout(PATIENCE, readiness::prove(&*self.table, now)).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => tracing::warn!(%error, "The store does not do its work"),
            Err(_) => tracing::warn!("The store does not answer within {PATIENCE:?}"),
        }
        false
    }
}
