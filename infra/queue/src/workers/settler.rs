//! Ends leases in groups: what piles up while one group is made durable is the next.

use std::{sync::Arc, time::Duration};

use jobs::ports::{Consume, QueueError, Settlement};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

/// The most settlements in one call.
const MOST_IN_A_GROUP: usize = 256;
/// How long to wait when the queue is away.
const PAUSE: Duration = Duration::from_secs(1);

type Unsettled = (Settlement, oneshot::Sender<()>);

/// Hands settlements to [`settle_all`].
#[derive(Clone)]
pub(super) struct Settler(mpsc::Sender<Unsettled>);

impl Settler {
    pub(super) fn new() -> (Self, mpsc::Receiver<Unsettled>) {
        let (settler, unsettled) = mpsc::channel(MOST_IN_A_GROUP);
        (Self(settler), unsettled)
    }

    /// Returns once the settlement is durable.
    pub(super) async fn settle(&self, settlement: Settlement) {
        let (done, settled) = oneshot::channel();
        // Both fail only when the worker is being dropped: then the lease runs out and the job is run again.
        if self.0.send((settlement, done)).await.is_ok() {
            let _ = settled.await;
        }
    }
}

/// Settles until every [`Settler`] is gone.
pub(super) async fn settle_all(consume: Arc<dyn Consume>, mut unsettled: mpsc::Receiver<Unsettled>) {
    let mut group = Vec::new();
    while unsettled.recv_many(&mut group, MOST_IN_A_GROUP).await > 0 {
        let (settlements, waiting): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        settle(&consume, settlements).await;
        for done in waiting {
            let _ = done.send(());
        }
    }
}

async fn settle(consume: &Arc<dyn Consume>, settlements: Vec<Settlement>) {
    loop {
        match consume.settle(settlements.clone()).await {
            Ok(()) => return,
            Err(QueueError::Away(why)) => {
                tracing::warn!("cannot settle {} jobs, trying again: {why}", settlements.len());
                time::sleep(PAUSE).await;
            }
            Err(QueueError::Invalid(why)) => {
                return tracing::error!(
                    "the queue refuses {} settlements, the jobs run again: {why}",
                    settlements.len()
                );
            }
        }
    }
}
