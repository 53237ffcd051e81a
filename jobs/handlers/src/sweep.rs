//! `sweep`: what is due although nothing arrived.

use domain::{
    Timestamp,
    alarm::{Evidence, Fact},
};
use records::alarms;
use serde::{Deserialize, Serialize};

use crate::{Context, EvaluateAlarms, Job, JobError};

/// How many timers one sweep takes; the next sweep takes the rest.
const AT_MOST: usize = 1000;

/// Looks for timers that are due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// When it was asked for.
    pub at: Timestamp,
}

impl Job for Sweep {
    const NAME: &'static str = "sweep";
    const LANE: crate::ports::Lane = crate::ports::Lane::Urgent;
    // The next sweep does what this one could not.
    const MAX_ATTEMPTS: u32 = 3;

    fn key(&self) -> String {
        self.at.sortable()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let due = alarms::due(cx.table.as_ref(), cx.clock.now(), AT_MOST).await?;
        let messages = due.into_iter().map(|(due, source)| {
            let id = format!("tick/{}/{source}", due.sortable());
            EvaluateAlarms { origin: id.clone(), evidence: vec![Evidence { id, source, at: due, fact: Fact::Tick }] }
                .message()
        });
        cx.queue.enqueue(messages.collect()).await?;
        Ok(())
    }
}
