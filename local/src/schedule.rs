//! The schedule of a box: what a timer service does in the cloud.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use jobs::{Context, Job, PlanWindow, Sweep, ports::Message};
use table::EmbeddedTable;
use tokio_util::sync::CancellationToken;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(100);

/// How far apart sweeps are.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How far apart the removals of expired items are, and how many go at once.
const EXPIRE_EVERY: Duration = Duration::from_mins(1);
const EXPIRE_AT_ONCE: usize = 10_000;

/// Enqueues what is due by the clock, until it is told to stop.
pub(crate) async fn run(cx: Context, table: Arc<EmbeddedTable>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut done = Done { window: Timestamp::default(), sweep: Timestamp::default(), expiry: cx.clock.now() };
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = cx.clock.now();
        let messages = done.due(&cx, now);
        if !messages.is_empty()
            && let Err(error) = cx.queue.enqueue(messages).await
        {
            tracing::error!(%error, "the schedule could not enqueue what is due");
        }
        if now.since(done.expiry) >= EXPIRE_EVERY {
            done.expiry = now;
            if let Err(error) = table.remove_expired(EXPIRE_AT_ONCE).await {
                tracing::error!(%error, "expired items could not be removed");
            }
        }
    }
}

/// What was enqueued last.
struct Done {
    window: Timestamp,
    sweep: Timestamp,
    expiry: Timestamp,
}

impl Done {
    fn due(&mut self, cx: &Context, now: Timestamp) -> Vec<Message> {
        let schedule = &cx.settings.schedule;
        let mut messages = Vec::new();
        let window = schedule.window_start(now.plus(Duration::from_millis(schedule.lead_ms)));
        if window > self.window {
            self.window = window;
            messages.push(PlanWindow { start: window, window_ms: schedule.window_ms }.message());
        }
        if now.since(self.sweep) >= SWEEP_EVERY {
            self.sweep = now;
            messages.push(Sweep { at: now }.message());
        }
        messages
    }
}
