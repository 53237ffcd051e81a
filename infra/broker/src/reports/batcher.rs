//! Makes one job of all the reports that wait. While it is written, the next batch gathers.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jobs::{
    Job, ProcessResults,
    ports::{Clock, Dice, Enqueue, QueueError},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::{Entry, MOST_BYTES, MOST_WAITING, NotTaken, Reporter, Stamps};
use crate::counters::Counters;

/// How many reports one job carries at most.
pub(super) const MOST_REPORTS: usize = 200;

/// How long the queue is left alone after it failed.
const PAUSE: Duration = Duration::from_millis(200);

/// How often the queue is tried for what is left when the broker stops.
const LAST_TRIES: usize = 10;

/// Takes what [`Reporter`]s send, and writes it to the queue.
pub(crate) struct Batcher {
    pub(super) entries: mpsc::Receiver<Entry>,
    /// Reports that go into the next batches: what did not fit into the last one, and events that the queue did not take.
    pub(super) held: VecDeque<Entry>,
    /// How long a batch gathers.
    gather: Duration,
    /// With how many reports it has gathered enough.
    pub(super) enough: usize,
    queue: Arc<dyn Enqueue>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    counters: Arc<Counters>,
}

/// How a batch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    Durable,
    Failed,
}

impl Batcher {
    /// The batcher, and the reporter that feeds it.
    pub(crate) fn new(
        queue: Arc<dyn Enqueue>,
        clock: Arc<dyn Clock>,
        dice: Arc<dyn Dice>,
        counters: Arc<Counters>,
    ) -> (Self, Reporter) {
        let (sender, entries) = mpsc::channel(MOST_WAITING);
        let reporter = Reporter {
            entries: sender,
            stamps: Arc::new(Stamps::default().into()),
            clock: Arc::clone(&clock),
            counters: Arc::clone(&counters),
        };
        (
            Self {
                entries,
                held: VecDeque::new(),
                gather: Duration::ZERO,
                enough: MOST_REPORTS,
                queue,
                clock,
                dice,
                counters,
            },
            reporter,
        )
    }

    /// The same, but a batch gathers for so long before it is written, or until it has `enough` reports. Without, it gathers
    /// while the one before is written.
    pub(crate) fn gathering(self, gather: Duration, enough: usize) -> Self {
        Self { gather, enough: enough.min(MOST_REPORTS), ..self }
    }

    /// Writes batches until `stop`; then takes no more, and writes what it holds.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.batch_is_due() => {}
            }
            if self.commit().await == Batch::Failed {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.entries.close();
        self.finish().await;
    }

    async fn batch_is_due(&mut self) {
        if self.held.is_empty() {
            match self.entries.recv().await {
                Some(entry) => self.held.push_back(entry),
                None => std::future::pending().await,
            }
        }
        if !self.gather.is_zero() {
            self.gather(self.gather).await;
        }
    }

    async fn finish(&mut self) {
        let mut tries = 0;
        while tries < LAST_TRIES {
            self.take_waiting();
            if self.held.is_empty() {
                return;
            }
            if self.commit().await == Batch::Failed {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.counters.reports_dropped.add(self.held.len());
        tracing::error!(
            reports = self.held.len(),
            "the queue stays away: events are lost; posts were not acknowledged"
        );
    }

    pub(super) fn take_waiting(&mut self) {
        while self.held.len() < MOST_REPORTS
            && let Ok(entry) = self.entries.try_recv()
        {
            self.held.push_back(entry);
        }
    }

    async fn commit(&mut self) -> Batch {
        self.take_waiting();
        let (reports, waiters): (Vec<_>, Vec<_>) =
            self.next_batch().into_iter().map(|entry| (entry.report, (entry.bytes, entry.waiter))).unzip();
        let job = ProcessResults { batch: self.batch_id(), reports };
        match self.queue.enqueue(vec![job.message()]).await {
            Ok(()) => {
                self.counters.batches.up();
                self.counters.reports.add(job.reports.len());
                for waiter in waiters.into_iter().filter_map(|(_, waiter)| waiter) {
                    // Who went away meanwhile will ask again, and is told that it is durable.
                    waiter.tell(Ok(()));
                }
                Batch::Durable
            }
            Err(error) => {
                tracing::warn!(%error, reports = job.reports.len(), "a batch of reports could not be queued");
                let entries = job.reports.into_iter().zip(waiters);
                self.keep_events(entries.map(|(report, (bytes, waiter))| Entry { report, bytes, waiter }), &error);
                self.turn_waiting_away();
                Batch::Failed
            }
        }
    }

    /// As many of the held reports as fit into one message, the oldest first.
    fn next_batch(&mut self) -> Vec<Entry> {
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.bytes;
            bytes <= MOST_BYTES
        };
        let count = self.held.iter().take(MOST_REPORTS).take_while(fits).count();
        self.held.drain(..count).collect()
    }

    /// Holds the batch's events for the next try, before what came later.
    fn keep_events(&mut self, batch: impl DoubleEndedIterator<Item = Entry>, error: &QueueError) {
        let events = batch.rev().filter_map(only_event);
        if let QueueError::Invalid(_) = error {
            self.counters.reports_dropped.add(events.count());
            return;
        }
        events.for_each(|event| self.held.push_front(event));
    }

    /// While the queue is away, nobody waits for it: who waits is told to come again, and only events are held.
    fn turn_waiting_away(&mut self) {
        self.held = std::mem::take(&mut self.held).into_iter().filter_map(only_event).collect();
        while let Ok(entry) = self.entries.try_recv() {
            let Some(event) = only_event(entry) else { continue };
            if self.held.len() < MOST_WAITING {
                self.held.push_back(event);
            } else {
                self.counters.reports_dropped.up();
            }
        }
    }

    fn batch_id(&self) -> String {
        let random = u128::from(self.dice.roll()) << 64 | u128::from(self.dice.roll());
        Ulid::from_parts(u64::try_from(self.clock.now().0).unwrap_or(0), random).to_string()
    }
}

/// An event that is held until the queue is back. Who waits for anything else is told to come again.
fn only_event(entry: Entry) -> Option<Entry> {
    match entry.waiter {
        Some(waiter) if !waiter.is_patient => {
            waiter.tell(Err(NotTaken::Away));
            None
        }
        _ => Some(entry),
    }
}

#[cfg(test)]
mod tests;
