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

/// The step, and where it changed the alarms of a device whose latest reading is newer than its evidence, that reading's as
/// well, which is given too: what began and is over is told as that.
pub(super) async fn with_what_is_newer(
    cx: &Context,
    stepped: Step,
    rules: &RuleSet,
    evidence: &Evidence,
    now: Timestamp,
) -> Result<(Step, Option<Evidence>), TableError> {
    if stepped.changes.is_empty() || !stepped.is_whole {
        return Ok((stepped, None));
    }
    let Some(newer) = newest_since(cx, &evidence.source, evidence.at, now).await? else { return Ok((stepped, None)) };
    let mut next = step(&stepped.state, rules, &newer, now);
    // What is not whole is told apart: the newer reading is on its way by itself.
    if !next.is_whole {
        return Ok((stepped, None));
    }
    next.changes.splice(..0, stepped.changes);
    Ok((next, Some(newer)))
}

/// A device's newest reading, as evidence, if it is newer than that. What lies in the future is of a clock that was set back.
pub(super) async fn newest_since(
    cx: &Context,
    source: &Source,
    known: Timestamp,
    now: Timestamp,
) -> Result<Option<Evidence>, TableError> {
    let Source::Device(device) = source else { return Ok(None) };
    let latest = readings::latest(cx.table.as_ref(), &device.mac).await?.value.devices.remove(&device.pid);
    let newer = latest.filter(|reading| !reading.late).map(as_evidence);
    Ok(newer.filter(|newer| newer.at > known && !is_ahead(newer.at, now)))
}

fn as_evidence(reading: Reading) -> Evidence {
    let fact = Fact::of_reading(&reading);
    let at = reading.asked.min(reading.arrived);
    let source = Source::Device(reading.device);
    Evidence::new(format!("{}/{source}", reading.arrived.sortable()), source, at, fact)
}
