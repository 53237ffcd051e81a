//! `sweep`: what is due although nothing arrived.

use std::time::Duration;

use domain::{
    Timestamp,
    alarm::{Evidence, Fact},
};
use records::{alarms, held, incidents};
use serde::{Deserialize, Serialize};

use crate::{Context, EvaluateAlarms, FanOut, Job, JobError, ports::Message};

/// How many timers one sweep takes; the next sweep takes the rest.
const AT_MOST: usize = 1000;

/// How long after what a sweep looked ahead there is another.
const NEXT_AFTER: Duration = Duration::from_secs(1);

/// Looks for timers that are due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// When it was asked for.
    pub at: Timestamp,
    /// How far it looks ahead, in milliseconds: what becomes due before the next sweep is enqueued to be run then.
    #[serde(default)]
    pub ahead_ms: u64,
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
        match self.enqueue_what_is_due(cx).await {
            // While the store is away each second has its sweep, and none of them is work that is lost.
            Err(JobError::Retry { why, .. }) if self.is_left_to_the_next(cx.clock.now()) => {
                tracing::warn!(sweep.at = self.at.0, %why, "What is due is left to the next sweep");
                Ok(())
            }
            ended => ended,
        }
    }
}

impl Sweep {
    fn is_left_to_the_next(&self, now: Timestamp) -> bool {
        now >= self.at.plus(Duration::from_millis(self.ahead_ms)).plus(NEXT_AFTER)
    }

    async fn enqueue_what_is_due(&self, cx: &Context) -> Result<(), JobError> {
        let now = cx.clock.now();
        let until = now.plus(Duration::from_millis(self.ahead_ms));
        let due = alarms::due(cx.table.as_ref(), until, AT_MOST).await?;
        let messages = due.into_iter().map(|(due, source)| {
            let id = format!("tick/{}/{source}", due.sortable());
            let evidence = vec![Evidence::new(id.clone(), source, due, Fact::Tick)];
            let message = EvaluateAlarms::new(id, evidence).message();
            Message { not_before: Some(due).filter(|due| *due > now), ..message }
        });
        let mut messages: Vec<Message> = messages.collect();
        let held = held::due(cx.table.as_ref(), until, AT_MOST).await?;
        messages.extend(held.into_iter().map(|held| {
            let not_before = Some(held.at).filter(|due| *due > now);
            Message { not_before, ..FanOut::Held { held }.message() }
        }));
        let due = incidents::due(cx.table.as_ref(), until, AT_MOST).await?;
        messages.extend(due.into_iter().map(|(due, incident)| FanOut::due(incident, due, now)));
        cx.queue.enqueue(messages).await?;
        Ok(())
    }
}
