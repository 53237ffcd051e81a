//! One thing that is needed: well, away, or away for so long that it is told of. Each time is told of once, and its end once.

use std::time::Duration;

use domain::{Need, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::samples::Sample;

/// One time that something is away, and is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// What needs what.
    pub need: Need,
    /// Since when.
    pub since: Timestamp,
    /// What was seen.
    pub why: String,
}

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is away.
    Away(Outage),
    /// It is back.
    Back(Outage),
}

/// Looks after one thing.
pub(crate) struct Watch {
    pub need: Need,
    state: State,
}

enum State {
    Well,
    /// Not for long enough to tell, so far.
    Away {
        since: Timestamp,
        began: Instant,
    },
    Told(Outage),
}

impl Watch {
    /// With what an earlier process told of, if it told nothing of its end.
    pub(crate) fn new(need: Need, told: Option<Outage>) -> Self {
        Self { need, state: told.map_or(State::Well, State::Told) }
    }

    /// Whether it was away when it was looked at last.
    pub(crate) fn is_away(&self) -> bool {
        !matches!(self.state, State::Well)
    }

    /// What is told of, and has not ended.
    pub(crate) fn told(&self) -> Option<&Outage> {
        match &self.state {
            State::Told(outage) => Some(outage),
            State::Well | State::Away { .. } => None,
        }
    }

    /// What is to be told, given what was seen last. It was away for so long when it was seen to be away that long after it was
    /// seen so first, and never well in between.
    pub(crate) fn look(&mut self, seen: Sample, delay: Duration, now: impl FnOnce() -> Timestamp) -> Option<Turn> {
        let Some(why) = seen.away else {
            return match std::mem::replace(&mut self.state, State::Well) {
                State::Told(outage) => Some(Turn::Back(outage)),
                State::Well | State::Away { .. } => None,
            };
        };
        let (since, began) = match &self.state {
            State::Well => (now(), seen.at),
            State::Away { since, began } => (*since, *began),
            State::Told(_) => return None,
        };
        if seen.at.duration_since(began) < delay {
            self.state = State::Away { since, began };
            return None;
        }
        let outage = Outage { need: self.need.clone(), since, why };
        self.state = State::Told(outage.clone());
        Some(Turn::Away(outage))
    }
}
