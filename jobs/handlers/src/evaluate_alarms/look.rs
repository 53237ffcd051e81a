//! What is looked at when a source's timer is due: that a node is held, and what changes by the passing of time alone: the days until a
//! SIM expires. That is looked at once a day, by the source's own timer, and when somebody changed what is known.

use std::time::Duration;

use domain::{
    Source, Timestamp,
    alarm::{Evidence, Fact},
    schedule,
};
use records::{TableError, nodes, terminals};

use crate::{Context, known};

const DAILY: Duration = Duration::from_hours(24);

/// When a source is to be looked at next though nothing arrives: each terminal at an instant of its own, so that not all come
/// at once. None for one whose plan has no end.
pub(super) async fn next(cx: &Context, source: &Source) -> Result<Option<Timestamp>, TableError> {
    let Source::Terminal(mac) = source else { return Ok(None) };
    let terminal = terminals::get(cx.table.as_ref(), mac).await?;
    if terminal.as_ref().and_then(|terminal| terminal.data_plan.as_ref()?.expires).is_none() {
        return Ok(None);
    }
    let phase = schedule::phase_of(&mac.to_string(), DAILY);
    let from = cx.clock.now().plus(Duration::from_millis(1));
    Ok(schedule::due(DAILY, phase, from, from.plus(2 * DAILY)).next())
}

/// What is known of a source now, as evidence; none for what nothing is known of.
pub(super) async fn known(cx: &Context, source: &Source) -> Result<Option<Evidence>, TableError> {
    let Source::Terminal(mac) = source else { return Ok(None) };
    let Some(terminal) = terminals::get(cx.table.as_ref(), mac).await? else { return Ok(None) };
    let at = cx.clock.now();
    let values = known::of_sim(&terminal, at);
    let id = format!("{}/known/{source}", at.sortable());
    Ok(Some(Evidence::new(id, source.clone(), at, Fact::Known { values })))
}

/// That a node is there, by its session: who holds it writes that down at once, and what it tells of it may wait behind a backlog. A delay
/// that ran out in between would be told as an absence that was over. None for what is no node, or is away.
pub(super) async fn held(cx: &Context, source: &Source) -> Result<Option<Evidence>, TableError> {
    let Source::Node(node) = source else { return Ok(None) };
    let Some(session) = nodes::session(cx.table.as_ref(), node).await? else { return Ok(None) };
    let id = format!("{}/session/{node}", session.since.sortable());
    Ok(Some(Evidence::new(id, source.clone(), session.since, Fact::LinkSeen)))
}

/// The earlier of two instants that may not be.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
