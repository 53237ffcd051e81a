//! Keeps the records of which node this broker holds.
//!
//! Changes of one node are written one after the other, so that a goodbye cannot overtake a hello; those of different nodes side by
//! side, since each goodbye waits until its report is durable: a thousand that go at once would keep those waiting that come again.
//! A hello is reported once it is written, so that a job that hears of a node finds its session; a goodbye is written once its report
//! is durable, so that a process that is killed in between leaves the session, by which the loss is seen at the next start.

mod lanes;

use std::{sync::Arc, time::Duration};

use domain::{NodeName, Timestamp};
use futures::{StreamExt, stream::FuturesUnordered};
use jobs::{
    ports::Clock,
    report::{Event, Report},
};
use records::{
    Table, TableError,
    nodes::{self, Session},
};
use socketioxide::socket::Sid;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::lanes::{Lanes, ToWrite};
use crate::{elsewhere::Elsewhere, reports::Reporter};

/// Of so many nodes changes are written at a time.
const AT_A_TIME: usize = 256;

/// How long the table is left alone after it failed.
const PAUSE: Duration = Duration::from_millis(500);

/// How often a change is tried: half a minute, in tests less. A node whose hello could not be written is not polled, and is made to come
/// again.
const TRIES: usize = if cfg!(test) { 4 } else { 60 };

enum Change {
    /// With the instant at which the node was lost, should another connection stand for it still.
    Opened {
        session: Session,
        lost: Option<Timestamp>,
    },
    Closed {
        node: NodeName,
        connection: String,
    },
}

/// Tells the keeper.
#[derive(Clone)]
pub(crate) struct KeeperHandle {
    changes: mpsc::UnboundedSender<(Change, Report)>,
    broker: Arc<str>,
    clock: Arc<dyn Clock>,
    reporter: Reporter,
}

impl KeeperHandle {
    /// A node registered on this connection. If it displaces another one, here or at another broker, the node was lost
    /// before it `connected`: its terminals are to come back on this one, and those that do not are missed.
    pub(crate) fn registered(&self, node: &str, connection: Sid, connected: Timestamp) {
        self.opened(node, connection, Event::NodeRegistered, Some(connected));
    }

    /// A node said `ready` on this connection.
    pub(crate) fn ready(&self, node: &str, connection: Sid) {
        self.opened(node, connection, Event::NodeReady, None);
    }

    /// A node is lost with this connection.
    pub(crate) fn lost(&self, node: &str, connection: Sid) {
        let report = self.reporter.stamp(node.to_owned(), Event::NodeLost);
        self.tell(Change::Closed { node: node.to_owned(), connection: connection.to_string() }, report);
    }

    fn opened(&self, node: &str, connection: Sid, event: Event, lost: Option<Timestamp>) {
        let ready = event == Event::NodeReady;
        let report = self.reporter.stamp(node.to_owned(), event);
        let since: Timestamp = self.clock.now();
        let (node, broker) = (node.to_owned(), self.broker.to_string());
        let session = Session { node, broker, connection: connection.to_string(), since, ready };
        self.tell(Change::Opened { session, lost }, report);
    }

    fn tell(&self, change: Change, report: Report) {
        // A broker that has stopped keeps nothing more.
        let _ = self.changes.send((change, report));
    }
}

/// Writes what it is told.
pub(crate) struct Keeper {
    changes: mpsc::UnboundedReceiver<(Change, Report)>,
    writing: Writing,
}

struct Writing {
    table: Arc<dyn Table>,
    broker: Arc<str>,
    reporter: Reporter,
    elsewhere: Arc<Elsewhere>,
}

impl Keeper {
    /// The keeper, and the handle to tell it by. There are no more changes than connections come and go.
    pub(crate) fn new(
        broker: &str,
        table: Arc<dyn Table>,
        clock: Arc<dyn Clock>,
        reporter: Reporter,
        elsewhere: Arc<Elsewhere>,
    ) -> (Self, KeeperHandle) {
        let (sender, changes) = mpsc::unbounded_channel();
        let broker: Arc<str> = broker.into();
        let handle = KeeperHandle { changes: sender, broker: Arc::clone(&broker), clock, reporter: reporter.clone() };
        (Self { changes, writing: Writing { table, broker, reporter, elsewhere } }, handle)
    }

    /// Writes changes until `stop`, and then those that wait.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let (mut lanes, mut running) = (Lanes::default(), FuturesUnordered::new());
        loop {
            let next = tokio::select! {
                biased;
                Some(node) = running.next() => lanes.next(&node),
                Some(told) = self.changes.recv(), if running.len() < AT_A_TIME => lanes.enter(told),
                () = stop.cancelled(), if running.is_empty() => return,
            };
            running.extend(next.map(|next| self.writing.keep(next, &stop)));
        }
    }
}

impl Writing {
    /// Writes a change; whose it was.
    async fn keep(&self, ToWrite { change, report, gone }: ToWrite, stop: &CancellationToken) -> NodeName {
        let node = report.node.clone();
        self.write_and_report(&change, report, (&gone, stop)).await;
        node
    }

    async fn write_and_report(
        &self,
        change: &Change,
        report: Report,
        (gone, stop): (&CancellationToken, &CancellationToken),
    ) {
        let node = report.node.clone();
        match change {
            Change::Opened { session, lost } => {
                let stored = nodes::session(self.table.as_ref(), &node).await;
                let other = stored.ok().flatten().filter(|stored| stored.connection != session.connection);
                if let Some(at) = *lost
                    && other.is_some()
                {
                    self.reporter.send(Report { node: node.clone(), at, event: Event::NodeLost });
                }
                if !self.write_somehow(change, &node, (gone, stop)).await {
                    if !stop.is_cancelled() && !gone.is_cancelled() {
                        self.elsewhere.comes_again(session.clone()).await;
                    }
                    return;
                }
                if let Some(other) = other {
                    self.elsewhere.displaced(other).await;
                }
                self.reporter.send(report);
            }
            Change::Closed { .. } => {
                if self.is_held_elsewhere(&node).await {
                    tracing::info!(node.name = node, "a node's connection ended; another broker holds the node by now");
                    return;
                }
                match self.reporter.deliver(report).await {
                    Ok(()) => drop(self.write_somehow(change, &node, (gone, stop)).await),
                    // By the session that stays, the loss is seen at the next start.
                    Err(why) => tracing::error!(node.name = node, ?why, "a lost node could not be reported"),
                }
            }
        }
    }

    /// Whether the node has come back to another broker before we saw it go.
    async fn is_held_elsewhere(&self, node: &str) -> bool {
        let stored = nodes::session(self.table.as_ref(), node).await;
        stored.is_ok_and(|session| session.is_some_and(|session| *session.broker != *self.broker))
    }

    /// Whether it was written at last. That of a connection that is gone by then is not: its node may be at another broker.
    async fn write_somehow(
        &self,
        change: &Change,
        node: &str,
        (gone, stop): (&CancellationToken, &CancellationToken),
    ) -> bool {
        for _ in 0..TRIES {
            match self.write(change).await {
                Ok(()) => return true,
                Err(error) => {
                    tracing::warn!(node.name = node, %error, "the session of a node could not be written");
                    if stop.is_cancelled() || gone.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                        break;
                    }
                }
            }
        }
        false
    }

    async fn write(&self, change: &Change) -> Result<(), TableError> {
        match change {
            Change::Opened { session, .. } => nodes::open_session(self.table.as_ref(), session).await,
            Change::Closed { node, connection } => {
                nodes::close_session(self.table.as_ref(), node, &self.broker, connection).await.map(drop)
            }
        }
    }
}

#[cfg(test)]
mod tests;
