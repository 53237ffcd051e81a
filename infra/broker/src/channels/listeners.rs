//! Who hears which channel.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;
use socketioxide::{SendError, SocketError, extract::SocketRef, socket::Sid};

use super::{
    channel::Channel,
    envelope::{self, LIVE},
    window::Place,
};
use crate::counters::Counters;

/// What became of an envelope that was given to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is on its way.
    Yes,
    /// Too much waits for the connection.
    Full,
    /// The connection is no more.
    Gone,
}

/// The end of a connection that envelopes are put into.
pub(super) trait Ear {
    fn take(&self, envelope: &RawValue) -> Taken;
}

impl Ear for SocketRef {
    fn take(&self, envelope: &RawValue) -> Taken {
        match self.emit(LIVE, envelope) {
            Ok(()) => Taken::Yes,
            Err(SendError::Socket(SocketError::Closed)) => Taken::Gone,
            Err(_) => Taken::Full,
        }
    }
}

/// One channel of one connection.
struct Listener<E> {
    ear: E,
    /// The last number that it needs no more.
    after: u64,
    /// It could not take something, and was not told yet.
    is_behind: bool,
}

/// All of them.
pub(super) struct Listeners<E> {
    by_channel: HashMap<Channel, HashMap<Sid, Listener<E>>>,
    by_connection: HashMap<Sid, HashSet<Channel>>,
    /// Connections with a channel that is behind.
    behind: HashSet<Sid>,
}

impl<E> Default for Listeners<E> {
    fn default() -> Self {
        Self { by_channel: HashMap::new(), by_connection: HashMap::new(), behind: HashSet::new() }
    }
}

impl<E: Ear> Listeners<E> {
    /// From now on the connection hears what comes in the channel after that number.
    pub(super) fn add(&mut self, connection: Sid, ear: E, channel: Channel, after: u64) {
        self.by_connection.entry(connection).or_default().insert(channel.clone());
        self.by_channel.entry(channel).or_default().insert(connection, Listener { ear, after, is_behind: false });
    }

    /// The connection hears the channel no more.
    pub(super) fn remove(&mut self, connection: Sid, channel: &Channel) {
        if let Some(channels) = self.by_connection.get_mut(&connection) {
            channels.remove(channel);
            if channels.is_empty() {
                self.by_connection.remove(&connection);
            }
        }
        if let Some(listeners) = self.by_channel.get_mut(channel) {
            listeners.remove(&connection);
            if listeners.is_empty() {
                self.by_channel.remove(channel);
            }
        }
    }

    /// The connection is no more.
    pub(super) fn forget(&mut self, connection: Sid) {
        for channel in self.channels_of(connection) {
            self.remove(connection, &channel);
        }
        self.behind.remove(&connection);
    }

    pub(super) fn channels_of(&self, connection: Sid) -> Vec<Channel> {
        self.by_connection.get(&connection).into_iter().flatten().cloned().collect()
    }

    /// Whether the connection may have one more channel, of `most`.
    pub(super) fn has_room_for(&self, connection: Sid, channel: &Channel, most: usize) -> bool {
        let channels = self.by_connection.get(&connection);
        channels.is_none_or(|channels| channels.len() < most || channels.contains(channel))
    }

    /// Gives an envelope to those who hear the channel and have not heard it. Who was behind hears of a gap up to here.
    pub(super) fn tell(&mut self, channel: &Channel, place: Place<'_>, envelope: &RawValue, counters: &Counters) {
        let Some(listeners) = self.by_channel.get_mut(channel) else { return };
        let mut gone = Vec::new();
        for (connection, listener) in listeners.iter_mut().filter(|(_, listener)| listener.after < place.seq) {
            let taken =
                if listener.is_behind { listener.tell_gap(channel, place) } else { listener.tell(place.seq, envelope) };
            match taken {
                Taken::Yes => counters.pushes_sent.up(),
                Taken::Full => {
                    counters.pushes_dropped.up();
                    self.behind.insert(*connection);
                }
                Taken::Gone => gone.push(*connection),
            }
        }
        for connection in gone {
            self.forget(connection);
        }
    }

    /// Everybody may have missed something up to here.
    pub(super) fn all_are_behind(&mut self, place: Place<'_>) {
        for listener in self.by_channel.values_mut().flat_map(HashMap::values_mut) {
            listener.is_behind = true;
        }
        self.behind.extend(self.by_connection.keys().copied());
        self.tell_gaps(place);
    }

    /// Tells those who are behind that they are, if they can take that by now.
    pub(super) fn tell_gaps(&mut self, place: Place<'_>) {
        for connection in std::mem::take(&mut self.behind) {
            for channel in self.channels_of(connection) {
                let listener = self.by_channel.get_mut(&channel).and_then(|them| them.get_mut(&connection));
                let Some(listener) = listener.filter(|listener| listener.is_behind) else { continue };
                match listener.tell_gap(&channel, place) {
                    Taken::Yes => {}
                    Taken::Full => {
                        self.behind.insert(connection);
                        break;
                    }
                    Taken::Gone => {
                        self.forget(connection);
                        break;
                    }
                }
            }
        }
    }
}

impl<E: Ear> Listener<E> {
    fn tell(&mut self, seq: u64, envelope: &RawValue) -> Taken {
        let taken = self.ear.take(envelope);
        match taken {
            Taken::Yes => self.after = seq,
            Taken::Full | Taken::Gone => self.is_behind = true,
        }
        taken
    }

    fn tell_gap(&mut self, channel: &Channel, place: Place<'_>) -> Taken {
        let Some(gap) = envelope::gap(channel, place) else { return Taken::Full };
        let taken = self.ear.take(&gap);
        if taken == Taken::Yes {
            (self.after, self.is_behind) = (place.seq, false);
        }
        taken
    }
}
