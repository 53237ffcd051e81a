//! Evidence that comes after what is newer. That a reading was normal is not written down with the alarms, which would cost a
//! write for each; so an older one that comes later would raise an alarm that stands until the device speaks again.

use domain::{
    DeviceId, Source, Timestamp,
    alarm::{ChangeKind, Evidence, Fact, Rule, Step, step},
    time::is_ahead,
};
use records::{Table, TableError, readings};

/// The step, and where it raised an alarm on a device whose latest reading is newer than its evidence, that reading's as
/// well: what began and is over is told as that.
pub(super) async fn with_what_is_newer(
    table: &dyn Table,
    stepped: Step,
    rules: &[Rule],
    evidence: &Evidence,
    now: Timestamp,
) -> Result<Step, TableError> {
    let raised = stepped.changes.iter().any(|change| change.kind == ChangeKind::Raised);
    let Source::Device(device) = &evidence.source else { return Ok(stepped) };
    if !raised || !stepped.is_whole {
        return Ok(stepped);
    }
    // What lies in the future is of a clock that was set back.
    let is_newer = |latest: &Evidence| latest.at > evidence.at && !is_ahead(latest.at, now);
    let Some(newer) = latest(table, device).await?.filter(is_newer) else { return Ok(stepped) };
    let mut next = step(&stepped.state, rules, &newer, now);
    // What is not whole is told apart: the newer reading is on its way by itself.
    if !next.is_whole {
        return Ok(stepped);
    }
    next.changes.splice(..0, stepped.changes);
    Ok(next)
}

/// A device's latest reading, as evidence.
async fn latest(table: &dyn Table, device: &DeviceId) -> Result<Option<Evidence>, TableError> {
    let latest = readings::latest(table, &device.mac).await?.value;
    let Some(reading) = latest.devices.get(&device.pid).filter(|reading| !reading.late) else { return Ok(None) };
    let source = Source::Device(device.clone());
    let id = format!("{}/{source}", reading.arrived.sortable());
    Ok(Some(Evidence { id, source, at: reading.asked.min(reading.arrived), fact: Fact::of_reading(reading) }))
}
