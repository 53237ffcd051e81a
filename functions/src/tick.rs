//! A tick of the schedule, as AWS tells it.

use std::time::Duration;

use domain::Timestamp;
use jobs::{PlanWindow, ScheduleSettings, Sweep};
use serde::Deserialize;

/// How far apart ticks are.
const EVERY_MS: u64 = 60_000;

/// A scheduled event. Only its time counts.
#[derive(Debug, Clone, Deserialize)]
pub struct Tick {
    time: jiff::Timestamp,
}

impl Tick {
    /// The sweep that the tick asks for: what is due by its time, and until the next tick.
    pub fn sweep(&self) -> Sweep {
        Sweep { at: Timestamp(self.time.as_millisecond()), ahead_ms: EVERY_MS }
    }

    /// The window to plan: the one that the instant `lead_ms` after the tick lies in. It hangs on the event's time, not
    /// on ours, so that a tick that is delivered again plans the same window. An error when that is over at `now`: nobody may
    /// take it for planned.
    pub fn window(&self, schedule: &ScheduleSettings, now: Timestamp) -> Result<PlanWindow, String> {
        let told = Timestamp(self.time.as_millisecond());
        let start = schedule.window_start(told.plus(Duration::from_millis(schedule.lead_ms)));
        if start.plus(schedule.window()) <= now {
            return Err(format!(
                "the window that begins at {} is over, and this tick came too late to plan it",
                start.rfc3339()
            ));
        }
        Ok(PlanWindow { start, window_ms: schedule.window_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A_MINUTE_AHEAD: ScheduleSettings =
        ScheduleSettings { window_ms: 60_000, lead_ms: 60_000, minimum_interval_ms: 5_000, instruction_ms: 1_000 };

    fn tick(time: &str) -> serde_json::Result<Tick> {
        serde_json::from_value(serde_json::json!({ "detail-type": "Scheduled Event", "time": time }))
    }

    #[test]
    fn a_tick_plans_the_minute_after_its_own() {
        for time in ["2026-11-24T07:01:00Z", "2026-11-24T07:01:59Z"] {
            let window = tick(time).unwrap().window(&A_MINUTE_AHEAD, at("2026-11-24T07:02:59Z")).unwrap();
            assert_eq!(window.start.rfc3339(), "2026-11-24T07:02:00.000Z");
            assert_eq!(window.window_ms, 60_000);
        }
    }

    #[test]
    fn a_tick_whose_window_is_over_is_an_error() {
        let late = tick("2026-11-24T07:01:00Z").unwrap().window(&A_MINUTE_AHEAD, at("2026-11-24T07:03:00Z"));
        assert!(late.unwrap_err().contains("2026-11-24T07:02:00.000Z is over"));
    }

    fn at(time: &str) -> Timestamp {
        Timestamp(time.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn an_event_without_a_time_is_no_tick() {
        assert!(tick("soon").is_err());
        assert!(serde_json::from_str::<Tick>("{}").is_err());
    }
}
