//! What other brokers must know: a node's post may arrive at one broker while its connection is at another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Mac, NodeName, Timestamp};
use jobs::ports::{Link, NodeCommand};
use records::{
    Table,
    nodes::{self, Session},
};
use tokio::time::Instant;

/// For how long it is known where a node is. What is told to the wrong broker is made good by a time-out.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// The other brokers, as this one sees them.
pub(crate) struct Elsewhere {
    broker: Arc<str>,
    table: Arc<dyn Table>,
    link: Arc<dyn Link>,
    /// Which other broker holds a node, if one does, and when that was looked up.
    known: Mutex<HashMap<NodeName, (Option<String>, Instant)>>,
}

impl Elsewhere {
    pub(crate) fn new(broker: &str, table: Arc<dyn Table>, link: Arc<dyn Link>) -> Self {
        Self { broker: broker.into(), table, link, known: Mutex::default() }
    }

    /// A node that is not connected here posted the answer to a query. The broker that sent it need not wait for it.
    pub(crate) async fn answered(&self, node: NodeName, mac: Mac, asked: Timestamp) {
        let Some(broker) = self.holder(&node).await else { return };
        if let Err(error) = self.link.command(&broker, NodeCommand::Answered { node, mac, asked }).await {
            tracing::debug!(%error, "another broker is not told of an answer");
        }
    }

    /// A node that another broker held has come to this one.
    pub(crate) async fn displaced(&self, session: Session) {
        if *session.broker == *self.broker {
            return;
        }
        let Session { node, broker, connection, .. } = session;
        if let Err(error) = self.link.command(&broker, NodeCommand::Displaced { node, connection }).await {
            tracing::warn!(%error, "another broker is not told that a node has come here");
        }
    }

    /// A node has come to another broker since it came here: its connection here is broken, if it is there still.
    pub(crate) async fn outlived(&self, session: Session) {
        let Session { node, connection, .. } = session;
        tracing::info!(node.name = node, "a node's connection is older than the one at another broker");
        if let Err(error) = self.link.command(&self.broker, NodeCommand::Displaced { node, connection }).await {
            tracing::warn!(%error, "the older connection of a node stays");
        }
    }

    async fn holder(&self, node: &str) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(node).cloned();
        if let Some((holder, at)) = known
            && at.elapsed() < KNOWN_FOR
        {
            return holder;
        }
        let session = nodes::session(self.table.as_ref(), node).await.ok().flatten();
        let holder = session.map(|session| session.broker).filter(|broker| **broker != *self.broker);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(node.to_owned(), (holder.clone(), Instant::now()));
        holder
    }
}
