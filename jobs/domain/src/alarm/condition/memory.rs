//! What a condition remembers from one fact to the next.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{judge::Verdict, window::Window};
use crate::{Timestamp, alarm::Severity};

/// What a condition remembers, by the place of each of its parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(BTreeMap<String, Part>);

/// What one part remembers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<Known>,
    /// The latest instants at which it was abnormal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    times: Vec<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Last>,
    /// When its silence is too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}

/// What a part was when it was last spoken of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    abnormal: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    words: String,
}

/// A value, and since when it is that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Last {
    pub(super) value: String,
    pub(super) since: Timestamp,
}

impl Memory {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the earliest silence is too long.
    pub(in crate::alarm) fn due(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|part| part.due).min()
    }

    /// Forgets what was known, for nothing is any more; what was measured stays.
    pub(in crate::alarm) fn forget_known(&mut self) {
        self.0.values_mut().for_each(|part| part.known = None);
        self.0.retain(|_, part| *part != Part::default());
    }

    /// What is known of the part at `place`.
    pub(super) fn known(&self, place: &str) -> Verdict {
        match self.0.get(place).and_then(|part| part.known.clone()) {
            Some(Known { abnormal: true, severity, words }) => Verdict::Abnormal { severity, words },
            Some(Known { words, .. }) => Verdict::Normal(words),
            None => Verdict::Silent,
        }
    }

    /// Remembers what the part at `place` is. The words stay those of the fact that it became so by, lest the memory changes
    /// with every reading.
    pub(super) fn know(&mut self, place: &str, verdict: &Verdict) {
        let known = match verdict {
            Verdict::Abnormal { severity, words } => {
                Known { abnormal: true, severity: *severity, words: words.clone() }
            }
            Verdict::Normal(words) => Known { abnormal: false, severity: None, words: words.clone() },
            Verdict::Silent => return,
            Verdict::Unknown => {
                if let Some(part) = self.0.get_mut(place) {
                    part.known = None;
                }
                return;
            }
        };
        let part = self.part(place);
        let is_same = |before: &Known| before.abnormal == known.abnormal && before.severity == known.severity;
        if !part.known.as_ref().is_some_and(is_same) {
            part.known = Some(known);
        }
    }

    /// Counts one more, if it is one, and says how many there were in the last time, `most` at most.
    pub(super) fn count(&mut self, place: &str, at: Timestamp, within: Duration, most: usize, is_one: bool) -> usize {
        let times = &mut self.part(place).times;
        times.retain(|time| at.since(*time) < within);
        if is_one {
            times.push(at);
            let surplus = times.len().saturating_sub(most);
            times.drain(..surplus);
        }
        times.len()
    }

    /// The window of the part at `place`, with one more value in it.
    pub(super) fn window(&mut self, place: &str, at: Timestamp, within: Duration, value: f64) -> &Window {
        let window = self.part(place).window.get_or_insert_default();
        window.add(at, within, value);
        window
    }

    /// The value that the part at `place` saw before this one, and since when.
    pub(super) fn last(&self, place: &str) -> Option<&Last> {
        self.0.get(place)?.last.as_ref()
    }

    /// Remembers the value of the part at `place`.
    pub(super) fn set_last(&mut self, place: &str, value: String, since: Timestamp) {
        self.part(place).last = Some(Last { value, since });
    }

    /// When the silence of the part at `place` is too long.
    pub(super) fn silence_is_due(&self, place: &str) -> Option<Timestamp> {
        self.0.get(place)?.due
    }

    /// Sets that, or that it is over.
    pub(super) fn set_due(&mut self, place: &str, due: Option<Timestamp>) {
        self.part(place).due = due;
    }

    fn part(&mut self, place: &str) -> &mut Part {
        self.0.entry(place.to_owned()).or_default()
    }
}
