//! Sessions that a dead process left behind: its nodes are lost until they are seen again.

use jobs::{
    Context, Job, ProcessResults,
    report::{Event, Report},
};
use records::nodes;

/// Reports the sessions of brokers other than `broker_id` as lost, and ends them. On a box there is one broker, this one.
pub(super) async fn report_sessions(cx: &Context, broker_id: &str) -> anyhow::Result<()> {
    let table = cx.table.as_ref();
    let at = cx.clock.now();
    let sessions = nodes::sessions(table).await?;
    let stale: Vec<_> = sessions.into_iter().filter(|session| session.broker != broker_id).collect();
    if stale.is_empty() {
        return Ok(());
    }
    let lost = |session: &nodes::Session| Report { node: session.node.clone(), at, event: Event::NodeLost };
    let reports = ProcessResults { batch: format!("stale/{broker_id}"), reports: stale.iter().map(lost).collect() };
    // Reported before they are ended: a crash in between reports them once more, which changes nothing.
    cx.queue.enqueue(vec![reports.message()]).await?;
    for session in &stale {
        let _ = nodes::close_session(table, &session.node, &session.broker, &session.connection).await?;
    }
    tracing::info!(
        nodes = stale.len(),
        "the last process left sessions behind: their nodes are lost until they are seen"
    );
    Ok(())
}
