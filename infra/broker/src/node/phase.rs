//! What may be said to a node, by how far its connection has come. A transition consumes the phase before it.
//!
//! A query or a `nodeInfo` that reaches a gateway program before its first `registerSuccess` ends that program. So
//! [`SendOnly`] cannot send one, and only [`SendOnly::register`] makes a [`Registered`].

use std::sync::Arc;

use records::nodes::Node;
use serde::Serialize;
use socketioxide::{SendError, extract::SocketRef, socket::Sid};

use crate::{operations::Command, pacer::Query};

/// No arguments: the event's name alone.
const NOTHING: [(); 0] = [];

/// A connection that was let into the namespace; nobody knows yet whose it is.
pub(super) struct Connected {
    socket: SocketRef,
}

impl Connected {
    pub(super) fn new(socket: SocketRef) -> Self {
        Self { socket }
    }

    /// It is this node's.
    pub(super) fn identify(self, node: Arc<Node>) -> Identified {
        Identified { node, socket: self.socket }
    }
}

/// A connection of a node that we know.
pub(super) struct Identified {
    node: Arc<Node>,
    socket: SocketRef,
}

impl Identified {
    pub(super) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Invites it to register. A program's second socket never does: it only sends.
    pub(super) fn invite(self) -> Result<SendOnly, SendError> {
        self.socket.emit("accont", &NOTHING)?;
        Ok(SendOnly { node: self.node, socket: self.socket })
    }
}

/// A connection that has not registered.
pub(super) struct SendOnly {
    node: Arc<Node>,
    socket: SocketRef,
}

impl SendOnly {
    pub(super) fn id(&self) -> Sid {
        self.socket.id
    }

    /// It registers: it stands for the node.
    pub(super) fn register(self, program: Program) -> Registered {
        let registered = Registered { node: self.node, socket: self.socket, program };
        registered.welcome();
        registered
    }
}

/// What tells two programs at one address apart: the name of the machine each runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// As `register` tells it; empty when it does not.
    pub hostname: String,
}

/// A connection that registered: it can be addressed.
pub(super) struct Registered {
    node: Arc<Node>,
    socket: SocketRef,
    program: Program,
}

impl Registered {
    pub(super) fn socket(&self) -> &SocketRef {
        &self.socket
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// Tells it that it is registered, and with what settings.
    pub(super) fn welcome(&self) {
        if let Err(error) = self.socket.emit("registerSuccess", &RegisterConfig::of(&self.node)) {
            tracing::warn!(node.name = self.node.name, %error, "a node could not be told that it is registered");
        }
    }

    /// Asks it to post what it knows of itself.
    pub(super) fn node_info(&self) {
        // One that takes nothing now is asked again in a minute.
        let _ = self.socket.emit("nodeInfo", &self.node.name);
    }

    /// Tells it to do something.
    pub(super) fn operate(&self, command: &Command) -> Result<(), SendError> {
        self.socket.emit(command.event(), command)
    }

    /// It says that it is ready.
    pub(super) fn ready(self) -> Ready {
        self.node_info();
        Ready(self)
    }
}

/// A connection that said `ready`: its terminals may be asked.
pub(super) struct Ready(Registered);

impl Ready {
    pub(super) fn registered(&self) -> &Registered {
        &self.0
    }

    /// Sends a query.
    pub(super) fn ask(&self, query: &Query) -> Result<(), SendError> {
        self.0.socket.emit("query", query)
    }
}

/// What `registerSuccess` carries.
#[derive(Serialize)]
struct RegisterConfig<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(rename = "Name")]
    name: &'a str,
    #[serde(rename = "IP")]
    ip: &'a str,
    #[serde(rename = "Port")]
    port: u16,
    #[serde(rename = "MaxConnections")]
    max_connections: u32,
    #[serde(rename = "UserID")]
    user_id: &'a str,
}

impl<'a> RegisterConfig<'a> {
    fn of(node: &'a Node) -> Self {
        Self {
            id: &node.name,
            name: &node.name,
            ip: node.ip.as_deref().unwrap_or_default(),
            port: node.port,
            max_connections: node.max_connections,
            user_id: "",
        }
    }
}
