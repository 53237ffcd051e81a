//! The broker as an operator looks at it.

use std::sync::Arc;

use async_trait::async_trait;
use jobs::ports::{Door, Spooling};
use records::{
    TableError,
    doors::{Seen, TurnedAway},
};

use crate::{
    counters::Counters,
    refused::{RefusedNode, RefusedNodes},
};

/// What was turned away at the broker's sockets, and what came through them.
pub(crate) struct FrontDoor {
    pub refused: Arc<RefusedNodes>,
    pub counters: Arc<Counters>,
    /// What lies in its spool, if it has one.
    pub spool: Option<Arc<dyn Spooling>>,
}

#[async_trait]
impl Door for FrontDoor {
    async fn seen(&self) -> Result<Seen, TableError> {
        let told = |refused: RefusedNode| TurnedAway {
            address: refused.address,
            code: refused.reason.code().to_owned(),
            reason: refused.reason.to_string(),
            at: refused.at,
            times: refused.times,
        };
        let spool = self.spool.as_ref().map(|spool| spool.state());
        let spooled = spool.into_iter().flat_map(|it| [("spool_messages", it.messages), ("spool_bytes", it.bytes)]);
        let counts = self.counters.all().into_iter().chain(spooled).map(|(name, count)| (name.to_owned(), count));
        Ok(Seen { turned_away: self.refused.latest().into_iter().map(told).collect(), counts: counts.collect() })
    }
}
