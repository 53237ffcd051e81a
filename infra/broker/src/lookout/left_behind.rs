//! What a broker told of that is no more: another one tells the end, once nothing of it waits any more.

use domain::{Need, Timestamp};
use jobs::{
    Job, ProcessResults,
    ports::{Enqueue, QueueError},
    report::{Event, Report},
};

use super::{Memory, Operator, Outage, QUEUE, STORE, words};

/// Tells the end of what a dead broker told of, by what it remembered.
///
/// # Errors
/// When the queue is away: it is told again, under the same names.
pub async fn end_outages(
    queue: &dyn Enqueue,
    operator: &Operator,
    memory: &dyn Memory,
    at: Timestamp,
) -> Result<(), QueueError> {
    for outage in memory.told() {
        let Outage { need, since, .. } = &outage;
        let batch = format!("platform/{need}/{}", since.sortable());
        report(queue, batch, vec![away(&outage), back(need.clone(), at, words::back(&outage, at))]).await?;
        operator.tell(&outage, Some(at)).await;
        memory.forget(&outage);
    }
    Ok(())
}

/// Ends the alarms of a broker whose name died with it. Who says so reaches what that one could not.
///
/// # Errors
/// When the queue is away.
pub(crate) async fn end_part(queue: &dyn Enqueue, part: &str, at: Timestamp) -> Result<(), QueueError> {
    let ended = |needs: &str| {
        let need = Need { part: part.to_owned(), needs: needs.to_owned() };
        back(need, at, format!("the broker is no more; another one reaches the {needs}"))
    };
    report(queue, format!("platform/{part}/ended"), [QUEUE, STORE].map(ended).into()).await
}

/// As the dead one reported it, if that came to be durable; then it is nothing new.
pub(super) fn away(outage: &Outage) -> Report {
    let event = Event::PartAway { need: outage.need.clone(), why: words::away(outage) };
    Report { node: String::new(), at: outage.since, event }
}

fn back(need: Need, at: Timestamp, how: String) -> Report {
    Report { node: String::new(), at, event: Event::PartBack { need, how } }
}

async fn report(queue: &dyn Enqueue, batch: String, reports: Vec<Report>) -> Result<(), QueueError> {
    queue.enqueue(vec![ProcessResults { batch, reports }.message()]).await
}
