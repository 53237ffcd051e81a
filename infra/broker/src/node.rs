//! The namespace of the gateway programs.

mod admission;
mod alerts;
mod event;
mod identity;
mod phase;
mod registry;

use std::{convert::Infallible, future::ready, net::IpAddr, sync::Arc};

pub(crate) use admission::Admission;
pub(crate) use alerts::Alerts;
use domain::{Mac, Timestamp};
use event::NodeEvent;
use jobs::{ports::Clock, report::Event};
use phase::{Connected, Program};
use records::nodes::Node;
use registry::{Goodbye, Readiness, Registration};
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
    operators::BroadcastOperators,
    socket::DisconnectReason,
};

pub(crate) use event::{Brought, OperationReply};
pub(crate) use identity::{Credential, Identities, KNOWN_FOR, address_of, credential};
pub(crate) use registry::Registry;

use crate::{
    counters::{Counters, Present},
    elsewhere::Elsewhere,
    keeper::KeeperHandle,
    operations::Operations,
    pacer::{LineEvent, PacerHandle},
    refused::{Novelty, Refusal, RefusedNodes},
    reports::Reporter,
    said::Said,
    settings::BrokerSettings,
    web::Live,
    wire::Wires,
};

/// Where they come in.
const NAMESPACE: &str = "/node";

/// How many terminals one report names at most.
const MOST_IN_A_REPORT: usize = 500;

/// Who is on a connection, and how we know.
#[derive(Clone)]
struct Identity {
    address: IpAddr,
    credential: Credential,
    node: Result<Arc<Node>, Refusal>,
    /// When it connected. What it says is newer, before it registers as well.
    connected: Timestamp,
}

/// Where gateway programs come in.
pub(crate) struct NodeDoor {
    pub admission: Admission,
    pub identities: Arc<Identities>,
    pub registry: Arc<Registry>,
    pub elsewhere: Arc<Elsewhere>,
    pub reporter: Reporter,
    pub pacer: PacerHandle,
    pub keeper: KeeperHandle,
    pub operations: Arc<Operations>,
    pub wires: Wires,
    pub refused: Arc<RefusedNodes>,
    pub live: Arc<Live>,
    pub alerts: Alerts,
    pub counters: Arc<Counters>,
    pub clock: Arc<dyn Clock>,
    pub settings: Arc<BrokerSettings>,
}

impl NodeDoor {
    /// Opens the namespace.
    pub(crate) fn open(self: &Arc<Self>, io: &SocketIo) {
        let (identifier, greeter) = (Arc::clone(self), Arc::clone(self));
        // Handlers are in place before the client hears that it is connected: what it buffered comes at once.
        let identify = async move |socket: SocketRef, TryData(auth): TryData<Value>| {
            identifier.admission.turn().await;
            identifier.identify(&socket, auth.ok().as_ref()).await;
            Ok::<(), Infallible>(())
        };
        let greet = move |socket: SocketRef| {
            greeter.greet(&socket);
            ready(())
        };
        io.ns(NAMESPACE, greet.with(identify));
    }

    /// Ends every session, and breaks every connection: the programs come back by themselves, here or elsewhere. The
    /// namespace stays, for a program that is refused by it never comes back.
    pub(crate) fn close(&self, io: &SocketIo) {
        for (node, connection) in self.registry.clear() {
            self.keeper.lost(&node, connection);
        }
        for socket in io.of(NAMESPACE).map(BroadcastOperators::sockets).unwrap_or_default() {
            self.wires.cut(&socket);
        }
    }

    /// Breaks every connection of one node, and forgets what it was known by: who may still come in comes back.
    pub(crate) fn shed(&self, io: &SocketIo, node: &str) {
        self.identities.forget(node);
        let is_its = |socket: &SocketRef| {
            let identity = socket.extensions.get::<Identity>();
            identity.and_then(|identity| identity.node.ok()).is_some_and(|its| its.name == node)
        };
        let sockets = io.of(NAMESPACE).map(BroadcastOperators::sockets).unwrap_or_default();
        for socket in sockets.into_iter().filter(is_its) {
            tracing::info!(node.name = node, connection.id = %socket.id, "a node's connection is broken on request");
            self.wires.cut(&socket);
        }
    }

    /// Breaks a connection whose node has come back to another broker.
    pub(crate) fn displaced(&self, io: &SocketIo, node: &str, connection: &str) {
        let sockets = io.of(NAMESPACE).map(BroadcastOperators::sockets).unwrap_or_default();
        for socket in sockets.into_iter().filter(|socket| socket.id.as_str() == connection) {
            tracing::info!(node.name = node, connection.id = %socket.id, "a node has come back to another broker");
            self.wires.cut(&socket);
        }
    }

    async fn identify(self: Arc<Self>, socket: &SocketRef, auth: Option<&Value>) {
        let parts = socket.req_parts();
        let address = address_of(parts, &self.settings.trusted_proxies);
        let credential = credential(auth, parts, address);
        let node = match self.identities.look_up(&credential).await {
            Ok(Some(node)) => Ok(node),
            Ok(None) if matches!(credential, Credential::Token(_)) => Err(Refusal::UnknownToken),
            Ok(None) => Err(Refusal::UnknownAddress),
            Err(error) => {
                tracing::warn!(%error, "the store could not be asked for a node");
                Err(Refusal::StoreAway)
            }
        };
        socket.extensions.insert(Identity { address, credential, node, connected: self.reporter.instant() });
        socket.extensions.insert(Arc::new(Present::new(&self.counters, |counters| &counters.node_connections)));
        let hearing = Arc::clone(&self);
        // The body runs where the packet is read, one packet after the other: events keep their order.
        socket.on_fallback(move |socket: SocketRef, said: Said| {
            hearing.hear(&socket, &said);
            ready(())
        });
        socket.on_disconnect(async move |socket: SocketRef, reason: DisconnectReason| self.part(&socket, reason));
    }

    fn greet(&self, socket: &SocketRef) {
        let Some(identity) = socket.extensions.get::<Identity>() else { return };
        match identity.node {
            Ok(node) => {
                tracing::info!(node.name, client.address = %identity.address, connection.id = %socket.id, "a node connected");
                let connected = Connected::new(socket.clone());
                if self.registry.join(connected.identify(node)).is_err() {
                    self.wires.cut(socket);
                }
            }
            Err(reason) => self.refuse(socket, identity.address, &reason),
        }
    }

    fn refuse(&self, socket: &SocketRef, address: IpAddr, reason: &Refusal) {
        self.counters.connections_refused.up();
        match self.refused.add(address, reason.clone(), self.clock.now()) {
            Novelty::New => tracing::warn!(client.address = %address, %reason, "a gateway program was turned away"),
            Novelty::Repeat => {
                tracing::debug!(client.address = %address, %reason, "a gateway program was turned away again");
            }
        }
        self.wires.cut(socket);
    }

    fn part(&self, socket: &SocketRef, reason: DisconnectReason) {
        let Some(Identity { node: Ok(node), .. }) = socket.extensions.get() else { return };
        tracing::info!(node.name, connection.id = %socket.id, %reason, "a node's connection ended");
        if self.registry.leave(&node.name, socket.id) == Goodbye::Lost {
            self.pacer.tell(LineEvent::NodeGone { node: node.name.clone() });
            self.keeper.lost(&node.name, socket.id);
        }
    }

    fn hear(&self, socket: &SocketRef, said: &Said) {
        let Some(identity) = socket.extensions.get::<Identity>() else { return };
        let Ok(node) = &identity.node else { return };
        self.counters.node_events.up();
        self.live.heard(said);
        match NodeEvent::read(&said.name, &said.arguments, &said.attachments) {
            Ok(NodeEvent::Register { hostname }) => self.register(socket, &identity, node, Program { hostname }),
            Ok(NodeEvent::Ready) => self.ready(socket, node),
            Ok(event) => self.about_terminals(node, event),
            Err(why) => {
                self.counters.node_events_strange.up();
                let name: String = said.name.chars().take(40).collect();
                tracing::debug!(node.name, event.name = name, %why, "an event of a node was not understood");
            }
        }
    }

    fn register(&self, socket: &SocketRef, identity: &Identity, node: &Node, program: Program) {
        match self.registry.register(&node.name, socket.id, program, &identity.credential) {
            Registration::Accepted { displaced } => {
                tracing::info!(node.name, connection.id = %socket.id, "a node registered");
                self.keeper.registered(&node.name, socket.id, identity.connected);
                if let Some(displaced) = displaced {
                    // What was asked over the old connection is not answered on this one.
                    self.pacer.tell(LineEvent::NodeGone { node: node.name.clone() });
                    self.wires.cut(&displaced);
                }
            }
            Registration::Taken => self.refuse(socket, identity.address, &Refusal::Taken(node.name.clone())),
            Registration::Repeated | Registration::Gone => {}
        }
    }

    fn ready(&self, socket: &SocketRef, node: &Node) {
        if self.registry.ready(&node.name, socket.id) == Readiness::First {
            tracing::info!(node.name, connection.id = %socket.id, "a node is ready");
            self.keeper.ready(&node.name, socket.id);
        }
    }

    fn about_terminals(&self, node: &Node, event: NodeEvent) {
        let report = |event| self.reporter.report(node.name.clone(), event);
        match event {
            NodeEvent::TerminalsOn { macs, strange } => {
                self.counters.node_events_strange.add(strange);
                for macs in macs.chunks(MOST_IN_A_REPORT) {
                    report(Event::TerminalsOn { macs: macs.to_vec() });
                }
            }
            NodeEvent::TerminalOff { mac } => {
                self.pacer.tell(LineEvent::Off { node: node.name.clone(), mac: mac.clone() });
                report(Event::TerminalOff { mac });
            }
            NodeEvent::Load { mac, load } => {
                self.pacer.tell(LineEvent::Load { node: node.name.clone(), mac, load });
            }
            NodeEvent::Missed { mac, pid, count } => {
                self.pacer.tell(LineEvent::Missed { node: node.name.clone(), mac, pid, count });
            }
            NodeEvent::PartlyMissed { mac, pid, contents } => {
                self.live.partly_missed(&mac, pid, &contents);
                report(Event::PartlyMissed { mac, pid, contents });
            }
            NodeEvent::Operated { name, reply } => self.operations.answered(&node.name, &name, reply),
            NodeEvent::DtuState { mac, state, score } => report(Event::DtuState { mac, state, score }),
            NodeEvent::DtuAlert { mac, kind, message } => self.warned(node, mac, kind, message),
            NodeEvent::StartError => {
                self.warned(node, None, "startError".to_owned(), "it cannot open its port".to_owned());
            }
            NodeEvent::Register { .. } | NodeEvent::Ready | NodeEvent::Ignored => {}
        }
    }

    fn warned(&self, node: &Node, mac: Option<Mac>, kind: String, message: String) {
        self.counters.node_warnings.up();
        if !self.alerts.is_news(&node.name, mac.as_ref(), &kind, &message, self.clock.now()) {
            return;
        }
        let about = mac.as_ref().map(Mac::as_str);
        tracing::warn!(node.name, terminal.mac = about, warning.kind = kind, "a node warns: {message}");
        if let Some(mac) = mac {
            self.reporter.report(node.name.clone(), Event::DtuAlert { mac, kind, message });
        }
    }
}
