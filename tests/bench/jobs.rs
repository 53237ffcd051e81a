//! How many jobs a second go through the queue on Redis, each behind its record in the ledger.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use boot::{SystemClock, SystemDice};
use jobs::{
    Context, Job, JobError,
    ports::{Consume, Enqueue, Inspect},
};
use queue::Workers;
use records::{Condition, Item, Key, Write};
use serde::{Deserialize, Serialize};
use table::MemoryTable;
use telltale_tests::{RedisServer, eventually};
use tokio_util::sync::CancellationToken;

/// How many are pushed with one call, and run at a time: as many as with `BullMQ`.
const BATCH: u32 = 200;
const CONCURRENCY: usize = 100;

/// A job that does nothing but once: it keeps a record that it was done.
#[derive(Serialize, Deserialize)]
struct Nothing {
    number: u32,
    pad: String,
}

impl Job for Nothing {
    const NAME: &'static str = "nothing";

    fn key(&self) -> String {
        self.number.to_string()
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let key = Key::new("done", self.key());
        let record = Item { key, version: 1, expires: None, body: "".into() };
        // Who finds it done has nothing to do.
        let _ = cx.table.write(Write::Put(record, Condition::Absent)).await?;
        Ok(())
    }
}

/// From the first push to when none is left.
pub(crate) async fn per_second(redis: &RedisServer, jobs: u32) -> Result<f64> {
    let clock = Arc::new(SystemClock);
    let queue = Arc::new(redis.queue(clock.clone()).await?);
    let table = Arc::new(MemoryTable::new(clock.clone()));
    let cx = telltale_tests::context(table, queue.clone(), clock, Arc::new(SystemDice));
    let stop = CancellationToken::new();
    let consume: Arc<dyn Consume> = queue.clone();
    let working = tokio::spawn(Workers::new(cx, consume, stop.clone()).run::<Nothing>(CONCURRENCY).finish());
    let began = Instant::now();
    for first in (0..jobs).step_by(BATCH as usize) {
        let job = |number| Nothing { number, pad: "x".repeat(100) }.message();
        queue.enqueue((first..first + BATCH).map(job).collect()).await?;
    }
    eventually("every job is done", async || {
        let depth = queue.depth(Nothing::NAME).await.ok()?;
        (depth.waiting + depth.running == 0).then_some(())
    })
    .await;
    let took = began.elapsed();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), working).await??;
    Ok(f64::from(jobs) / took.as_secs_f64())
}
