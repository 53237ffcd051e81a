//! The way of reports into the queue: all that wait become one job, one durable write, one answer to everybody who waits.

mod batcher;
mod gather;
mod stamps;

use std::sync::{Arc, Mutex, PoisonError};

use domain::{NodeName, Timestamp};
use jobs::{
    ports::Clock,
    report::{Answer, Event, Report},
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

/// Who waits for a report to be durable.
struct Waiter {
    told: oneshot::Sender<Result<(), NotTaken>>,
    /// Whether the report is held while the queue is away; otherwise the waiter is told to come again.
    is_patient: bool,
}

impl Waiter {
    fn new(is_patient: bool) -> (Self, oneshot::Receiver<Result<(), NotTaken>>) {
        let (told, durable) = oneshot::channel();
        (Self { told, is_patient }, durable)
    }

    /// Tells the waiter, who may have gone away meanwhile.
    fn tell(self, end: Result<(), NotTaken>) {
        let _ = self.told.send(end);
    }
}

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
        let (waiter, durable) = Waiter::new(false);
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

    /// This instant, which no report has and those after it are newer than.
    pub(crate) fn instant(&self) -> Timestamp {
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        stamps.next(self.clock.now(), &Event::NodeLost)
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

    /// Sends a report that was stamped before, and waits until it is durable, however long the queue is away.
    pub(crate) async fn deliver(&self, report: Report) -> Result<(), NotTaken> {
        let bytes = size(&report.node, &report.event)?;
        let (waiter, durable) = Waiter::new(true);
        let entry = Entry { report, bytes, waiter: Some(waiter) };
        self.entries.send(entry).await.map_err(|_| NotTaken::Away)?;
        durable.await.unwrap_or(Err(NotTaken::Away))
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
    let bytes = FRAME + ESCAPED * node.len() + size_of_event(event)?;
    if bytes > MOST_BYTES { Err(NotTaken::TooLarge) } else { Ok(bytes) }
}

/// How many characters JSON makes of one at most.
const ESCAPED: usize = 6;

fn size_of_event(event: &Event) -> Result<usize, NotTaken> {
    if let Event::Answered(answer) = event {
        return Ok(size_of_answer(answer));
    }
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, event).map_err(|_| NotTaken::TooLarge)?;
    Ok(counted.0)
}

/// Answers are many: theirs is reckoned, not written out to be counted.
fn size_of_answer(answer: &Answer) -> usize {
    const NAMES_AND_NUMBERS: usize = 340;
    const NAMES_OF_A_REPLY: usize = 32;
    let replies = answer.replies.iter().map(|reply| {
        // Each byte is two digits.
        NAMES_OF_A_REPLY + ESCAPED * reply.content.len() + 2 * reply.bytes.len()
    });
    NAMES_AND_NUMBERS + ESCAPED * answer.protocol.len() + replies.sum::<usize>()
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

#[cfg(test)]
mod tests {
    use jobs::report::RawReply;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_answer_is_never_larger_than_reckoned(
            protocol in ".{0,60}",
            replies in prop::collection::vec((".{0,40}", prop::collection::vec(any::<u8>(), 0..300)), 0..6),
            number: u64,
            told: i64,
        ) {
            let replies = replies.into_iter().map(|(content, bytes)| RawReply { content, bytes }).collect();
            let answer = Answer {
                mac: "98D863CC870D".parse().unwrap(),
                pid: 247,
                protocol,
                asked: domain::Timestamp(told),
                told: Some(domain::Timestamp(told)),
                interval: number,
                line_ms: number,
                line_bytes: number,
                replies,
                unanswered: u32::MAX,
                overtaken: true,
            };
            let written = serde_json::to_vec(&Event::Answered(answer.clone())).unwrap();
            prop_assert!(written.len() <= size_of_answer(&answer), "{}", written.len());
        }
    }
}
