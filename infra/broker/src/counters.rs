//! What the broker counts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A number that many tasks change at once.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// What it is now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn up(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts something for as long as it is there.
pub(crate) struct Present {
    counters: Arc<Counters>,
    which: fn(&Counters) -> &Count,
}

impl Present {
    pub(crate) fn new(counters: &Arc<Counters>, which: fn(&Counters) -> &Count) -> Self {
        which(counters).up();
        Self { counters: Arc::clone(counters), which }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        (self.which)(&self.counters).down();
    }
}

/// What happened on a broker since it started, and what is open on it now.
#[derive(Debug, Default)]
pub struct Counters {
    /// Gateway connections that are open now.
    pub node_connections: Count,
    /// Browser connections that are open now.
    pub browser_connections: Count,
    /// Gateway connections that lost their transport because we do not know them.
    pub connections_refused: Count,
    /// Queries sent to nodes.
    pub queries_sent: Count,
    /// Planned queries that were not sent: the terminal was busy, the node was away, or their time was over.
    pub queries_dropped: Count,
    /// Planned queries of devices for which their protocol's scripts made nothing to send.
    pub queries_empty: Count,
    /// Queries that nobody answered in time.
    pub queries_unanswered: Count,
    /// `queryData` posts whose report is durable.
    pub results: Count,
    /// `queryData` posts that said again what was durable already.
    pub results_repeated: Count,
    /// Posts that were answered with an error.
    pub posts_refused: Count,
    /// Events from nodes.
    pub node_events: Count,
    /// Events from nodes that could not be understood, or named no terminal.
    pub node_events_strange: Count,
    /// What nodes warned of, on their own or about a terminal.
    pub node_warnings: Count,
    /// Operations sent to nodes.
    pub operations_sent: Count,
    /// Operations that no node answered in time.
    pub operations_unanswered: Count,
    /// Replies to operations, for which nothing waits.
    pub operation_replies: Count,
    /// Reports that are durable in the queue.
    pub reports: Count,
    /// Batches that carried them.
    pub batches: Count,
    /// Reports of events that were given up because the queue was away for too long.
    pub reports_dropped: Count,
    /// Pushes that a browser's connection took.
    pub pushes_sent: Count,
    /// Pushes that a browser's connection was too slow to take.
    pub pushes_dropped: Count,
    /// Subscriptions that a browser had no right to.
    pub subscriptions_refused: Count,
    /// Events from browsers that could not be understood.
    pub browser_events_strange: Count,
}

impl Counters {
    /// All of them, each with its name.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        // Taken apart whole, so that a new one cannot be forgotten here.
        let Self {
            node_connections,
            browser_connections,
            connections_refused,
            queries_sent,
            queries_dropped,
            queries_empty,
            queries_unanswered,
            results,
            results_repeated,
            posts_refused,
            node_events,
            node_events_strange,
            node_warnings,
            operations_sent,
            operations_unanswered,
            operation_replies,
            reports,
            batches,
            reports_dropped,
            pushes_sent,
            pushes_dropped,
            subscriptions_refused,
            browser_events_strange,
        } = self;
        let all = [
            ("node_connections", node_connections),
            ("browser_connections", browser_connections),
            ("connections_refused", connections_refused),
            ("queries_sent", queries_sent),
            ("queries_dropped", queries_dropped),
            ("queries_empty", queries_empty),
            ("queries_unanswered", queries_unanswered),
            ("results", results),
            ("results_repeated", results_repeated),
            ("posts_refused", posts_refused),
            ("node_events", node_events),
            ("node_events_strange", node_events_strange),
            ("node_warnings", node_warnings),
            ("operations_sent", operations_sent),
            ("operations_unanswered", operations_unanswered),
            ("operation_replies", operation_replies),
            ("reports", reports),
            ("batches", batches),
            ("reports_dropped", reports_dropped),
            ("pushes_sent", pushes_sent),
            ("pushes_dropped", pushes_dropped),
            ("subscriptions_refused", subscriptions_refused),
            ("browser_events_strange", browser_events_strange),
        ];
        all.map(|(name, count)| (name, count.get())).into()
    }
}
