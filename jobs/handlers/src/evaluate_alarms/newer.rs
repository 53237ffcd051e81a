//! Evidence that comes after what is newer. That a reading changed nothing is not written down with the alarms, which would cost
//! a write for each; so an older one that comes later would raise an alarm that stands, or end one that does not, until the
//! device speaks again.

use domain::{
    Source, Timestamp,
    alarm::{Evidence, Fact, RuleSet, Step, step},
    reading::Reading,
    time::is_ahead,
};
use records::{TableError, readings};

use crate::Context;

/// So many readings are taken along at most: what comes after them is looked at next.
const MOST_AT_ONCE: usize = 64;
/// More is not taken along once so many changes are to be stored at once.
const MOST_CHANGES: usize = 16;

/// The step, and where it changed the alarms of a device that said more since, the steps of what it said as well, in order: each
/// reading speaks for itself, and what began and is over is told as that. What of it moved something is given too.
pub(super) async fn with_what_is_newer(
    cx: &Context,
    stepped: Step,
    rules: &RuleSet,
    (evidence, rest): (&Evidence, &[&Evidence]),
    now: Timestamp,
) -> Result<(Step, Vec<Evidence>), TableError> {
    let mut moved = Vec::new();
    if stepped.changes.is_empty() || !stepped.is_whole {
        return Ok((stepped, moved));
    }
    let mut all = stepped;
    for newer in since(cx, &evidence.source, evidence.at, rest, now).await? {
        let mut next = step(&all.state, rules, &newer, now);
        // What is not whole is told apart: the newer reading is on its way by itself.
        if !next.is_whole || all.changes.len() > MOST_CHANGES {
            break;
        }
        if !next.changes.is_empty() || next.state.conditions != all.state.conditions {
            moved.push(newer);
        }
        next.changes.splice(..0, all.changes);
        all = next;
    }
    Ok((all, moved))
}

/// What a device said since then, by its history and by what is at hand of it, oldest first. What lies in the future is of a clock
/// that was set back.
pub(super) async fn since(
    cx: &Context,
    source: &Source,
    known: Timestamp,
    at_hand: &[&Evidence],
    now: Timestamp,
) -> Result<Vec<Evidence>, TableError> {
    let Source::Device(device) = source else { return Ok(Vec::new()) };
    let table = cx.table.as_ref();
    let is_newer = |evidence: &Evidence| evidence.at > known && !is_ahead(evidence.at, now);
    let latest = readings::latest(table, &device.mac).await?.value.devices.remove(&device.pid);
    let Some(newest) = latest.filter(|reading| !reading.late).map(as_evidence).filter(is_newer) else {
        return Ok(Vec::new());
    };
    // It arrived when it was asked for, or later.
    let said = readings::replayed(table, &device.mac, (known, now.max(newest.at)), None).await?;
    let is_whole = said.next.is_none();
    let said = said.items.into_iter().filter(|reading| reading.device == *device && !reading.late).map(as_evidence);
    let is_reading = |evidence: &&&Evidence| matches!(evidence.fact, Fact::Values { .. });
    let at_hand = at_hand.iter().filter(is_reading).map(|evidence| (*evidence).clone());
    let mut since: Vec<Evidence> = at_hand.chain(said).filter(is_newer).collect();
    // It may not be in the history yet.
    if is_whole || since.is_empty() {
        since.push(newest);
    }
    since.sort_by_key(|evidence| evidence.at);
    since.dedup_by_key(|evidence| evidence.at);
    since.truncate(MOST_AT_ONCE);
    Ok(since)
}

fn as_evidence(reading: Reading) -> Evidence {
    let fact = Fact::of_reading(&reading);
    let at = reading.asked.min(reading.arrived);
    let source = Source::Device(reading.device);
    Evidence::new(format!("{}/{source}", reading.arrived.sortable()), source, at, fact)
}
