//! A line of climate sensors whose values move by chance, and what it costs to keep them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use async_trait::async_trait;
use domain::Pid;
use jobs::report::Event;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};
use table::DynamoDbTable;
use telltale_tests::{Aws, ManualClock, flow::Flow};

/// For how long what does not move is not kept.
const SILENCE_MS: u64 = 300_000;

/// The seed of every signal.
const SEED: u64 = 20_261_126;

/// The partitions that every process reads anew each ten seconds, however much it does.
const PROTOCOLS: [&str; 3] = ["protocol", "constants", "alarm-setup#"];

/// A line of sensors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// How many there are.
    pub sensors: Pid,
    /// How many of their answers come in one batch.
    pub together: Pid,
    /// How often the line is asked in all, and how long after each other.
    pub rounds: u32,
    /// See `rounds`.
    pub interval: Duration,
    /// The chance that a reading differs from the one before.
    pub moves: f64,
}

/// What a line cost.
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

/// Asks a line and keeps what it says.
pub(crate) async fn measure(line: Line) -> Result<Cost> {
    let (aws, clock) = (Aws::start().await?, Arc::new(ManualClock::new()));
    let table = aws.table(clock.clone()).await?;
    let consumed = table.consumed();
    let table = Arc::new(Watched { table, single_reads: AtomicUsize::new(0), of_protocols: AtomicUsize::new(0) });
    let flow = Flow::on(table.clone(), clock, |settings| settings.readings.silence_ms = SILENCE_MS).await;
    flow.sensors(1..=line.sensors).await;
    let mut signal = Signal::new(line);
    // The first round finds nothing to compare with.
    flow.round(&mut signal, line).await;
    let before = (consumed.reckoned(), table.single_reads(), table.of_protocols(), flow.enqueued());
    signal.moved = 0;
    for _ in 0..line.rounds {
        flow.round(&mut signal, line).await;
    }
    let readings = f64::from(line.rounds) * f64::from(line.sensors);
    let after = consumed.reckoned();
    let number = |count: usize| Ok::<_, anyhow::Error>(f64::from(u32::try_from(count)?));
    Ok(Cost {
        writes: (after.writes - before.0.writes) / readings,
        reads: (after.reads - before.0.reads - number(table.of_protocols() - before.2)?) / readings,
        single_reads: table.single_reads() - before.1,
        messages: number(flow.enqueued() - before.3)? / readings,
        suppressed: 1.0 - f64::from(signal.moved) / readings,
    })
}

/// Temperatures in tenths of a degree that move by chance.
struct Signal {
    dice: SmallRng,
    moves: f64,
    tenths: Vec<i32>,
    moved: u32,
}

impl Signal {
    fn new(line: Line) -> Self {
        let dice = SmallRng::seed_from_u64(SEED);
        Self { dice, moves: line.moves, tenths: vec![200; line.sensors.into()], moved: 0 }
    }

    /// The next temperature of a sensor.
    fn next(&mut self, pid: Pid) -> f64 {
        let tenths = &mut self.tenths[usize::from(pid) - 1];
        if self.dice.random_bool(self.moves) {
            let up = self.dice.random_bool(0.5);
            // Far from every limit.
            *tenths += if (up || *tenths <= 180) && *tenths < 220 { 1 } else { -1 };
            self.moved += 1;
        }
        f64::from(*tenths) / 10.0
    }
}

/// Asks every sensor of a line once, and does all that follows.
trait Round {
    async fn round(&self, signal: &mut Signal, line: Line);
}

impl Round for Flow {
    async fn round(&self, signal: &mut Signal, line: Line) {
        self.sleeps(line.interval);
        let pids: Vec<Pid> = (1..=line.sensors).collect();
        for batch in pids.chunks(line.together.into()) {
            let answers: Vec<Event> = batch.iter().map(|&pid| self.climate(pid, signal.next(pid), 60.0)).collect();
            self.reports(answers).await;
            self.settle().await;
        }
    }
}

/// A table on DynamoDB that counts what is not read in batches.
struct Watched {
    table: DynamoDbTable,
    single_reads: AtomicUsize,
    of_protocols: AtomicUsize,
}

impl Watched {
    fn count(&self, partition: &str) {
        let is_of_protocols = PROTOCOLS.iter().any(|protocols| partition.starts_with(protocols));
        let count = if is_of_protocols { &self.of_protocols } else { &self.single_reads };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn of_protocols(&self) -> usize {
        self.of_protocols.load(Ordering::Relaxed)
    }

    fn single_reads(&self) -> usize {
        self.single_reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Table for Watched {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.count(&key.pk);
        self.table.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.table.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.count(&range.pk);
        self.table.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.table.write(write).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.table.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        self.table.transact(writes).await
    }
}
