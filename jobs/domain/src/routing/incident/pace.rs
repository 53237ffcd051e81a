//! How fast an incident is told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::News;
use crate::{Timestamp, alarm::Severity};

/// Something for each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BySeverity<T> {
    /// For critical alarms.
    pub critical: T,
    /// For warnings.
    pub warning: T,
    /// For what is good to know.
    pub info: T,
}

impl<T: Copy> BySeverity<T> {
    /// That of a severity.
    pub fn of(&self, severity: Severity) -> T {
        match severity {
            Severity::Critical => self.critical,
            Severity::Warning => self.warning,
            Severity::Info => self.info,
        }
    }
}

/// What becomes of an alarm that is over before it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BriefAlarms {
    /// A critical one is told, all others are counted.
    #[default]
    TellCritical,
    /// It is told, with its end.
    Tell,
    /// It is counted.
    Drop,
}

/// How fast an incident is told, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pace {
    /// How long it gathers before it is told.
    pub wait: BySeverity<Duration>,
    /// How long after a notice the next one tells what changed; twice as long for a condition that was raised twice, or came to
    /// matter more or less, and so on.
    pub interval: BySeverity<Duration>,
    /// How long after a notice it is told again while nobody takes it on; never when none.
    pub repeat: BySeverity<Option<Duration>>,
    /// For how long after its end what comes is of the same incident.
    pub reopen: Duration,
    /// What becomes of an alarm that is over before it was told.
    pub brief: BriefAlarms,
    /// How long the word of who takes an alarm on holds; for good when none.
    pub acknowledgement: Option<Duration>,
    /// When the steps of an escalation are taken, counted from when nobody takes it on; not escalated when empty: then the
    /// audience hears by itself.
    pub steps: Vec<Duration>,
    /// The least severity that is escalated.
    pub least: Option<Severity>,
}

/// However often a condition flaps, what changes is told after so long.
const MOST_INTERVAL: Duration = Duration::from_hours(1);

/// However often a critical alarm came and went, it is told when it stands for so long.
pub(super) const STAYS: Duration = Duration::from_mins(10);

impl Pace {
    /// Whether the audience hears in steps.
    pub(super) fn escalates(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Whether an alarm of that severity is to be escalated.
    pub(super) fn concerns(&self, severity: Severity) -> bool {
        self.least.is_none_or(|least| severity >= least)
    }

    /// How long after a notice a condition's change is told that was raised so often.
    pub(super) fn interval(&self, severity: Severity, raises: u32) -> Duration {
        let factor = 1_u32 << raises.saturating_sub(1).min(16);
        let interval = self.interval.of(severity);
        interval.saturating_mul(factor).min(MOST_INTERVAL.max(interval))
    }

    /// After so long without a change a condition is told as soon as one that was never raised: it would have been told by then.
    pub(super) fn pause(&self) -> Duration {
        let BySeverity { critical, warning, info } = self.interval;
        MOST_INTERVAL.max(critical).max(warning).max(info)
    }

    /// Whether an alarm of that severity that came and went within a window of this length is not told.
    pub(super) fn drops(&self, severity: Severity, window: Duration) -> bool {
        let is_unworthy = match self.brief {
            BriefAlarms::Tell => false,
            BriefAlarms::TellCritical => severity < Severity::Critical,
            BriefAlarms::Drop => true,
        };
        is_unworthy && !window.is_zero()
    }

    /// Until when a word given at that instant holds; none when for good.
    pub(super) fn holds_until(&self, acknowledged: Timestamp) -> Option<Timestamp> {
        self.acknowledgement.map(|lasts| acknowledged.plus(lasts))
    }
}

impl News {
    /// The condition that it is of.
    pub(super) fn condition(&self) -> String {
        format!("{} {}", self.source, self.change.rule)
    }
}
