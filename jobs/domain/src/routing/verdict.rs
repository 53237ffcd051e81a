//! Whether something is told to somebody on a channel: now, later, or not at all.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    preferences::{INBOX, Preferences, Way},
    silence::{Silence, Subject},
};
use crate::Timestamp;

/// How soon what an alarm mutes is looked at again.
const MUTED_FOR: Duration = Duration::from_mins(1);
/// How many windows may follow one another before it is looked at again.
const MOST_WINDOWS: usize = 100;

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is told.
    Tell,
    /// It is held, and looked at again then.
    Hold {
        /// When.
        until: Timestamp,
        /// What holds it.
        why: Why,
    },
    /// They do not want to be told.
    Drop,
}

/// What holds a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A silence, or a maintenance window.
    Silence,
    /// The person put it off: it was told before.
    Snooze,
    /// Another alarm, that says why.
    Inhibition,
    /// The person's quiet hours.
    QuietHours,
    /// It waits for the person's digest.
    Digest,
    /// Their address was told as much that day as it may be.
    Limit,
    /// What was held before is not told yet.
    Order,
    /// They did not see it when it began.
    Bound,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silence => "a silence",
            Self::Snooze => "a snooze",
            Self::Inhibition => "another alarm",
            Self::QuietHours => "quiet hours",
            Self::Digest => "the daily digest",
            Self::Limit => "the daily limit",
            Self::Order => "what was held before",
            Self::Bound => "not being theirs to see",
        })
    }
}

/// What is known when it is decided.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The silences that are the person's, or everybody's.
    pub silences: &'a [&'a Silence],
    /// Whether an alarm that stands mutes it.
    pub is_muted: bool,
    /// What the person chose; none where nobody in particular is told.
    pub preferences: Option<&'a Preferences>,
    /// The channels that they have an address for.
    pub reachable: &'a [&'a str],
    /// When it was to be told first.
    pub first: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// What becomes of a change on a channel. Asked again with the same `first`, what waits for a digest goes when that is due,
/// and everything else when nothing holds it at that moment.
pub fn decide(moment: &Moment<'_>, subject: &Subject<'_>, is_end: bool, channel: &str) -> Verdict {
    let chosen = moment.preferences.map(|chosen| (chosen, chosen.way(subject, is_end, channel, moment.reachable)));
    let digest = match chosen {
        Some((_, Way::Off)) => return Verdict::Drop,
        Some((chosen, Way::Digest)) => Some(chosen.zone().next(chosen.digest_at(), moment.first)),
        Some((_, Way::Now)) | None => None,
    };
    // Who reads their inbox is not disturbed by it.
    let quiet = moment
        .preferences
        .and_then(|chosen| chosen.quiet.as_ref())
        .filter(|quiet| channel != INBOX && quiet.passes.is_none_or(|passes| subject.severity < passes));
    let held_at = |at: Timestamp| {
        if let Some(silence) = moment.silences.iter().find(|silence| silence.holds(subject, at)) {
            return Some((silence.window.ends(at), Why::Silence));
        }
        if moment.is_muted && at == moment.now {
            return Some((at.plus(MUTED_FOR), Why::Inhibition));
        }
        if let Some(quiet) = quiet.filter(|quiet| quiet.calendar.covers(at)) {
            let ends = quiet.calendar.next_change(at).unwrap_or_else(|| at.plus(super::A_DAY));
            return Some((ends, Why::QuietHours));
        }
        digest.filter(|digest| at < *digest).map(|digest| (digest, Why::Digest))
    };
    let (mut until, mut held) = (moment.now, None);
    for _ in 0..MOST_WINDOWS {
        let Some((ends, why)) = held_at(until) else { break };
        held.get_or_insert(why);
        until = ends.max(until.plus(Duration::from_millis(1)));
    }
    held.map_or(Verdict::Tell, |why| Verdict::Hold { until, why })
}
