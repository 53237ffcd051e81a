//! What a condition remembers from one fact to the next.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Condition, judge::Verdict, window::Window};
use crate::{Timestamp, alarm::Severity, time::as_millis};

/// What a condition remembers, by the place of each of its parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(BTreeMap<String, Part>);

/// What one part remembers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Part {
    /// What it measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<String>,
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
    /// Since when what it counts is heard again, where it did not hear all of its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<Timestamp>,
    /// How many misses in a row were nobody's own, since nothing was known of the source.
    #[serde(skip_serializing_if = "is_none")]
    explained: u32,
    /// When the latest of them were, and how many it were then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explained_at: Vec<(Timestamp, u32)>,
}

/// Of so many explained misses it is remembered when they were: who hears late that the way was there again judges those anew.
const MOST_EXPLAINED: usize = 8;

/// What a part was when it was last spoken of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    abnormal: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    words: String,
    /// Whether it is no longer known: it says nothing then but from which side a value comes back into a deadband.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    past: bool,
}

/// A value, and since when it is that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Last {
    pub(super) value: String,
    pub(super) since: Timestamp,
    /// When it was read again; now and then is enough, for each time is a write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Timestamp>,
    /// How long after the time before.
    #[serde(rename = "pace_ms", with = "as_millis", default, skip_serializing_if = "Duration::is_zero")]
    pace: Duration,
}

/// Of the time after which a value is stuck, it is remembered so often that it was read.
const LOOKS: u32 = 8;

impl Last {
    fn new(value: String, since: Timestamp) -> Self {
        Self { value, since, seen: None, pace: Duration::ZERO }
    }

    fn seen(&self) -> Timestamp {
        self.seen.unwrap_or(self.since)
    }

    /// The same value, read again. Where it was not read for longer than it takes to be stuck, and that is not how it is asked for, nobody
    /// knows what it was meanwhile, and its time begins anew; not that of one that was stuck by then.
    fn again(self, at: Timestamp, after: Duration) -> Self {
        // It was stored before that was remembered.
        if self.seen.is_none() && self.pace.is_zero() {
            return Self { seen: Some(at), ..self };
        }
        let (seen, pace) = (self.seen(), at.since(self.seen()));
        let was_stuck = seen.since(self.since) >= after;
        let begins_to_be = !was_stuck && at.since(self.since) >= after;
        // It was not read for long, once: that is not how it is asked for.
        let is_asked_oftener = self.pace > after && self.pace > pace * 2;
        if !was_stuck && pace > after && pace > self.pace * 2 {
            Self { since: at, seen: None, pace, ..self }
        } else if pace >= after / LOOKS || begins_to_be || is_asked_oftener {
            Self { seen: Some(at), pace, ..self }
        } else {
            self
        }
    }
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
        self.0.values_mut().for_each(Part::forget_known);
        self.0.retain(|_, part| !part.is_empty());
    }

    /// Keeps what was measured as this condition measures it, and nothing that was known by another.
    pub(in crate::alarm) fn keep_measured_by(&mut self, condition: &Condition) {
        self.0.values_mut().for_each(|part| part.known = None);
        self.0.retain(|place, part| part.of.is_some() && part.of == condition.measured_at("", place));
    }

    /// What the part at `place` measures, once there is something.
    pub(super) fn is_of(&mut self, place: &str, condition: &Condition) {
        if let Some(part) = self.0.get_mut(place).filter(|part| part.of.is_none()) {
            part.of = condition.measured();
        }
    }

    /// What is known of the part at `place`.
    pub(super) fn known(&self, place: &str) -> Verdict {
        match self.0.get(place).and_then(|part| part.known.clone()) {
            None | Some(Known { past: true, .. }) => Verdict::Silent,
            Some(Known { abnormal: true, severity, words, .. }) => Verdict::Abnormal { severity, words },
            Some(Known { words, .. }) => Verdict::Normal(words),
        }
    }

    /// Whether the part at `place` was abnormal when it was last known: what came back only into its deadband is so still.
    pub(super) fn was_abnormal(&self, place: &str) -> bool {
        self.0.get(place).and_then(|part| part.known.as_ref()).is_some_and(|known| known.abnormal)
    }

    /// How much that mattered, where it said so.
    pub(super) fn mattered(&self, place: &str) -> Option<Severity> {
        self.0.get(place)?.known.as_ref()?.severity
    }

    /// Remembers how much it matters what is past a level, and nothing where nothing is.
    pub(super) fn reaches(&mut self, place: &str, severity: Option<Severity>) {
        match severity {
            Some(_) => self.know(place, &Verdict::Abnormal { severity, words: String::new() }),
            None => self.forget(place),
        }
    }

    /// Forgets all of the part at `place`.
    pub(super) fn forget(&mut self, place: &str) {
        self.0.remove(place);
    }

    /// Remembers what the part at `place` is. The words stay those of the fact that it became so by, lest the memory changes
    /// with every reading.
    pub(super) fn know(&mut self, place: &str, verdict: &Verdict) {
        let known = match verdict {
            Verdict::Abnormal { severity, words } => {
                Known { abnormal: true, severity: *severity, words: words.clone(), past: false }
            }
            Verdict::Normal(words) => Known { abnormal: false, severity: None, words: words.clone(), past: false },
            Verdict::Silent => return,
            Verdict::Unknown => {
                if let Some(part) = self.0.get_mut(place) {
                    part.forget_known();
                }
                return;
            }
        };
        let part = self.part(place);
        let is_same =
            |before: &Known| !before.past && before.abnormal == known.abnormal && before.severity == known.severity;
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
        self.part(place).last = Some(Last::new(value, since));
    }

    /// Since when the value of the part at `place`, which is stuck when it stays so for so long, is what was read now.
    pub(super) fn same_since(
        &mut self,
        place: &str,
        value: String,
        at: Timestamp,
        after: Duration,
    ) -> Option<Timestamp> {
        let last = &mut self.part(place).last;
        let (known, is_same) = match last.take() {
            Some(known) if known.value == value => (known.again(at, after), true),
            Some(before) => (Last { pace: at.since(before.seen()), ..Last::new(value, at) }, false),
            None => (Last { seen: Some(at), ..Last::new(value, at) }, false),
        };
        Some(last.insert(known).since).filter(|_| is_same)
    }

    /// Forgets that value: the next one is the first.
    pub(super) fn forget_last(&mut self, place: &str) {
        if let Some(part) = self.0.get_mut(place) {
            part.last = None;
        }
    }

    /// The value has been the same for so much less.
    pub(super) fn put_off_last(&mut self, place: &str, by: Duration) {
        if let Some(last) = self.0.get_mut(place).and_then(|part| part.last.as_mut()) {
            last.since = last.since.plus(by);
            last.seen = last.seen.map(|seen| seen.plus(by));
        }
    }

    /// The same of the values of a window.
    pub(super) fn put_off_window(&mut self, place: &str, within: Duration, by: Duration) {
        if let Some(window) = self.0.get_mut(place).and_then(|part| part.window.as_mut()) {
            window.put_off(within, by);
        }
    }

    /// What is counted at `place` is heard again from here on.
    pub(super) fn counts_again(&mut self, place: &str, at: Timestamp) {
        self.part(place).again = Some(at);
    }

    /// Whether all of the last time was heard.
    pub(super) fn heard_all(&mut self, place: &str, at: Timestamp, within: Duration) -> bool {
        let Some(part) = self.0.get_mut(place) else { return true };
        part.again = part.again.filter(|again| at.since(*again) < within);
        part.again.is_none()
    }

    /// How many of so many misses in a row are the source's own. Those that were heard while nothing was known of it are not.
    pub(super) fn own_misses(&mut self, place: &str, count: u32, at: Timestamp, is_unknown: bool) -> u32 {
        let explained = self.0.get(place).map_or(0, |part| part.explained);
        // A count that is less than before is another row.
        let explained = if is_unknown {
            count
        } else if count < explained {
            0
        } else {
            explained
        };
        self.explain_misses(place, explained);
        if is_unknown && explained > 0 {
            let marks = &mut self.part(place).explained_at;
            marks.drain(..(marks.len() + 1).saturating_sub(MOST_EXPLAINED));
            marks.push((at, count));
        }
        count - explained
    }

    /// The way to the source was there again at that instant: misses since then are its own.
    pub(super) fn explain_misses_until(&mut self, place: &str, seen: Timestamp) {
        let Some(part) = self.0.get_mut(place) else { return };
        let first_own = part.explained_at.iter().find(|(at, _)| *at > seen).map(|(_, count)| count - 1);
        part.explained_at.clear();
        if let Some(explained) = first_own {
            self.explain_misses(place, explained);
        }
    }

    /// So many misses in a row are not the source's own.
    pub(super) fn explain_misses(&mut self, place: &str, explained: u32) {
        if explained > 0 {
            self.part(place).explained = explained;
        } else if let Some(part) = self.0.get_mut(place) {
            part.explained = 0;
            part.explained_at.clear();
            self.0.retain(|_, part| !part.is_empty());
        }
    }

    /// Something was heard, or the way to the source is there again: the silence of the part at `place` begins.
    pub(super) fn hears(&mut self, place: &str, at: Timestamp, after: Duration) {
        self.set_last(place, String::new(), at);
        self.set_due(place, Some(at.plus(after)));
    }

    /// A silence that is waited for is too long after that: it may have been another time when it began.
    pub(super) fn is_missed_after(&mut self, place: &str, after: Duration) {
        let Some(part) = self.0.get_mut(place) else { return };
        if let (Some(_), Some(last)) = (part.due, &part.last) {
            part.due = Some(last.since.plus(after));
        }
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

impl Part {
    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        *self == Self { of: self.of.clone(), ..Self::default() }
    }

    /// What was normal leaves nothing behind.
    fn forget_known(&mut self) {
        self.known = self.known.take().filter(|known| known.abnormal).map(|known| Known { past: true, ..known });
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_none(count: &u32) -> bool {
    *count == 0
}
