//! Time that passes while nothing is known of a source passes for none of its conditions.

use super::{Condition, Memory, judge::inside};
use crate::Timestamp;

/// A time in which nothing was known of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::alarm) struct Pause {
    /// When what it hangs on was lost.
    pub(in crate::alarm) lost: Timestamp,
    /// When it was heard of again.
    pub(in crate::alarm) seen: Timestamp,
}

impl Condition {
    /// Takes that time out of what the part at `place` remembers.
    pub(in crate::alarm) fn resume(&self, pause: Pause, memory: &mut Memory, place: &str) {
        let Pause { lost, seen } = pause;
        match self {
            // Whatever was due before, and whatever was concluded from it, is explained: the silence begins anew.
            Self::NoData { after } if memory.silence_is_due(place).is_some() || memory.last(place).is_some() => {
                memory.hears(place, seen, *after);
            }
            Self::Missed { .. } => memory.explain_misses_until(place, seen),
            // How it went meanwhile is not known: a rate is from one reading to the next.
            Self::Rate { .. } => memory.forget_last(place),
            Self::Stuck { .. } => memory.put_off_last(place, seen.since(lost)),
            Self::Window { within, .. } => memory.put_off_window(place, *within, seen.since(lost)),
            // What happened before happened when it did; how often it happened meanwhile is not known.
            Self::Count { .. } => memory.counts_again(place, seen),
            _ => {}
        }
        for (number, part) in self.parts().iter().enumerate() {
            part.resume(pause, memory, &inside(place, number));
        }
    }
}
