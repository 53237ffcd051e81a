//! Both doors of the browsers: `/web`, as earlier pages know it, and `/live`.

mod door;

use std::sync::Arc;

use jobs::ports::{Position, Push};
use socketioxide::SocketIo;

pub(crate) use door::BrowserDoor;

use crate::{channels::ChannelDoor, counters::Counters, viewers::Viewers, web::WebDoor, wire::Wires};

/// Where browsers come in.
pub(crate) struct Browsers {
    web: Arc<WebDoor>,
    channels: Arc<ChannelDoor>,
}

/// What the doors of browsers share.
#[derive(Clone)]
pub(crate) struct DoorParts {
    pub(crate) io: SocketIo,
    pub(crate) viewers: Arc<Viewers>,
    pub(crate) wires: Wires,
    pub(crate) counters: Arc<Counters>,
}

impl Browsers {
    /// Opens both, for the broker of that name. `is_told_the_past`: the link will tell of what was published before.
    pub(crate) fn open(parts: &DoorParts, broker: &str, is_told_the_past: bool) -> Arc<Self> {
        let web = Arc::new(WebDoor(parts.clone()));
        web.open();
        let channels = ChannelDoor::new(parts.clone(), broker, is_told_the_past);
        channels.open();
        Arc::new(Self { web, channels })
    }

    /// Breaks every connection: browsers come back by themselves.
    pub(crate) fn close(&self) {
        self.web.close();
        self.channels.close();
    }

    /// Shows pushes to those who want them and may see them.
    pub(crate) async fn publish(&self, pushes: &[Push], position: Option<Position>) {
        self.channels.publish(pushes, position);
        self.web.publish(pushes).await;
    }

    /// Keeps what was published before this broker was there.
    pub(crate) fn remember(&self, pushes: &[Push], position: Position) {
        self.channels.remember(pushes, position);
    }

    /// Does what is to be done each second.
    pub(crate) fn tidy(&self) {
        self.channels.tidy();
    }

    /// Looks again at who may hear what: tokens run out, users go, terminals are unbound.
    pub(crate) async fn look_again(&self) {
        self.web.look_again().await;
        self.channels.look_again().await;
    }
}
