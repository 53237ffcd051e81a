//! Keeps the records of which node this broker holds.
//!
//! Changes of one node are written one after the other, so that a goodbye cannot overtake a hello; those of different nodes side by
//! side, since each goodbye waits until its report is durable: a thousand that go at once would keep those waiting that come again.
//! A hello is reported once it is written, so that a job that hears of a node finds its session; a goodbye is written once its report
//! is durable, so that a process that is killed in between leaves the session, by which the loss is seen at the next start. Where the
//! table is away, each is tried until it is back.

mod lanes;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use domain::{NodeName, Timestamp};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jobs::{
    ports::Clock,
    report::{Event, Report},
};
use records::{
    Table, TableError,
    nodes::{self, Opened, Session},
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

enum Change {
    /// With the instant at which the node was lost, should another connection stand for it still.
    Opened {
        session: Session,
        lost: Option<Timestamp>,
    },
    Closed {
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
        self.tell(Change::Closed { connection: connection.to_string() }, report);
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
        let (mut lanes, mut turn, mut running) = (Lanes::default(), VecDeque::new(), FuturesUnordered::new());
        loop {
            let next = tokio::select! {
                biased;
                Some(node) = running.next() => lanes.next(&node),
                Some(told) = self.changes.recv() => lanes.enter(told),
                () = stop.cancelled(), if running.is_empty() => return,
            };
            turn.extend(next);
            while running.len() < AT_A_TIME
                && let Some(next) = turn.pop_front()
            {
                running.push(self.writing.keep(next, &stop));
            }
        }
    }
}

impl Writing {
    /// Writes a change; whose it was.
    async fn keep(&self, ToWrite { change, report, gone }: ToWrite, stop: &CancellationToken) -> NodeName {
        let node = report.node.clone();
        match &change {
            Change::Opened { session, lost } => self.opened(session, *lost, report, (&gone, stop)).await,
            Change::Closed { connection } => self.closed(connection, report, stop).await,
        }
        node
    }

    /// A hello is tried until it is written: a node without a session is not polled. That of a connection that is gone by then is
    /// not: its node may be at another broker.
    async fn opened(
        &self,
        session: &Session,
        lost: Option<Timestamp>,
        report: Report,
        (gone, stop): (&CancellationToken, &CancellationToken),
    ) {
        let table = self.table.as_ref();
        // An answer that is lost may be that of a write that was done: then it is found in its own place, and whose that was is known.
        let mut other = None;
        while !gone.is_cancelled() {
            let read = || nodes::found_session(table, &session.node).boxed();
            let Some(found) = self.tried(&report.node, read, [gone, stop]).await else { return };
            let write = || nodes::open_in_place_of(table, session, found.as_ref()).boxed();
            let Some(opened) = self.tried(&report.node, write, [gone, stop]).await else { return };
            let is_other = |found: &Session| found.connection != session.connection;
            other = found.map(|found| found.value).filter(is_other).or(other);
            match opened {
                Opened::Stands => {
                    if let Some(at) = lost.filter(|_| other.is_some()) {
                        self.reporter.send(Report { node: report.node.clone(), at, event: Event::NodeLost });
                    }
                    self.reporter.send(report);
                    if let Some(other) = other {
                        self.elsewhere.displaced(other).await;
                    }
                    return;
                }
                Opened::Overtaken => {}
                Opened::Outlived => return self.elsewhere.outlived(session.clone()).await,
            }
        }
    }

    async fn closed(&self, connection: &str, report: Report, stop: &CancellationToken) {
        let (node, table) = (report.node.clone(), self.table.as_ref());
        let read = || nodes::session(table, &node).boxed();
        // What cannot be read when the broker stops is taken for this broker's: others see that the node is back.
        let stored = self.tried(&node, read, [stop; 2]).await.flatten();
        if stored.is_some_and(|session| *session.broker != *self.broker) {
            tracing::info!(node.name = node, "a node's connection ended; another broker holds the node by now");
            return;
        }
        if let Err(why) = self.reporter.deliver(report).await {
            // By the session that stays, the loss is seen at the next start.
            tracing::error!(node.name = node, ?why, "a lost node could not be reported");
            return;
        }
        let end = || nodes::close_session(table, &node, &self.broker, connection).boxed();
        self.tried(&node, end, [stop; 2]).await;
    }

    /// Tries until it succeeds; none if one of these is cancelled before.
    async fn tried<'a, T>(
        &self,
        node: &str,
        try_it: impl Fn() -> BoxFuture<'a, Result<T, TableError>>,
        [gone, stop]: [&CancellationToken; 2],
    ) -> Option<T> {
        let mut is_known = false;
        loop {
            match try_it().await {
                Ok(done) => return Some(done),
                Err(error) if !is_known => {
                    tracing::warn!(node.name = node, %error, "the session of a node cannot be read or written yet");
                    is_known = true;
                }
                Err(_) => {}
            }
            tokio::select! {
                biased;
                () = gone.cancelled() => return None,
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
