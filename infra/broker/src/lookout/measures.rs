//! What can be counted of what the broker needs, reported once in a while: rules may look at it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{Need, alarm::metric};
use jobs::{
    JOB_NAMES,
    ports::{Inspect, MeetingPoint, QueueError, SpoolState, Spooling},
    report::Event,
};
use tokio::time::{MissedTickBehavior, interval};

use super::{CLOCK, QUEUE, SPOOL};
use crate::reports::Reporter;

/// How often it is counted.
const COUNT_EVERY: Duration = Duration::from_mins(1);

/// Counts what a part needs.
pub(super) struct Measures {
    pub part: String,
    /// The queue, where to look into it costs little.
    pub queue: Option<Arc<dyn Inspect>>,
    pub spool: Option<Arc<dyn Spooling>>,
    pub meeting: Option<Arc<dyn MeetingPoint>>,
    pub reporter: Reporter,
}

impl Measures {
    /// Counts for ever. What cannot be counted, and what cannot be reported, is left out.
    pub(super) async fn run(self) {
        let mut ticks = interval(COUNT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Nothing is to be known yet of what has just begun.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if let Some(queue) = &self.queue
                && let Ok(values) = of_queue(queue.as_ref()).await
            {
                self.report(QUEUE, values);
            }
            if let Some(spool) = &self.spool {
                self.report(SPOOL, of_spool(spool.state()));
            }
            if let Some(ahead_ms) = self.meeting.as_ref().and_then(|meeting| meeting.state().clock_ahead_ms) {
                #[expect(clippy::cast_precision_loss, reason = "no clock is 2^53 milliseconds off")]
                self.report(CLOCK, named([(metric::CLOCK_AHEAD_MS.name, ahead_ms as f64)]));
            }
        }
    }

    fn report(&self, needs: &str, values: BTreeMap<String, f64>) {
        let need = Need { part: self.part.clone(), needs: needs.to_owned() };
        self.reporter.report(String::new(), Event::PartCounted { need, values });
    }
}

async fn of_queue(queue: &dyn Inspect) -> Result<BTreeMap<String, f64>, QueueError> {
    let (mut depth, mut dead) = (0, 0);
    for job in JOB_NAMES {
        let of_job = queue.depth(job).await?;
        depth += of_job.waiting + of_job.running;
        dead += of_job.dead;
    }
    Ok(named([(metric::QUEUE_DEPTH.name, as_number(depth)), (metric::DEAD_LETTERS.name, as_number(dead))]))
}

fn of_spool(state: SpoolState) -> BTreeMap<String, f64> {
    #[expect(clippy::cast_precision_loss, reason = "no disk has 2^53 bytes")]
    let fill = state.bytes as f64 * 100.0 / state.most_bytes.max(1) as f64;
    named([(metric::SPOOL_FILL.name, fill)])
}

fn named<const COUNT: usize>(values: [(&str, f64); COUNT]) -> BTreeMap<String, f64> {
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

#[expect(clippy::cast_precision_loss, reason = "no queue holds 2^53 messages")]
fn as_number(count: usize) -> f64 {
    count as f64
}
