//! The namespace of the browsers.

mod channel;
mod live;

use std::sync::Arc;

use channel::Channel;
use jobs::ports::{Audience, Push};
pub(crate) use live::Live;
use records::{
    TableError,
    users::{self, Role, User},
};
use serde::Serialize;
use serde_json::{Value, json};
use socketioxide::{BroadcastError, SocketIo, extract::SocketRef};

use crate::{
    browsers::{BrowserDoor, DoorParts},
    counters::Present,
    opening::until_open,
    said::Said,
    viewers::Viewer,
    wire::Wires,
};

const NAMESPACE: &str = "/web";

/// The events that are a person's own.
const OWN: [&str; 4] = ["alarm", "info", "message", "notification"];

/// Where browsers come in.
pub(crate) struct WebDoor(pub DoorParts);

/// Why a subscription was not taken.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum NoSubscription {
    #[error("sign in first")]
    NotSignedIn,
    #[error("there is no such event")]
    NoSuchEvent,
    #[error("you may not see this terminal")]
    NotYours,
    #[error("only administrators hear of every terminal")]
    AdminsOnly,
    #[error("this cannot be checked now, try again later")]
    StoreAway,
}

impl BrowserDoor for WebDoor {
    const NAMESPACE: &str = NAMESPACE;

    fn io(&self) -> &SocketIo {
        &self.0.io
    }

    fn wires(&self) -> &Wires {
        &self.0.wires
    }

    async fn identify(self: Arc<Self>, socket: &SocketRef, auth: Option<&Value>) {
        self.0.viewers.identify(socket, auth).await;
        socket.extensions.insert(Arc::new(Present::new(&self.0.counters, |counters| &counters.browser_connections)));
        socket.on_fallback(move |socket: SocketRef, said: Said| {
            let door = Arc::clone(&self);
            async move { door.hear(&socket, &said).await }
        });
    }
}

impl WebDoor {
    async fn hear(&self, socket: &SocketRef, said: &Said) {
        let argument = said.arguments.first().unwrap_or(&Value::Null);
        match (said.name.as_str(), field(argument, "event")) {
            ("register", _) => self.register(socket, field(argument, "user")),
            ("subscribe", Some(event)) => {
                if let Err(why) = self.subscribe(socket, event).await {
                    self.refuse(socket, event, why);
                }
            }
            ("unSubscribe", Some(event)) => {
                if let (Some(viewer), Some(channel)) = (socket.extensions.get::<Viewer>(), Channel::of(event)) {
                    socket.leave(channel.room(event, &viewer.user.user));
                }
            }
            ("disConnect", _) => socket.leave_all(),
            _ => self.0.counters.browser_events_strange.up(),
        }
    }

    /// Says hello to who is signed in, if that is who the page thinks it is.
    fn register(&self, socket: &SocketRef, claimed: Option<&str>) {
        match socket.extensions.get::<Viewer>() {
            Some(viewer) if claimed == Some(viewer.user.user.as_str()) => {
                // What is a person's own reaches every page of theirs, subscribed or not.
                for event in OWN {
                    socket.join(Channel::Own.room(event, &viewer.user.user));
                }
                send(socket, "registerSuccess", &format!("hello,{}", viewer.user.user));
            }
            _ => self.refuse(socket, "register", NoSubscription::NotSignedIn),
        }
    }

    async fn subscribe(&self, socket: &SocketRef, event: &str) -> Result<(), NoSubscription> {
        let viewer = socket.extensions.get::<Viewer>().ok_or(NoSubscription::NotSignedIn)?;
        let channel = Channel::of(event).ok_or(NoSubscription::NoSuchEvent)?;
        match self.may_hear(&viewer.user, &channel).await {
            Ok(true) => {
                socket.join(channel.room(event, &viewer.user.user));
                Ok(())
            }
            Ok(false) if channel == Channel::AnyTerminal => Err(NoSubscription::AdminsOnly),
            Ok(false) => Err(NoSubscription::NotYours),
            Err(_) => Err(NoSubscription::StoreAway),
        }
    }

    async fn may_hear(&self, user: &User, channel: &Channel) -> Result<bool, TableError> {
        match channel {
            Channel::Terminal(mac) => users::may_see(self.0.viewers.table.as_ref(), user, mac).await,
            Channel::AnyTerminal => Ok(user.role == Role::Admin),
            Channel::Own => Ok(true),
        }
    }

    fn refuse(&self, socket: &SocketRef, event: &str, why: NoSubscription) {
        self.0.counters.subscriptions_refused.up();
        let event: String = event.chars().take(80).collect();
        tracing::debug!(connection.id = %socket.id, event.name = event, %why, "a browser was refused an event");
        send(socket, "error", &json!({ "event": event, "message": why.to_string() }));
    }

    /// Shows pushes to the browsers that subscribed to them.
    pub(crate) async fn publish(&self, pushes: &[Push]) {
        for push in pushes {
            match &push.audience {
                Audience::User(user) => {
                    self.emit(Channel::Own.room(&push.event, user), &push.event, &push.data).await;
                }
                Audience::Terminal(_) => {
                    self.emit(push.event.clone(), &push.event, &push.data).await;
                    if push.event.starts_with("MacUpdate") {
                        self.emit("MacUpdate".to_owned(), "MacUpdate", &push.data).await;
                    }
                }
            }
        }
    }

    async fn emit(&self, room: String, event: &str, data: &Value) {
        let Some(web) = self.0.io.of(NAMESPACE) else { return };
        let browsers = web.within(room);
        let listeners = browsers.clone().sockets().len();
        if listeners == 0 {
            return;
        }
        let missed = match browsers.emit(event, data).await {
            Ok(()) => 0,
            Err(BroadcastError::Socket(errors)) => errors.len(),
            Err(_) => listeners,
        };
        self.0.counters.pushes_sent.add(listeners.saturating_sub(missed));
        self.0.counters.pushes_dropped.add(missed);
    }

    /// Looks again at who may hear what: tokens run out, users go, terminals are unbound.
    pub(crate) async fn look_again(&self) {
        for socket in self.sockets() {
            let Some(viewer) = socket.extensions.get::<Viewer>() else { continue };
            match self.0.viewers.user_of(&viewer.token).await {
                Ok(Some(user)) => self.look_again_at(&socket, user, viewer.token).await,
                Ok(None) => self.0.wires.cut(&socket),
                // Nothing is known to have changed.
                Err(_) => {}
            }
        }
    }

    async fn look_again_at(&self, socket: &SocketRef, user: User, token: Arc<str>) {
        for room in socket.rooms() {
            let Some(channel) = Channel::of(&room) else { continue };
            if let Ok(false) = self.may_hear(&user, &channel).await {
                socket.leave(room.clone());
                self.refuse(socket, &room, NoSubscription::NotYours);
            }
        }
        socket.extensions.insert(Viewer { user: Arc::new(user), token });
    }
}

/// `{<name>: text}`, or the text itself.
fn field<'a>(argument: &'a Value, name: &str) -> Option<&'a str> {
    argument.get(name).unwrap_or(argument).as_str()
}

/// Answers one browser; one that is too slow does without. What answers its first word may have to wait until it is open.
fn send(socket: &SocketRef, event: &'static str, data: &impl Serialize) {
    if socket.connected() {
        let _ = socket.emit(event, data);
        return;
    }
    let Ok(data) = serde_json::to_value(data) else { return };
    let socket = socket.clone();
    tokio::spawn(async move {
        if until_open(&socket).await {
            let _ = socket.emit(event, &data);
        }
    });
}
