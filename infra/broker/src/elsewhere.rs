//! What other brokers must know: a node's post may arrive at one broker while its connection is at another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Mac, NodeName, Timestamp};
use jobs::ports::{Link, NodeCommand};
use records::{
    Table, TableError,
    nodes::{self, Session},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

/// For how long it is known where a node is. What is told to the wrong broker goes on from there, unless that one is dead: a node is asked
/// by another no sooner than this.
const KNOWN_FOR: Duration = Duration::from_millis(500);

/// When what could not be passed on is tried again: the broker that asked waits for fifteen seconds and longer.
const AGAIN_AFTER: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// So many answers wait at a time until they can be passed on.
const MOST_KEPT: usize = 4096;

/// The other brokers, as this one sees them.
pub(crate) struct Elsewhere {
    broker: Arc<str>,
    table: Arc<dyn Table>,
    link: Arc<dyn Link>,
    /// Which other broker holds a node, and when that was looked up.
    known: Mutex<HashMap<NodeName, (String, Instant)>>,
    /// So many answers that could not be passed on yet are kept.
    kept: Semaphore,
}

impl Elsewhere {
    pub(crate) fn new(broker: &str, table: Arc<dyn Table>, link: Arc<dyn Link>) -> Self {
        Self { broker: broker.into(), table, link, known: Mutex::default(), kept: Semaphore::new(MOST_KEPT) }
    }

    /// A node that is not connected here posted the answer to a query. The broker that sent it need not wait for it: while it does, it
    /// asks the terminal nothing, and takes it for silent in the end.
    pub(crate) async fn answered(&self, node: NodeName, mac: Mac, asked: Timestamp) {
        let told = self.pass_on(&node, &mac, asked, Lookup::MayBeKnown).await;
        if told.is_ok() {
            return;
        }
        // Only so many are kept meanwhile: the rest is made good by a time-out.
        let Ok(_kept) = self.kept.try_acquire() else { return };
        for pause in AGAIN_AFTER {
            sleep(pause).await;
            if self.pass_on(&node, &mac, asked, Lookup::Now).await.is_ok() {
                return;
            }
        }
    }

    /// Another broker took this one for the node's. Who that is by now is looked up, so that it goes on to one that holds it, if any does.
    pub(crate) async fn forward(&self, node: NodeName, mac: Mac, asked: Timestamp) {
        let _ = self.pass_on(&node, &mac, asked, Lookup::Now).await;
    }

    async fn pass_on(&self, node: &str, mac: &Mac, asked: Timestamp, lookup: Lookup) -> Result<(), ()> {
        let holder = self.holder(node, lookup).await.map_err(drop)?;
        let Some(broker) = holder else { return Ok(()) };
        let told = NodeCommand::Answered { node: node.to_owned(), mac: mac.clone(), asked };
        self.link.command(&broker, told).await.map_err(|error| {
            tracing::debug!(%error, "another broker is not told of an answer");
        })
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

    /// Which other broker holds a node. That none does is not remembered: it may be on its way.
    async fn holder(&self, node: &str, lookup: Lookup) -> Result<Option<String>, TableError> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((holder, at)) = lock().get(node).cloned().filter(|_| matches!(lookup, Lookup::MayBeKnown))
            && at.elapsed() < KNOWN_FOR
        {
            return Ok(Some(holder));
        }
        let session = nodes::session(self.table.as_ref(), node).await?;
        let holder = session.map(|session| session.broker).filter(|broker| **broker != *self.broker);
        match &holder {
            Some(holder) => drop(lock().insert(node.to_owned(), (holder.clone(), Instant::now()))),
            None => drop(lock().remove(node)),
        }
        Ok(holder)
    }
}

/// Whether what was looked up lately will do.
#[derive(Clone, Copy)]
enum Lookup {
    MayBeKnown,
    Now,
}
