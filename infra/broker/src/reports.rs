//! The way of reports into the queue: all that wait become one job, one durable write, one answer to everybody who waits.

mod batcher;
mod stamps;

use std::sync::{Arc, Mutex, PoisonError};

use domain::NodeName;
use jobs::{
    ports::Clock,
    report::{Event, Report},
};
use tokio::sync::{mpsc, oneshot};

pub(crate) use batcher::Batcher;
use stamps::Stamps;

use crate::counters::Counters;

/// How many reports may wait for the batch that takes them.
const MOST_WAITING: usize = 8192;

/// The most bytes one report may have as JSON: a batch must fit into one message.
const MOST_BYTES: usize = 200 * 1024;

/// Why a report was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// It is larger than a batch may be.
    TooLarge,
    /// The queue is away, or the broker has stopped.
    Away,
}

/// A report on its way, and who waits for it to be durable.
struct Entry {
    report: Report,
    bytes: usize,
    waiter: Option<Waiter>,
}

type Waiter = oneshot::Sender<Result<(), NotTaken>>;

/// Takes reports.
#[derive(Clone)]
pub(crate) struct Reporter {
    entries: mpsc::Sender<Entry>,
    stamps: Arc<Mutex<Stamps>>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

impl Reporter {
    /// Reports something that happens now, and waits until that is durable.
    pub(crate) async fn submit(&self, node: NodeName, event: Event) -> Result<(), NotTaken> {
        let bytes = size(&node, &event)?;
        let (waiter, durable) = oneshot::channel();
        let place = self.entries.reserve().await.map_err(|_| NotTaken::Away)?;
        self.stamped(node, event, |report| place.send(Entry { report, bytes, waiter: Some(waiter) }));
        durable.await.unwrap_or(Err(NotTaken::Away))
    }

    /// Reports something that happens now, for which nobody waits.
    pub(crate) fn report(&self, node: NodeName, event: Event) {
        let taken = size(&node, &event).and_then(|bytes| {
            let place = self.entries.try_reserve().map_err(|_| NotTaken::Away)?;
            self.stamped(node, event, |report| place.send(Entry { report, bytes, waiter: None }));
            Ok(())
        });
        self.count_if_lost(taken);
    }

    /// A report of something that happens now, to be sent once something else is done.
    pub(crate) fn stamp(&self, node: NodeName, event: Event) -> Report {
        self.stamped(node, event, |report| report)
    }

    /// Sends a report that was stamped before.
    pub(crate) fn send(&self, report: Report) {
        let taken = size(&report.node, &report.event).and_then(|bytes| {
            let place = self.entries.try_reserve().map_err(|_| NotTaken::Away)?;
            place.send(Entry { report, bytes, waiter: None });
            Ok(())
        });
        self.count_if_lost(taken);
    }

    /// Stamps and hands on in one step, so that reports go their way in the order of their instants.
    fn stamped<T>(&self, node: NodeName, event: Event, hand_on: impl FnOnce(Report) -> T) -> T {
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let at = stamps.next(self.clock.now(), &event);
        hand_on(Report { node, at, event })
    }

    fn count_if_lost(&self, taken: Result<(), NotTaken>) {
        if let Err(why) = taken {
            self.counters.reports_dropped.up();
            tracing::warn!(?why, "a report of an event was dropped");
        }
    }
}

/// How many bytes a report has as JSON, at most.
fn size(node: &str, event: &Event) -> Result<usize, NotTaken> {
    const FRAME: usize = 64;
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, event).map_err(|_| NotTaken::TooLarge)?;
    let bytes = FRAME + 6 * node.len() + counted.0;
    if bytes > MOST_BYTES { Err(NotTaken::TooLarge) } else { Ok(bytes) }
}

/// Counts what is written, and keeps none of it.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
