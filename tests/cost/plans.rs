//! What it costs to plan a minute of a node.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cost::figures::{READS_OF_A_NODES_PLAN, READS_OF_A_TERMINALS_PLAN};
use domain::Mac;
use jobs::{
    DispatchQueries, Job, ProcessResults,
    report::{Event, Report},
};
use records::{Table, nodes, terminals};
use table::Units;
use telltale_tests::{
    Aws, ManualClock,
    flow::{Flow, mac},
};

#[tokio::test]
async fn a_plan_costs_what_the_calculator_takes_it_for() -> Result<()> {
    let (aws, clock) = (Aws::start().await?, Arc::new(ManualClock::new()));
    let table = aws.table(clock.clone()).await?;
    let consumed = table.consumed();
    let flow = Flow::on(Arc::new(table), clock, |_| {}).await;
    for terminals in [1_u32, 2, 7] {
        let node = format!("with-{terminals}");
        connect(&flow, &node, terminals).await?;
        // The first reads the protocol as well, which a process does each ten seconds.
        plan(&flow, &node).await?;
        let (before, planned) = (consumed.reckoned(), flow.planned().len());
        plan(&flow, &node).await?;
        let after = consumed.reckoned();
        let cost = Units { reads: after.reads - before.reads, writes: after.writes - before.writes };
        let reads = READS_OF_A_NODES_PLAN + f64::from(terminals) * READS_OF_A_TERMINALS_PLAN;
        assert_eq!(cost, Units { reads, writes: 0.0 }, "a node with {terminals} terminals");
        assert!(flow.planned().len() > planned);
    }
    Ok(())
}

/// Plans a node's next minute.
async fn plan(flow: &Flow, node: &str) -> Result<()> {
    let from = flow.now();
    let until = from.plus(Duration::from_mins(1));
    flow.cx.queue.enqueue(vec![DispatchQueries { node: node.to_owned(), from, until }.message()]).await?;
    flow.settle().await;
    Ok(())
}

/// A node that is ready, with so many terminals like the flow's own, all there.
async fn connect(flow: &Flow, node: &str, count: u32) -> Result<()> {
    let table: &dyn Table = flow.cx.table.as_ref();
    let node = node.to_owned();
    let sessions = nodes::sessions(table).await?;
    let session = sessions.first().context("the flow's node is there")?;
    nodes::open_session(table, &nodes::Session { node: node.clone(), ..session.clone() }).await?;
    let model = terminals::get(table, &mac()).await?.context("the flow's terminal is there")?;
    let mut macs: Vec<Mac> = Vec::new();
    for place in 0..count {
        let mac: Mac = format!("{:012}", 100 * count + place).parse()?;
        macs.push(mac.clone());
        terminals::put(table, &terminals::Terminal { mac, node: node.clone(), ..model.clone() }).await?;
    }
    let report = Report { node: node.clone(), at: flow.now(), event: Event::TerminalsOn { macs } };
    let batch = ProcessResults { batch: node, reports: vec![report] };
    flow.cx.queue.enqueue(vec![batch.message()]).await?;
    flow.settle().await;
    Ok(())
}
