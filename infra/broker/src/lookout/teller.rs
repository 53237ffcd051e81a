//! Tells what turned: the operator at once, the administrators by reports, in order and however long the queue is away.

use std::sync::Arc;

use jobs::{
    ports::Clock,
    report::{Event, Report},
};
use tokio::sync::mpsc;

use super::{Operator, Outage, left_behind::back, outage::Turn, words};
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

/// Says in the log that it is away. On AWS an alarm rings of that.
pub(super) fn say(outage: &Outage) {
    let Outage { need, .. } = outage;
    tracing::error!(platform.part = need.part, platform.away = need.needs, "{}", words::away(outage));
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
                    say(outage);
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
            let ended = match turn {
                Turn::Away(outage) => {
                    let event = Event::PartAway { why: words::away(&outage), need: outage.need };
                    self.reporter.deliver(Report { node: String::new(), at: outage.since, event }).await
                }
                Turn::Back(outage) => self.report_end(outage).await,
            };
            if ended.is_err() {
                // The broker ends: what is remembered is told by the next.
                return;
            }
        }
    }

    async fn report_end(&self, outage: Outage) -> Result<(), NotTaken> {
        let Outage { need, .. } = &outage;
        let event = back(&outage, self.clock.now());
        tracing::info!(
            platform.part = need.part,
            platform.back = need.needs,
            "{}",
            words::back(&outage, self.clock.now())
        );
        let report = self.reporter.stamp(String::new(), event);
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
