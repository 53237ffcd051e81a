//! Where pushes and listeners meet. Whatever happens here happens at once: so a listener gets what it missed, then what
//! comes, in order and each once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jobs::ports::{Clock, Position, Push};
use serde::Serialize;
use serde_json::value::RawValue;
use socketioxide::socket::Sid;

use super::{
    channel::Channel,
    envelope,
    listeners::{Ear, Listeners, Taken},
    window::{Fit, Place, Window},
};
use crate::counters::Counters;

/// The most channels that a connection may hear.
pub(super) const MOST_CHANNELS: usize = 2000;
/// The most envelopes that are said again in one channel: who missed more is better off with a snapshot.
const MOST_MISSED: usize = 1000;

/// Where a subscription begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Beginning {
    pub seq: u64,
    pub epoch: String,
}

/// Why a channel is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotHeard {
    #[error("sign in first")]
    NotSignedIn,
    #[error("there is no such channel")]
    NoSuchChannel,
    #[error("you may not see this terminal")]
    NotYours,
    #[error("this cannot be checked now, try again later")]
    TryLater,
    #[error("these are more channels than one connection may hear")]
    TooMany,
    #[error("too much waits for this connection")]
    TooSlow,
}

impl NotHeard {
    /// As programs know it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NotSignedIn => "not_signed_in",
            Self::NoSuchChannel => "no_such_channel",
            Self::NotYours => "not_yours",
            Self::TryLater => "try_later",
            Self::TooMany => "too_many",
            Self::TooSlow => "too_slow",
        }
    }
}

/// The channels of a broker.
pub(super) struct Hub<E> {
    state: Mutex<State<E>>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

struct State<E> {
    window: Window,
    listeners: Listeners<E>,
}

impl<E: Ear> Hub<E> {
    /// One that counts for itself, in this epoch, until it is told of positions.
    pub(super) fn new(epoch: &str, clock: Arc<dyn Clock>, counters: Arc<Counters>) -> Self {
        let state = State { window: Window::new(epoch), listeners: Listeners::default() };
        Self { state: Mutex::new(state), clock, counters }
    }

    /// Keeps what was published, and gives it to those who hear it.
    pub(super) fn publish(&self, pushes: &[Push], position: Option<Position>) {
        let now = self.clock.now();
        let State { window, listeners } = &mut *self.state();
        let position = position.unwrap_or_else(|| window.next());
        if window.arrive(&position) == Fit::Gap {
            listeners.all_are_behind(window.head());
        }
        for (seq, push) in (position.first..).zip(pushes) {
            // What was told before is known by its number.
            if seq <= window.head().seq {
                continue;
            }
            let (channel, place) = (Channel::of(push), Place { seq, epoch: &position.epoch });
            let envelope = envelope::of_push(&channel, push, position.at.unwrap_or(now), place).map(Arc::from);
            window.keep(seq, now, &channel, envelope.as_ref());
            if let Some(envelope) = envelope {
                listeners.tell(&channel, place, &envelope, &self.counters);
            }
        }
    }

    /// Lets a connection hear a channel: from now on, or from where it was before. What it missed it gets at once.
    pub(super) fn subscribe(
        &self,
        connection: Sid,
        ear: E,
        channel: &Channel,
        from: Option<Place<'_>>,
    ) -> Result<Beginning, NotHeard> {
        let State { window, listeners } = &mut *self.state();
        if !listeners.has_room_for(connection, channel, MOST_CHANNELS) {
            return Err(NotHeard::TooMany);
        }
        let head = window.head();
        let begins = match from {
            None => Some(head),
            Some(place) => bring_up(window, &ear, channel, place),
        };
        let Some(Place { seq, epoch }) = begins else {
            listeners.remove(connection, channel);
            self.counters.pushes_dropped.up();
            return Err(NotHeard::TooSlow);
        };
        listeners.add(connection, ear, channel.clone(), seq.max(head.seq));
        Ok(Beginning { seq, epoch: epoch.to_owned() })
    }

    /// The connection hears the channel no more.
    pub(super) fn unsubscribe(&self, connection: Sid, channel: &Channel) {
        self.state().listeners.remove(connection, channel);
    }

    /// The connection is no more.
    pub(super) fn forget(&self, connection: Sid) {
        self.state().listeners.forget(connection);
    }

    /// What the connection hears.
    pub(super) fn channels_of(&self, connection: Sid) -> Vec<Channel> {
        self.state().listeners.channels_of(connection)
    }

    /// Lets go of what is old, and tells those who could not take something that they are behind.
    pub(super) fn tidy(&self) {
        let State { window, listeners } = &mut *self.state();
        window.tidy(self.clock.now());
        listeners.tell_gaps(window.head());
    }

    fn state(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says again what came after that place, or that there is a gap. Where the subscription begins then; none when the
/// connection could not take it.
fn bring_up<'a>(window: &'a Window, ear: &impl Ear, channel: &Channel, place: Place<'a>) -> Option<Place<'a>> {
    let missed: Option<Vec<&RawValue>> =
        window.since(channel, place).map(|later| later.take(MOST_MISSED + 1).collect());
    match missed.filter(|missed| missed.len() <= MOST_MISSED) {
        Some(missed) => missed.into_iter().all(|envelope| ear.take(envelope) == Taken::Yes).then_some(place),
        None => (ear.take(&envelope::gap(channel, window.head())?) == Taken::Yes).then(|| window.head()),
    }
}
