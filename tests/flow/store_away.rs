//! The store is away for a while: what is only of its moment is left, and what is not is done later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jobs::{DispatchQueries, Job, PlanWindow, ports::Clock};
use records::{Item, Key, Outcome, Page, Range, Table, TableError, Write};
use table::MemoryTable;
use telltale_tests::{ManualClock, flow::Flow};

/// A table that can be cut off.
struct CuttableTable {
    table: MemoryTable,
    is_away: AtomicBool,
}

impl CuttableTable {
    fn reached(&self) -> Result<&MemoryTable, TableError> {
        if self.is_away.load(Ordering::SeqCst) {
            Err(TableError::Away("it is cut off".to_owned()))
        } else {
            Ok(&self.table)
        }
    }
}

#[async_trait]
impl Table for CuttableTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.reached()?.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Item>, TableError> {
        self.reached()?.get_many(keys).await
    }

    async fn query(&self, range: &Range) -> Result<Page, TableError> {
        self.reached()?.query(range).await
    }

    async fn write(&self, write: Write) -> Result<Outcome, TableError> {
        self.reached()?.write(write).await
    }

    async fn write_batch(&self, writes: Vec<Write>) -> Result<(), TableError> {
        self.reached()?.write_batch(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Outcome, TableError> {
        self.reached()?.transact(writes).await
    }
}

#[tokio::test]
async fn while_the_store_is_away_what_is_only_of_its_moment_is_no_dead_letter_and_polling_goes_on_after() {
    let clock = Arc::new(ManualClock::new());
    let table = MemoryTable::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let table = Arc::new(CuttableTable { table, is_away: AtomicBool::new(false) });
    let flow = Flow::on(Arc::clone(&table) as _, clock, |_| {}).await;
    let schedule = &flow.cx.settings.schedule;
    let window = async || {
        let start = schedule.window_start(flow.now()).plus(schedule.window());
        let plan = PlanWindow { start, window_ms: schedule.window_ms };
        flow.cx.queue.enqueue(vec![plan.message()]).await.unwrap();
        flow.after(Duration::from_millis(schedule.window_ms)).await;
    };
    window().await;
    // One window was planned, and its queries were not.
    let start = schedule.window_start(flow.now()).plus(schedule.window());
    table.is_away.store(true, Ordering::SeqCst);
    let queries = DispatchQueries { node: "n1".to_owned(), from: start, until: start.plus(schedule.window()) };
    flow.cx.queue.enqueue(vec![queries.message()]).await.unwrap();
    for _ in 0..24 {
        window().await;
    }
    table.is_away.store(false, Ordering::SeqCst);
    let planned = flow.planned().len();
    flow.after(Duration::from_mins(5)).await;
    assert_eq!(flow.dead_letters().await, 0);
    window().await;
    window().await;
    assert!(flow.planned().len() > planned, "nothing is planned any more");
}
