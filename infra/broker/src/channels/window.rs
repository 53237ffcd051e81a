//! The latest envelopes of all channels, for those who were away for a moment.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use domain::Timestamp;
use jobs::ports::Position;
use serde_json::value::RawValue;

use super::channel::Channel;

/// The most envelopes that are kept, the most bytes of them, and for how long they are.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 16 * 1024 * 1024;
const LONGEST: Duration = Duration::from_mins(10);
/// What an envelope takes beside its text.
const ROOM: usize = 128;
/// Of how many channels it is known what was the last that is not kept.
const MOST_CHANNELS: usize = 100_000;

/// A place in the order of all pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub seq: u64,
    pub epoch: &'a str,
}

/// How what arrives fits to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It follows.
    Follows,
    /// Something is missing in between, in any channel.
    Gap,
}

/// What is kept.
pub(super) struct Window {
    epoch: Arc<str>,
    /// The last number that is known.
    head: u64,
    /// What has a number up to this one is not known.
    unknown: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
    /// The last number of each channel that was kept and is not any more.
    let_go: HashMap<Channel, u64>,
}

struct Kept {
    seq: u64,
    at: Timestamp,
    channel: Channel,
    envelope: Arc<RawValue>,
}

impl Window {
    /// One that knows of nothing, and counts from 1.
    pub(super) fn new(epoch: &str) -> Self {
        let (kept, let_go) = (VecDeque::new(), HashMap::new());
        Self { epoch: epoch.into(), head: 0, unknown: 0, kept, bytes: 0, let_go }
    }

    /// The last place that is known.
    pub(super) fn head(&self) -> Place<'_> {
        Place { seq: self.head, epoch: &self.epoch }
    }

    /// The position of what has none.
    pub(super) fn next(&self) -> Position {
        Position { epoch: (*self.epoch).to_owned(), after: self.head, first: self.head + 1, at: None }
    }

    /// Something was published at this position. What stands behind a number that was never seen was missed.
    pub(super) fn arrive(&mut self, position: &Position) -> Fit {
        let same = *self.epoch == *position.epoch;
        // A store that lost its last moments may go back: then nothing was missed.
        if same && position.after <= self.head {
            return Fit::Follows;
        }
        if !same {
            self.epoch = position.epoch.as_str().into();
        }
        (self.head, self.unknown) = (position.after, position.after);
        self.kept.clear();
        self.let_go.clear();
        self.bytes = 0;
        Fit::Gap
    }

    /// Keeps the next envelope. What cannot be written is skipped over.
    pub(super) fn keep(&mut self, seq: u64, at: Timestamp, channel: &Channel, envelope: Option<&Arc<RawValue>>) {
        self.head = seq;
        if let Some(envelope) = envelope {
            self.bytes += envelope.get().len() + ROOM;
            self.kept.push_back(Kept { seq, at, channel: channel.clone(), envelope: Arc::clone(envelope) });
        }
        while self.kept.len() > MOST || self.bytes > MOST_BYTES {
            self.let_go_of_oldest();
        }
    }

    /// Lets go of what is too old.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        while self.kept.front().is_some_and(|oldest| oldest.at.plus(LONGEST) < now) {
            self.let_go_of_oldest();
        }
    }

    fn let_go_of_oldest(&mut self) {
        let Some(Kept { seq, channel, envelope, .. }) = self.kept.pop_front() else { return };
        self.bytes -= envelope.get().len() + ROOM;
        self.let_go.insert(channel, seq);
        if self.let_go.len() > MOST_CHANNELS {
            self.let_go.clear();
            self.unknown = seq;
        }
    }

    /// What came in a channel after that place, in order; none when some of it is not kept.
    pub(super) fn since<'a>(
        &'a self,
        channel: &'a Channel,
        place: Place<'_>,
    ) -> Option<impl Iterator<Item = &'a RawValue>> {
        let let_go = self.let_go.get(channel).copied().unwrap_or_default();
        let is_known = *place.epoch == *self.epoch && place.seq >= self.unknown.max(let_go);
        let begin = self.kept.partition_point(|kept| kept.seq <= place.seq);
        let later = self.kept.range(begin..).filter(move |kept| kept.channel == *channel);
        is_known.then(|| later.map(|kept| &*kept.envelope))
    }
}
