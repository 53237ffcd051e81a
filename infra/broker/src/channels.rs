//! The live channels: the namespace `/live`, where what is pushed has a place in an order, so that a client that was away
//! gets what it missed, or is told that it missed something. How a client speaks is in docs/WIRE.md, 8.

mod channel;
mod envelope;
mod hub;
mod listeners;
#[cfg(test)]
mod tests;
mod window;
mod words;

use std::{future::ready, sync::Arc, time::Duration};

use channel::Channel;
use hub::{Beginning, Hub, MOST_CHANNELS, NotHeard};
use jobs::ports::{Position, Push};
use listeners::{Ear, Taken};
use records::{
    TableError,
    users::{self, User},
};
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
};
use tokio::{sync::watch, time::timeout};
use words::{Acknowledgement, Answer, Request, Wanted};

use crate::{
    browsers::{BrowserDoor, DoorParts},
    counters::{Counters, Present},
    opening::until_open,
    said::Said,
    viewers::{Viewer, Viewers},
    wire::Wires,
};

/// How long a client waits for a broker that just started to be told of the past.
const PAST_WITHIN: Duration = Duration::from_secs(5);

/// Where clients of the live channels come in.
pub(crate) struct ChannelDoor {
    io: SocketIo,
    viewers: Arc<Viewers>,
    wires: Wires,
    counters: Arc<Counters>,
    hub: Hub<SocketRef>,
    /// Whether what was published before is known.
    past_is_told: watch::Sender<bool>,
}

impl BrowserDoor for ChannelDoor {
    const NAMESPACE: &str = "/live";

    fn io(&self) -> &SocketIo {
        &self.io
    }

    fn wires(&self) -> &Wires {
        &self.wires
    }

    async fn identify(self: Arc<Self>, socket: &SocketRef, auth: Option<&Value>) {
        self.viewers.identify(socket, auth).await;
        socket.extensions.insert(Arc::new(Present::new(&self.counters, |counters| &counters.browser_connections)));
        let of_goodbyes = Arc::clone(&self);
        socket.on_disconnect(move |socket: SocketRef| {
            of_goodbyes.hub.forget(socket.id);
            ready(())
        });
        socket.on_fallback(move |socket: SocketRef, said: Said, ack: AckSender| {
            let door = Arc::clone(&self);
            async move {
                // What answers a client's first word may have to wait until it can be answered.
                if until_open(&socket).await {
                    let answer = door.hear(&socket, &said).await;
                    // Whose acknowledgement is lost asks again.
                    let _ = ack.send(&answer);
                }
            }
        });
    }
}

impl ChannelDoor {
    /// `broker` is an epoch of its own, where the link gives none.
    pub(crate) fn new(parts: DoorParts, broker: &str, is_told_the_past: bool) -> Arc<Self> {
        let DoorParts { io, viewers, wires, counters } = parts;
        let hub = Hub::new(broker, Arc::clone(&viewers.clock), Arc::clone(&counters));
        let past_is_told = watch::Sender::new(!is_told_the_past);
        Arc::new(Self { io, viewers, wires, counters, hub, past_is_told })
    }

    async fn hear(&self, socket: &SocketRef, said: &Said) -> Acknowledgement {
        let request = Request::read(said.arguments.first());
        let (Some(request), "subscribe" | "unsubscribe") = (request, said.name.as_str()) else {
            self.counters.browser_events_strange.up();
            return Acknowledgement::of_nonsense();
        };
        let mut channels = Vec::with_capacity(request.channels.len());
        for (number, wanted) in request.channels.into_iter().enumerate() {
            let became = match said.name.as_str() {
                _ if number >= MOST_CHANNELS => Err(NotHeard::TooMany),
                "subscribe" => self.subscribe(socket, &wanted).await.map(Some),
                _ => unsubscribe(&self.hub, socket, &wanted).map(|()| None),
            };
            channels.push(match became {
                Ok(begins) => Answer::yes(wanted.channel, begins),
                Err(why) => self.refuse(socket, wanted.channel, why),
            });
        }
        Acknowledgement { channels, code: None }
    }

    fn refuse(&self, socket: &SocketRef, channel: String, why: NotHeard) -> Answer {
        self.counters.subscriptions_refused.up();
        tracing::debug!(connection.id = %socket.id, %why, "a client was refused a channel");
        Answer::no(channel, why)
    }

    async fn subscribe(&self, socket: &SocketRef, wanted: &Wanted) -> Result<Beginning, NotHeard> {
        let viewer = socket.extensions.get::<Viewer>().ok_or(NotHeard::NotSignedIn)?;
        let channel = Channel::named(&wanted.channel, &viewer.user).ok_or(NotHeard::NoSuchChannel)?;
        match self.may_hear(&viewer.user, &channel).await {
            Ok(true) => {}
            Ok(false) => return Err(NotHeard::NotYours),
            Err(_) => return Err(NotHeard::TryLater),
        }
        let mut told = self.past_is_told.subscribe();
        let told = timeout(PAST_WITHIN, told.wait_for(|told| *told)).await;
        told.map_err(|_| NotHeard::TryLater)?.map_err(|_| NotHeard::TryLater)?;
        let begins = self.hub.subscribe(socket.id, socket.clone(), &channel, wanted.from())?;
        // Who left in between said goodbye before.
        if !socket.connected() {
            self.hub.forget(socket.id);
        }
        Ok(begins)
    }

    async fn may_hear(&self, user: &User, channel: &Channel) -> Result<bool, TableError> {
        match channel {
            Channel::Terminal(mac) => users::may_see(self.viewers.table.as_ref(), user, mac).await,
            Channel::Of(name) => Ok(**name == *user.user),
        }
    }

    /// Shows pushes to those who hear their channels.
    pub(crate) fn publish(&self, pushes: &[Push], position: Option<Position>) {
        self.hub.publish(pushes, position);
        self.past_is_told.send_if_modified(|told| !std::mem::replace(told, true));
    }

    /// Takes what was published before this broker was there. The last of it is nothing.
    pub(crate) fn remember(&self, pushes: &[Push], position: Position) {
        self.hub.publish(pushes, Some(position));
        if pushes.is_empty() {
            self.past_is_told.send_if_modified(|told| !std::mem::replace(told, true));
        }
    }

    /// Does what is to be done each second.
    pub(crate) fn tidy(&self) {
        self.hub.tidy();
    }

    /// Looks again at who may hear what: tokens run out, users go, terminals are unbound.
    pub(crate) async fn look_again(&self) {
        for socket in self.sockets() {
            let Some(viewer) = socket.extensions.get::<Viewer>() else { continue };
            match self.viewers.user_of(&viewer.token).await {
                Ok(Some(user)) => self.look_again_at(&socket, user, viewer.token).await,
                Ok(None) => self.wires.cut(&socket),
                // Nothing is known to have changed.
                Err(_) => {}
            }
        }
    }

    async fn look_again_at(&self, socket: &SocketRef, user: User, token: Arc<str>) {
        for channel in self.hub.channels_of(socket.id) {
            if let Ok(false) = self.may_hear(&user, &channel).await {
                self.hub.unsubscribe(socket.id, &channel);
                let ended = envelope::ended(&channel, NotHeard::NotYours.code());
                // Who cannot be told comes back, and is told then.
                if ended.is_none_or(|ended| socket.take(&ended) != Taken::Yes) {
                    self.wires.cut(socket);
                }
            }
        }
        socket.extensions.insert(Viewer { user: Arc::new(user), token });
    }
}

fn unsubscribe(hub: &Hub<SocketRef>, socket: &SocketRef, wanted: &Wanted) -> Result<(), NotHeard> {
    let viewer = socket.extensions.get::<Viewer>().ok_or(NotHeard::NotSignedIn)?;
    let channel = Channel::named(&wanted.channel, &viewer.user).ok_or(NotHeard::NoSuchChannel)?;
    hub.unsubscribe(socket.id, &channel);
    Ok(())
}
