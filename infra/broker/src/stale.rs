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

/// Reports the nodes of dead brokers as lost at `at`, and ends their sessions. How many there were. `batch` names what is
/// reported: no other report may have it.
///
/// # Errors
/// When the table or the queue is away: what was reported by then may be reported again, which changes nothing.
pub async fn end_stale_sessions(
    table: &dyn Table,
    queue: &dyn Enqueue,
    at: Timestamp,
    batch: &str,
    is_dead: impl Fn(&str) -> bool,
) -> Result<usize, JobError> {
    let stale: Vec<Session> =
        nodes::sessions(table).await?.into_iter().filter(|session| is_dead(&session.broker)).collect();
    let lost = |session: &Session| Report { node: session.node.clone(), at, event: Event::NodeLost };
    for sessions in stale.chunks(MOST_IN_A_JOB) {
        // By what it holds: where it is tried again, and some of them are ended by then, it holds others.
        let connections: Vec<&str> = sessions.iter().map(|session| session.connection.as_str()).collect();
        let batch = format!("stale/{batch}/{}", derived_id(at, &connections));
        // Reported before they are ended: a crash in between reports them once more.
        let job = ProcessResults { batch, reports: sessions.iter().map(lost).collect() };
        // That nothing comes of them any more is taken by a Redis whose memory is full as well.
        queue.enqueue(vec![Message { lane: Lane::Urgent, ..job.message() }]).await?;
        let end = async |session: &Session| {
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
