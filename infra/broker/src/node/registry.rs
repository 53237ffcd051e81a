//! The connections of every node, by node and connection: a late goodbye cannot evict the newcomer.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::NodeName;
use socketioxide::{SendError, extract::SocketRef, socket::Sid};

use super::{
    identity::Credential,
    phase::{Identified, Program, Ready, Registered, SendOnly},
};
use crate::{
    operations::Command,
    pacer::{Asked, Nodes, Query},
};

/// All connections of all nodes.
#[derive(Default)]
pub(crate) struct Registry(Mutex<HashMap<NodeName, Connections>>);

/// One node's connections.
#[derive(Default)]
struct Connections {
    /// The one that can be addressed.
    standing: Option<Standing>,
    send_only: Vec<SendOnly>,
}

/// A connection that can be addressed.
enum Standing {
    Registered(Registered),
    Ready(Ready),
}

impl Standing {
    fn registered(&self) -> &Registered {
        match self {
            Self::Registered(registered) => registered,
            Self::Ready(ready) => ready.registered(),
        }
    }

    fn id(&self) -> Sid {
        self.registered().socket().id
    }
}

/// What became of a `register`.
#[derive(Debug)]
pub(super) enum Registration {
    /// It stands for the node now.
    Accepted {
        /// The connection that did before; to be cut.
        displaced: Option<SocketRef>,
    },
    /// It stood for the node already, and was told so again.
    Repeated,
    /// Another program stands for the node, and nothing says that this one may displace it.
    Taken,
    /// The connection is gone.
    Gone,
}

/// What became of a `ready`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    /// The node is ready from now on.
    First,
    /// It said so before.
    Repeated,
    /// It does not stand for the node.
    NotRegistered,
}

/// What a goodbye means for the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goodbye {
    /// It could not be addressed on that connection.
    Nothing,
    /// It cannot be addressed any more.
    Lost,
}

impl Registry {
    /// Holds a connection, and invites it to register.
    pub(super) fn join(&self, identified: Identified) -> Result<(), SendError> {
        let name = identified.node().name.clone();
        // Invited under the lock: should the connection end meanwhile, its goodbye comes after this.
        let mut nodes = self.lock();
        let send_only = identified.invite()?;
        nodes.entry(name).or_default().send_only.push(send_only);
        Ok(())
    }

    /// A connection registers. A token names one program, so whoever shows it last stands for the node; a node known by
    /// its address is only displaced by a program of the same host name: by itself, coming back before we saw it go.
    pub(super) fn register(&self, node: &str, id: Sid, program: Program, by: &Credential) -> Registration {
        let mut nodes = self.lock();
        let Some(connections) = nodes.get_mut(node) else { return Registration::Gone };
        if let Some(standing) = &connections.standing {
            if standing.id() == id {
                standing.registered().welcome();
                return Registration::Repeated;
            }
            if matches!(by, Credential::Address(_)) && *standing.registered().program() != program {
                return Registration::Taken;
            }
        }
        let Some(index) = connections.send_only.iter().position(|connection| connection.id() == id) else {
            return Registration::Gone;
        };
        let registered = connections.send_only.swap_remove(index).register(program);
        let before = connections.standing.replace(Standing::Registered(registered));
        Registration::Accepted { displaced: before.map(|standing| standing.registered().socket().clone()) }
    }

    /// A connection says `ready`.
    pub(super) fn ready(&self, node: &str, id: Sid) -> Readiness {
        let mut nodes = self.lock();
        let standing = nodes.get_mut(node).map(|connections| &mut connections.standing);
        let Some(standing) = standing else { return Readiness::NotRegistered };
        match standing.take_if(|standing| standing.id() == id) {
            Some(Standing::Registered(registered)) => {
                *standing = Some(Standing::Ready(registered.ready()));
                Readiness::First
            }
            Some(Standing::Ready(ready)) => {
                ready.registered().node_info();
                *standing = Some(Standing::Ready(ready));
                Readiness::Repeated
            }
            None => Readiness::NotRegistered,
        }
    }

    /// A connection ended.
    pub(super) fn leave(&self, node: &str, id: Sid) -> Goodbye {
        let mut nodes = self.lock();
        let Some(connections) = nodes.get_mut(node) else { return Goodbye::Nothing };
        let lost = connections.standing.take_if(|standing| standing.id() == id).is_some();
        connections.send_only.retain(|connection| connection.id() != id);
        if connections.standing.is_none() && connections.send_only.is_empty() {
            nodes.remove(node);
        }
        if lost { Goodbye::Lost } else { Goodbye::Nothing }
    }

    /// Lets go of every connection. Those that could be addressed, by node.
    pub(super) fn clear(&self) -> Vec<(NodeName, Sid)> {
        let nodes = std::mem::take(&mut *self.lock());
        nodes.into_iter().filter_map(|(node, connections)| Some((node, connections.standing?.id()))).collect()
    }

    /// Whether the node can be addressed here.
    pub(crate) fn holds(&self, node: &str) -> bool {
        self.lock().get(node).is_some_and(|connections| connections.standing.is_some())
    }

    /// Asks every node that can be addressed what it knows of itself.
    pub(crate) fn ask_node_info(&self) {
        for standing in self.lock().values().filter_map(|connections| connections.standing.as_ref()) {
            standing.registered().node_info();
        }
    }

    /// Has a node do something, on the connection that it registered on.
    pub(crate) fn operate(&self, node: &str, command: &Command) -> Asked {
        let nodes = self.lock();
        match nodes.get(node).and_then(|connections| connections.standing.as_ref()) {
            Some(standing) if standing.registered().operate(command).is_ok() => Asked::Sent,
            _ => Asked::NotThere,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeName, Connections>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes for Registry {
    fn ask(&self, node: &str, query: &Query) -> Asked {
        let nodes = self.lock();
        match nodes.get(node).and_then(|connections| connections.standing.as_ref()) {
            Some(Standing::Ready(ready)) if ready.ask(query).is_ok() => Asked::Sent,
            _ => Asked::NotThere,
        }
    }
}
