//! The end of what is watched on a source that is no more.

use domain::{
    Source, Timestamp,
    alarm::{Active, Change},
    identity::derived_id,
};

use super::{Transition, Watch, get, put, put_transition, timer_key, watch, watch_key};
use crate::{Condition, Table, TableError, Versioned, Write, record};

const TRIES: usize = 10;
/// How many alarms are ended in one transaction; each is three writes.
const AT_A_TIME: usize = 30;
const REASON: &str = "removed";

/// Ends the alarms of a source that was removed, and forgets the source. The transition is recorded and told to nobody: a
/// notice of recovery would not be true. To end what was ended changes nothing.
pub async fn end(table: &dyn Table, source: &Source, now: Timestamp) -> Result<(), TableError> {
    for _ in 0..TRIES {
        let watch = watch(table, source).await?;
        if watch.version == 0 {
            return Ok(());
        }
        let changes = changes(&watch.value, now);
        if clear(table, &changes).await? && forget(table, source, &watch, changes, now).await? {
            return Ok(());
        }
    }
    Err(TableError::Away(format!("{source} is stepped by many at once")))
}

fn changes(watch: &Watch, at: Timestamp) -> Vec<Change> {
    let active = watch.state.conditions.iter().filter_map(|(rule, condition)| Some((rule, condition.active()?)));
    active.map(|(rule, active): (_, &Active)| active.removed(rule, at, REASON)).collect()
}

/// Ends the alarms; false when one of them was written meanwhile.
async fn clear(table: &dyn Table, changes: &[Change]) -> Result<bool, TableError> {
    for some in changes.chunks(AT_A_TIME) {
        let mut writes = Vec::new();
        for change in some {
            let Some(mut alarm) = get(table, &change.alarm).await?.filter(|alarm| alarm.value.cleared_at.is_none())
            else {
                continue;
            };
            alarm.value.cleared_at = Some(change.at);
            alarm.value.cleared_by = Some(change.detail.clone());
            writes.extend(put(&alarm)?);
        }
        if !writes.is_empty() && !table.transact(writes).await?.applied() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Records what was ended, and removes the source's memory and timer; false when the source was stepped meanwhile.
async fn forget(
    table: &dyn Table,
    source: &Source,
    watch: &Versioned<Watch>,
    changes: Vec<Change>,
    at: Timestamp,
) -> Result<bool, TableError> {
    let mut writes = vec![Write::Delete(watch_key(source), Condition::Version(watch.version))];
    writes.extend(watch.value.timer.map(|due| record::delete(timer_key(due, source))));
    if !changes.is_empty() {
        let id = derived_id(at, &["transition", &source.to_string(), REASON, &watch.version.to_string()]);
        writes.push(put_transition(&Transition {
            id,
            source: source.clone(),
            at,
            changes,
            unknown: None,
            cause: None,
        })?);
    }
    Ok(table.transact(writes).await?.applied())
}
