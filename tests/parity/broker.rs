//! The node's broker, as far as it is told what to ask.

use std::sync::{Arc, Mutex, PoisonError};

use jobs::ports::{NodeCommand, Plan, PlannedQuery, ToBroker};
use telltale_tests::eventually;
use tokio::sync::mpsc;

/// The plans that it got so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Broker(Arc<Mutex<Vec<Plan>>>);

impl Broker {
    /// Takes what arrives in its inbox.
    pub(super) async fn read(self, mut inbox: mpsc::Receiver<ToBroker>) {
        while let Some(told) = inbox.recv().await {
            if let ToBroker::Command(NodeCommand::Plan(plan)) = told {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
            }
        }
    }

    /// What it was told to ask, once it got so many plans.
    pub(super) async fn until_plans(&self, count: usize) -> Vec<PlannedQuery> {
        let plans = eventually("the broker has every plan", async || {
            let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (plans.len() >= count).then_some(plans)
        });
        plans.await.into_iter().flat_map(|plan| plan.queries).collect()
    }
}
