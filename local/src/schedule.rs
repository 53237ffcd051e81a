//! The schedule of a box: what a timer service does in the cloud.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use engine_redis::Turn;
use jobs::{
    Context, Job, PlanWindow, ScheduleSettings, Sweep,
    ports::{Clock, Message, QueueError},
};
use table::EmbeddedTable;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long the turn at the schedule lasts that nobody keeps.
pub(crate) const TURN_LASTS: Duration = Duration::from_secs(4);
/// How long to wait when it is another's, or what was due was not taken.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How far apart sweeps are.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How far apart the removals of expired items are, and how many go at once.
const EXPIRE_EVERY: Duration = Duration::from_mins(1);
const EXPIRE_AT_ONCE: usize = 2_000;

/// Enqueues what is due by the clock, until it is told to stop. Where several processes could, the one whose `turn` it is
/// does; what another did of the window that it begins with is done again, and dropped by the brokers.
pub(crate) async fn run(cx: Context, turn: Option<Turn>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut done = Done::default();
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let (schedule, now) = (&cx.settings.schedule, cx.clock.now());
        if KINDS.iter().all(|due| due(done, schedule, now).0.is_empty()) {
            continue;
        }
        if !is_ours(turn.as_ref()).await {
            done = Done::default();
            // Nobody knows when the other one ends.
            shutdown.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN_AFTER)).await;
            continue;
        }
        if let Err(error) = enqueue(&cx, &mut done, now).await {
            tracing::error!(%error, "the schedule could not enqueue what is due");
            shutdown.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN_AFTER)).await;
        }
    }
    if let Some(turn) = turn
        && let Err(error) = turn.give_up().await
    {
        tracing::warn!(%error, "the turn at the schedule ends by itself");
    }
}

/// Enqueues what is due. What is not taken is tried again from where it was, and holds up nothing else: a queue that is full takes
/// sweeps, and no plans.
async fn enqueue(cx: &Context, done: &mut Done, now: Timestamp) -> Result<(), QueueError> {
    let mut all = Ok(());
    for due in KINDS {
        let (messages, then) = due(*done, &cx.settings.schedule, now);
        if messages.is_empty() {
            continue;
        }
        match cx.queue.enqueue(messages).await {
            Ok(()) => *done = then,
            error => all = error,
        }
    }
    all
}

async fn is_ours(turn: Option<&Turn>) -> bool {
    let Some(turn) = turn else { return true };
    turn.is_ours().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "nobody knows whose turn the schedule is");
        false
    })
}

/// Removes expired items, however many there are, some at a time, until it is told to stop.
pub(crate) async fn expire(clock: Arc<dyn Clock>, table: Arc<EmbeddedTable>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(EXPIRE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let began = clock.now();
        loop {
            match table.remove_expired(EXPIRE_AT_ONCE).await {
                Ok(removed) if removed == EXPIRE_AT_ONCE && !shutdown.is_cancelled() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "expired items could not be removed");
                    break;
                }
            }
        }
        tracing::debug!(expiry.ms = clock.now().since(began).as_millis(), "what had expired is removed");
    }
}

/// What is due of one kind, and what will have been enqueued then.
type Due = fn(Done, &ScheduleSettings, Timestamp) -> (Vec<Message>, Done);

/// The kinds there are.
const KINDS: [Due; 2] = [Done::sweep, Done::plans];

/// What was enqueued last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Done {
    window: Timestamp,
    swept: Timestamp,
}

impl Done {
    /// The plans that are due, and what will have been enqueued then. Windows that were slept through are over; a clock that was set
    /// back counts anew.
    fn plans(self, schedule: &ScheduleSettings, now: Timestamp) -> (Vec<Message>, Self) {
        let mut messages = Vec::new();
        let mut then = self;
        let latest = schedule.window_start(now.plus(Duration::from_millis(schedule.lead_ms)));
        let oldest = schedule.window_start(now);
        let next = self.window.plus(schedule.window());
        let was_set_back = self.window > latest;
        let mut window = if was_set_back { oldest } else { next.max(oldest) };
        while window <= latest {
            messages.push(PlanWindow { start: window, window_ms: schedule.window_ms }.message());
            then.window = window;
            window = window.plus(schedule.window());
        }
        (messages, then)
    }

    /// The same of the sweep.
    fn sweep(self, _: &ScheduleSettings, now: Timestamp) -> (Vec<Message>, Self) {
        if now >= self.swept && now.since(self.swept) < SWEEP_EVERY {
            return (Vec::new(), self);
        }
        (vec![Sweep { at: now, ahead_ms: 0 }.message()], Self { swept: now, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is enqueued at each of these seconds, one after the other, and whether it was taken.
    fn windows(looks: &[(i64, bool)]) -> Vec<Vec<i64>> {
        let mut done = Done::default();
        let look = |(second, taken): &(i64, bool)| {
            let (messages, then) = done.plans(&ScheduleSettings::default(), Timestamp(second * 1000));
            if *taken {
                done = then;
            }
            messages
                .iter()
                .map(|plan| serde_json::from_slice::<PlanWindow>(&plan.body).unwrap().start.0 / 1000)
                .collect()
        };
        looks.iter().map(look).collect()
    }

    #[test]
    fn each_window_is_planned_once_a_second_ahead() {
        let looks = [(100, true), (102, true), (104, true), (105, true), (109, true)];
        assert_eq!(windows(&looks), [vec![100], vec![], vec![105], vec![], vec![110]]);
    }

    #[test]
    fn a_window_that_could_not_be_enqueued_is_tried_again() {
        assert_eq!(windows(&[(100, true), (104, false), (105, false), (106, true)]), [[100], [105], [105], [105]]);
    }

    #[test]
    fn windows_that_are_over_are_left_out_and_those_that_are_not_are_planned() {
        assert_eq!(windows(&[(100, true), (134, true)]), [vec![100], vec![130, 135]]);
    }

    #[test]
    fn a_clock_that_is_set_back_goes_on_planning() {
        assert_eq!(windows(&[(1000, true), (500, true), (504, true)]), [[1000], [500], [505]]);
    }
}
