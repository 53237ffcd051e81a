//! What it costs to keep what climate sensors say.

mod watched;

use std::sync::Arc;

use anyhow::Result;
use table::{Consumed, Units};
use telltale_tests::{Aws, ManualClock, flow::Flow};

use self::watched::Watched;

/// For how long what does not move is not kept.
const SILENCE_MS: u64 = 300_000;

/// What readings cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    /// Write units for each reading.
    pub writes: f64,
    /// Read units for each reading, but for those of protocols.
    pub reads: f64,
    /// Reads of single items and of ranges, but for protocols.
    pub single_reads: usize,
    /// Messages for each reading that jobs enqueue, the broker's own included.
    pub messages: f64,
    /// The share of the readings that said nothing new.
    pub suppressed: f64,
}

/// The jobs, over a table whose units are counted.
pub(crate) struct Meter {
    pub(crate) flow: Flow,
    table: Arc<Watched>,
    consumed: Arc<Consumed>,
    _aws: Aws,
}

/// How much there was at some time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    units: Units,
    single_reads: usize,
    of_protocols: usize,
    enqueued: usize,
}

impl Meter {
    pub(crate) async fn start() -> Result<Self> {
        let (aws, clock) = (Aws::start().await?, Arc::new(ManualClock::new()));
        let table = aws.table(clock.clone()).await?;
        let consumed = table.consumed();
        let table = Arc::new(Watched::new(table));
        let flow = Flow::on(table.clone(), clock, |settings| settings.readings.silence_ms = SILENCE_MS).await;
        Ok(Self { flow, table, consumed, _aws: aws })
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            units: self.consumed.reckoned(),
            single_reads: self.table.single_reads(),
            of_protocols: self.table.of_protocols(),
            enqueued: self.flow.enqueued(),
        }
    }

    /// What so many readings cost that came since, of which these said something new.
    pub(crate) fn cost_since(&self, before: Mark, readings: u32, news: u32) -> Result<Cost> {
        let after = self.mark();
        let number = |count: usize| Ok::<_, anyhow::Error>(f64::from(u32::try_from(count)?));
        let of_protocols = number(after.of_protocols - before.of_protocols)?;
        let readings = f64::from(readings);
        Ok(Cost {
            writes: (after.units.writes - before.units.writes) / readings,
            reads: (after.units.reads - before.units.reads - of_protocols) / readings,
            single_reads: after.single_reads - before.single_reads,
            messages: number(after.enqueued - before.enqueued)? / readings,
            suppressed: 1.0 - f64::from(news) / readings,
        })
    }
}
