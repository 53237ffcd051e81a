//! The broker as an operator looks at it.

use std::sync::Arc;

use jobs::ports::{Door, TurnedAway};

use crate::{
    counters::Counters,
    refused::{RefusedNode, RefusedNodes},
};

/// What was turned away at the broker's sockets, and what came through them.
pub(crate) struct FrontDoor {
    pub refused: Arc<RefusedNodes>,
    pub counters: Arc<Counters>,
}

impl Door for FrontDoor {
    fn turned_away(&self) -> Vec<TurnedAway> {
        let told = |refused: RefusedNode| TurnedAway {
            address: refused.address,
            code: refused.reason.code(),
            reason: refused.reason.to_string(),
            at: refused.at,
            times: refused.times,
        };
        self.refused.latest().into_iter().map(told).collect()
    }

    fn counts(&self) -> Vec<(&'static str, u64)> {
        self.counters.all()
    }
}
