//! What a step of the machine leaves behind, stored as one; and the step that an act of somebody's takes.

use std::collections::BTreeMap;

use domain::{
    Source, Timestamp,
    alarm::{Act, Aspect, Change, Evidence, Fact, RuleSet, SourceState, Step, step},
    identity::derived_id,
};

use super::{Alarm, Cause, Grounds, Transition, Watch, cause, get, life, put, put_transition, put_watch, watch};
use crate::{Table, TableError, Versioned, Write};

/// How often an act is tried anew when the source is stepped meanwhile.
const TRIES: usize = 10;
/// Two acts on one source have two instants.
const APART: std::time::Duration = std::time::Duration::from_millis(1);

/// The writes that store a step that was taken from this watch, which is what is remembered afterwards.
pub async fn put_step(
    table: &dyn Table,
    grounds: Grounds<'_>,
    watch: &mut Versioned<Watch>,
    stepped: Step,
    now: Timestamp,
) -> Result<Vec<Write>, TableError> {
    let old_timer = watch.value.timer;
    let evidence = grounds.evidence;
    let mut writes = Vec::new();
    (watch.value.state, watch.value.timer) = (stepped.state, stepped.timer);
    if !stepped.changes.is_empty() {
        let transition = transition(grounds, watch, now, stepped.changes);
        writes.push(put_transition(&transition)?);
        writes.extend(changed_alarms(table, &transition, &watch.value.state).await?);
        if transition.changes.iter().any(Change::is_told) {
            watch.value.outbox.push(transition.id);
        }
    }
    watch.value.began = cause::remembered(std::mem::take(&mut watch.value.began), grounds, &watch.value.state);
    if matches!(evidence.fact, Fact::Acted { .. }) && !watch.value.outbox.is_empty() {
        // Whoever acts cannot hand on what is to be told: whoever looks at the source next does.
        watch.value.timer = Some(now.min(watch.value.timer.unwrap_or(now)));
    }
    writes.extend(put_watch(&evidence.source, watch, old_timer)?);
    Ok(writes)
}

/// The version of the watch tells apart the steps that one fact may take.
fn transition(grounds: Grounds<'_>, watch: &Versioned<Watch>, now: Timestamp, changes: Vec<Change>) -> Transition {
    let evidence = grounds.evidence;
    let source = evidence.source.to_string();
    let id = derived_id(evidence.at, &["transition", &source, &evidence.id, &watch.version.to_string()]);
    let cause = Some(Cause::of(grounds, &changes, &watch.value.began));
    let unknown = watch.value.state.unknown.clone();
    Transition { id, source: evidence.source.clone(), at: now, changes, unknown, cause }
}

async fn changed_alarms(
    table: &dyn Table,
    transition: &Transition,
    state: &SourceState,
) -> Result<Vec<Write>, TableError> {
    // One step may raise an alarm, since its delay ran out, and clear it at once.
    let mut changed: BTreeMap<&str, Versioned<Alarm>> = BTreeMap::new();
    for change in transition.changes.iter().filter(|change| !change.alarm.is_empty()) {
        let known = match changed.remove(change.alarm.as_str()) {
            Some(known) => Some(known),
            None => get(table, &change.alarm).await?,
        };
        let version = known.as_ref().map_or(0, |alarm| alarm.version);
        let after = life::after(&transition.source, change, known, state.lives.get(&change.rule));
        changed.insert(&change.alarm, Versioned { version, ..after });
    }
    let writes = changed.values().map(put).collect::<Result<Vec<_>, _>>()?;
    Ok(writes.into_iter().flatten().collect())
}

/// Does what somebody did about a source's alarms; says what that changed. What is to be told of it is told when the source's
/// timer is looked at next.
pub async fn act(table: &dyn Table, source: &Source, act: &Act, now: Timestamp) -> Result<Vec<Change>, TableError> {
    let mut changes = Vec::new();
    let mut refused = 0;
    while refused < TRIES {
        let mut watch = watch(table, source).await?;
        let acted = watch.value.state.newest.get(&Aspect::Acts).map(|seen| seen.at.plus(APART));
        let at = acted.map_or(now, |acted| acted.max(now));
        let id = format!("act/{}/{}", at.sortable(), act.by);
        let evidence = Evidence::new(id, source.clone(), at, Fact::Acted { act: act.clone() });
        let rules = RuleSet::default();
        let stepped = step(&watch.value.state, &rules, &evidence, at);
        let is_whole = stepped.is_whole;
        if is_whole && stepped.changes.is_empty() {
            return Ok(changes);
        }
        let done = stepped.changes.clone();
        let grounds = Grounds { rules: &rules, evidence: &evidence, newer: &[] };
        let writes = put_step(table, grounds, &mut watch, stepped, now).await?;
        if !table.transact(writes).await?.applied() {
            refused += 1;
            continue;
        }
        changes.extend(done);
        if is_whole {
            return Ok(changes);
        }
    }
    Err(TableError::Away(format!("{source} is stepped by many at once")))
}
