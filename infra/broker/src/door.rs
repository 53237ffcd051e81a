//! The broker as an operator looks at it.

use std::sync::Arc;

use async_trait::async_trait;
use jobs::ports::Door;
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
        let counts = self.counters.all().into_iter().map(|(name, count)| (name.to_owned(), count));
        Ok(Seen { turned_away: self.refused.latest().into_iter().map(told).collect(), counts: counts.collect() })
    }
}
