//! Sessions that a dead broker left behind: its nodes are lost until they are seen again.

use domain::{Timestamp, identity::derived_id};
use futures::{StreamExt, TryStreamExt, stream};
use jobs::{
    Job, JobError, ProcessResults,
    ports::{Enqueue, Lane, Message},
    report::{Event, Report},
};
use records::{
    Table,
    nodes::{self, Session},
};

/// How many nodes one job is told of.
const MOST_IN_A_JOB: usize = 200;
/// How many sessions are ended at a time: their nodes come back meanwhile, and find nobody yet.
const ENDED_AT_ONCE: usize = 64;

/// Reports the nodes of dead brokers as lost, and ends their sessions. How many there were. `lost` says when the node of a session was,
/// if it was: before anything that it can have told another broker since. `batch` names what is reported: no other report may have it.
///
/// # Errors
/// When the table or the queue is away: what was reported by then may be reported again, which changes nothing.
pub async fn end_stale_sessions(
    table: &dyn Table,
    queue: &dyn Enqueue,
    batch: &str,
    lost: impl Fn(&Session) -> Option<Timestamp>,
) -> Result<usize, JobError> {
    let sessions = nodes::sessions(table).await?.into_iter();
    let stale: Vec<(Session, Timestamp)> =
        sessions.filter_map(|session| lost(&session).map(|at| (session, at))).collect();
    let report =
        |(session, at): &(Session, Timestamp)| Report { node: session.node.clone(), at: *at, event: Event::NodeLost };
    for sessions in stale.chunks(MOST_IN_A_JOB) {
        // By what it holds: where it is tried again, and some of them are ended by then, it holds others.
        let connections: Vec<&str> = sessions.iter().map(|(session, _)| session.connection.as_str()).collect();
        let first = sessions.iter().map(|(_, at)| *at).min().unwrap_or_default();
        let batch = format!("stale/{batch}/{}", derived_id(first, &connections));
        // Reported before they are ended: a crash in between reports them once more.
        let job = ProcessResults { batch, reports: sessions.iter().map(report).collect() };
        // That nothing comes of them any more is taken by a Redis whose memory is full as well.
        queue.enqueue(vec![Message { lane: Lane::Urgent, ..job.message() }]).await?;
        let end = async |(session, _): &(Session, Timestamp)| {
            nodes::close_session(table, &session.node, &session.broker, &session.connection).await.map(drop)
        };
        stream::iter(sessions.iter().map(end)).buffer_unordered(ENDED_AT_ONCE).try_collect::<()>().await?;
    }
    if !stale.is_empty() {
        tracing::info!(
            nodes = stale.len(),
            "a dead broker left sessions behind: their nodes are lost until they are seen"
        );
    }
    Ok(stale.len())
}

#[cfg(test)]
mod tests;
