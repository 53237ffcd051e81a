//! When a letter that was not taken is tried again.

use std::time::Duration;

use domain::Timestamp;
use records::notices::{Notice, channel};

const SECOND: Duration = Duration::from_secs(1);

/// How long after each failed attempt a webhook is tried again. After the last it is given up.
const WEBHOOK_PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(10),
];

/// So many hundredths may the dice add to a webhook's pause, so that those which failed together do not come back together.
const JITTER: u64 = 20;

/// The longest pause of a channel that the operator runs, and for how long it is tried.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
const PATIENCE: Duration = Duration::from_hours(10);

/// Whoever asks for a pause is tried as they say; so many such pauses count as one failure without.
const ASKED_AS_THEY_SAY: usize = 8;

/// No receiver is waited for longer than this.
const LONGEST_ASKED: Duration = Duration::from_hours(10);

/// How a channel is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Somebody's own receiver, which may be away for a day: seldom, and for long.
    Webhook,
    /// A server that the operator looks after: often.
    Operators,
}

impl Pace {
    pub(super) fn of(notice: &Notice) -> Self {
        let is_webhook = notice.channel == channel::WEBHOOK || channel::endpoint_of(&notice.channel).is_some();
        if is_webhook { Self::Webhook } else { Self::Operators }
    }

    /// When to try again after an attempt at `at` that the notice does not tell of yet; `asked`: the pause that the other side
    /// asked for. None when it is to be given up.
    pub(super) fn next(self, notice: &Notice, asked: Option<Duration>, at: Timestamp, roll: u64) -> Option<Timestamp> {
        let asked = asked.map(|asked| asked.min(LONGEST_ASKED));
        let failed = notice.tries();
        let pause = match self {
            Self::Webhook => {
                let pause = *WEBHOOK_PAUSES.get(failed)?;
                up_to(pause, JITTER, roll).max(asked.unwrap_or_default())
            }
            Self::Operators if at.since(notice.tried_since()) > PATIENCE => return None,
            // Who asks for a little each time, for hours, is asked less and less often.
            Self::Operators => asked
                .map_or_else(|| doubled(failed, roll), |asked| asked.max(doubled(failed / ASKED_AS_THEY_SAY, roll))),
        };
        Some(at.plus(pause))
    }
}

/// A second, doubled with every failure before, of which the dice take up to half away.
fn doubled(failed: usize, roll: u64) -> Duration {
    let factor = u32::try_from(failed).ok().and_then(|failed| 1_u32.checked_shl(failed)).unwrap_or(u32::MAX);
    up_to(SECOND.saturating_mul(factor).min(LONGEST_PAUSE) / 2, 100, roll)
}

/// A pause, and up to so many hundredths of it more.
fn up_to(pause: Duration, hundredths: u64, roll: u64) -> Duration {
    let most = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX).saturating_mul(hundredths) / 100;
    pause + Duration::from_millis(roll % most.saturating_add(1))
}

#[cfg(test)]
mod tests;
