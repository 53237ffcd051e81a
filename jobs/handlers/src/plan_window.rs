//! `plan_window`: for every node that is ready, the work of one window is planned.

use std::time::Duration;

use domain::Timestamp;
use records::nodes;
use serde::{Deserialize, Serialize};

use crate::{Context, DispatchQueries, Job, JobError};

/// Plans the window that begins at `start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanWindow {
    /// When the window begins.
    pub start: Timestamp,
    /// How long it is, in milliseconds.
    pub window_ms: u64,
}

impl Job for PlanWindow {
    const NAME: &'static str = "plan_window";

    fn key(&self) -> String {
        self.start.sortable()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let until = self.start.plus(Duration::from_millis(self.window_ms));
        if until <= cx.clock.now() {
            return Ok(());
        }
        let sessions = nodes::sessions(cx.table.as_ref()).await?;
        let plans = sessions.into_iter().filter(|session| session.ready);
        let messages = plans.map(|session| DispatchQueries { node: session.node, from: self.start, until }.message());
        cx.queue.enqueue(messages.collect()).await?;
        Ok(())
    }
}
