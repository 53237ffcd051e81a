//! Evidence that comes after what is newer. That a reading changed nothing is not written down with the alarms, which would cost
//! a write for each; so an older one that comes later would raise an alarm that stands, or end one that does not, until the
//! device speaks again.

use std::time::Duration;

use domain::{
    DeviceId, Source, Timestamp,
    alarm::{Evidence, Fact, RuleSet, Step, step},
    reading::Reading,
    time::is_ahead,
};
use records::{
    TableError,
    readings::{self, Span},
};

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
    let kept = kept_since(cx, device, known, now).await?;
    let readings = latest.into_iter().chain(kept).filter(|reading| !reading.late);
    let newer = readings.map(as_evidence).filter(|newer| newer.at > known && !is_ahead(newer.at, now));
    Ok(newer.max_by_key(|newer| newer.at))
}

/// The device's latest in the history: one that says what the one before it said is there alone. Where such ones are not kept,
/// nothing is to be found.
async fn kept_since(
    cx: &Context,
    device: &DeviceId,
    known: Timestamp,
    now: Timestamp,
) -> Result<Vec<Reading>, TableError> {
    if cx.settings.readings.silence().is_some() {
        return Ok(Vec::new());
    }
    let span = Span { from: known, to: now.plus(AHEAD), limit: MOST_KEPT, after: None };
    Ok(readings::history(cx.table.as_ref(), &device.mac, device.pid, &span).await?.items)
}

/// A report's instant may be a little ahead of the clock.
const AHEAD: Duration = Duration::from_secs(10);

/// The newest reading is among so many that came last.
const MOST_KEPT: usize = 20;

fn as_evidence(reading: Reading) -> Evidence {
    let fact = Fact::of_reading(&reading);
    let at = reading.asked.min(reading.arrived);
    let source = Source::Device(reading.device);
    Evidence::new(format!("{}/{source}", reading.arrived.sortable()), source, at, fact)
}
