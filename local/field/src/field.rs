//! A field that runs.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{FieldCounters, FieldError, FieldSettings, node, plan, world::World};

/// How long posts that are still on their way may take when a field stops.
const GRACE: Duration = Duration::from_secs(10);

/// A running field. Dropped, it ends at once; stopped, it first finishes its posts, so that its books balance.
pub struct Field {
    world: Arc<World>,
    nodes: JoinSet<()>,
    stop: CancellationToken,
}

impl Field {
    /// Brings a field to life, within a Tokio runtime.
    pub fn start(settings: FieldSettings) -> Result<Self, FieldError> {
        settings.check()?;
        let world = Arc::new(World::new(settings)?);
        let stop = CancellationToken::new();
        let nodes =
            plan::nodes(&world.settings).map(|plan| node::run(Arc::clone(&world), plan, stop.clone())).collect();
        Ok(Self { world, nodes, stop })
    }

    /// What the field did so far.
    pub fn counters(&self) -> FieldCounters {
        self.world.tally.now()
    }

    /// The site file of this field: see [`site`](crate::site).
    pub fn site(&self) -> Value {
        crate::site(&self.world.settings)
    }

    /// Ends all connections, finishes the posts that are on their way (for ten seconds at most), and says what was
    /// done in all.
    pub async fn stop(mut self) -> FieldCounters {
        self.stop.cancel();
        let finished = timeout(GRACE, async { while self.nodes.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            tracing::warn!("the virtual field stopped before all its posts were through");
        }
        self.counters()
    }
}
