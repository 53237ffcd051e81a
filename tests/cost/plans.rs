//! What it costs to plan a minute of a node.

use std::sync::Arc;

use anyhow::Result;
use cost::figures::{READS_OF_A_NODES_PLAN, READS_OF_A_TERMINALS_PLAN};
use jobs::{DispatchQueries, Job};
use table::Units;
use telltale_tests::{Aws, ManualClock, flow::Flow};

#[tokio::test]
async fn a_plan_costs_what_the_calculator_takes_it_for() -> Result<()> {
    let (aws, clock) = (Aws::start().await?, Arc::new(ManualClock::new()));
    let table = aws.table(clock.clone()).await?;
    let consumed = table.consumed();
    let flow = Flow::on(Arc::new(table), clock, |_| {}).await;
    let plan = async || {
        let from = flow.now();
        let until = from.plus(std::time::Duration::from_mins(1));
        let before = consumed.reckoned();
        flow.cx.queue.enqueue(vec![DispatchQueries { node: "n1".to_owned(), from, until }.message()]).await?;
        flow.settle().await;
        let after = consumed.reckoned();
        anyhow::Ok(Units { reads: after.reads - before.reads, writes: after.writes - before.writes })
    };
    // The first reads the protocol as well, which a process does each ten seconds.
    plan().await?;
    let reads = READS_OF_A_NODES_PLAN + READS_OF_A_TERMINALS_PLAN;
    assert_eq!(plan().await?, Units { reads, writes: 0.0 }, "a node with one terminal");
    assert!(!flow.planned().is_empty());
    Ok(())
}
