//! What a broker told of that is no more: another one tells the end, once nothing of it waits any more.

use domain::{Need, Timestamp};
use jobs::{
    Job, ProcessResults,
    ports::{Enqueue, QueueError},
    report::{Absence, Event, Report},
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
        report(queue, batch, vec![Report { node: String::new(), at, event: back(&outage, at) }]).await?;
        operator.tell(&outage, Some(at)).await;
        memory.forget(&outage);
    }
    Ok(())
}

/// Ends the alarms of a broker whose name died with it, by what it needed. Who says so reaches what that one could not.
///
/// # Errors
/// When the queue is away.
pub(crate) async fn end_part(queue: &dyn Enqueue, part: &str, needs: &[&str], at: Timestamp) -> Result<(), QueueError> {
    let ended = |needs: &&str| {
        let need = Need { part: part.to_owned(), needs: (*needs).to_owned() };
        let how = match *needs {
            QUEUE | STORE => format!("the broker is no more; another one reaches the {needs}"),
            _ => "the broker is no more".to_owned(),
        };
        Report { node: String::new(), at, event: Event::PartBack { need, how, absence: None } }
    };
    report(queue, format!("platform/{part}/ended"), needs.iter().map(ended).collect()).await
}

/// That it is back, and what it was away for.
pub(super) fn back(outage: &Outage, at: Timestamp) -> Event {
    let absence = Absence { since: outage.since, why: words::away(outage) };
    Event::PartBack { need: outage.need.clone(), how: words::back(outage, at), absence: Some(absence) }
}

async fn report(queue: &dyn Enqueue, batch: String, reports: Vec<Report>) -> Result<(), QueueError> {
    queue.enqueue(vec![ProcessResults { batch, reports }.message()]).await
}
