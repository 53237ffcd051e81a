//! Tells what turned: the operator at once, the administrators by reports, in order and however long the queue is away.

use std::sync::Arc;

use jobs::{ports::Clock, report::Event};
use tokio::sync::mpsc;

use super::{Operator, Outage, left_behind::away, outage::Turn, words};
use crate::reports::{NotTaken, Reporter};

/// Remembers what was told and has not ended, so that the end is told once by whoever sees it.
pub trait Memory: Send + Sync {
    /// What an earlier process told of, and not of its end.
    fn told(&self) -> Vec<Outage>;

    /// This is told.
    fn keep(&self, outage: &Outage);

    /// Its end is told.
    fn forget(&self, outage: &Outage);
}

/// Where whoever comes after has another name.
pub struct Forgetful;

impl Memory for Forgetful {
    fn told(&self) -> Vec<Outage> {
        Vec::new()
    }

    fn keep(&self, _: &Outage) {}

    fn forget(&self, _: &Outage) {}
}

/// Tells what turns.
pub(super) struct Teller {
    pub reporter: Reporter,
    pub clock: Arc<dyn Clock>,
    pub operator: Operator,
    pub memory: Arc<dyn Memory>,
}

impl Teller {
    pub(super) async fn run(self, mut turns: mpsc::UnboundedReceiver<Turn>) {
        let (reports, waiting) = mpsc::unbounded_channel();
        let reporting = self.report(waiting);
        let telling = async {
            while let Some(turn) = turns.recv().await {
                if let Turn::Away(outage) = &turn {
                    tracing::error!(
                        platform.part = outage.need.part,
                        platform.away = outage.need.needs,
                        "{}",
                        words::away(outage)
                    );
                    self.memory.keep(outage);
                    drop(self.operator.tell(outage, None));
                }
                let _ = reports.send(turn);
            }
        };
        tokio::join!(reporting, telling);
    }

    /// One after the other: each is durable before the next.
    async fn report(&self, mut turns: mpsc::UnboundedReceiver<Turn>) {
        while let Some(turn) = turns.recv().await {
            // That it was away is said once more with its end: an earlier process may have died before that was durable.
            let (Turn::Away(outage) | Turn::Back(outage)) = &turn;
            if self.reporter.deliver(away(outage)).await.is_err() {
                // The broker ends: what is remembered is told by the next.
                return;
            }
            if let Turn::Back(outage) = turn
                && self.report_end(outage).await.is_err()
            {
                return;
            }
        }
    }

    async fn report_end(&self, outage: Outage) -> Result<(), NotTaken> {
        let need = outage.need.clone();
        let how = words::back(&outage, self.clock.now());
        tracing::info!(platform.part = need.part, platform.back = need.needs, "{how}");
        let report = self.reporter.stamp(String::new(), Event::PartBack { need, how });
        let at = report.at;
        self.reporter.deliver(report).await?;
        let told = self.operator.tell(&outage, Some(at));
        let memory = Arc::clone(&self.memory);
        tokio::spawn(async move {
            told.await;
            memory.forget(&outage);
        });
        Ok(())
    }
}
