//! Evidence that comes after what is newer. That a reading changed nothing is not written down with the alarms, which would cost
//! a write for each; so an older one that comes later would raise an alarm that stands, or end one that does not, until the
//! device speaks again.

use std::time::Duration;

use domain::{
    DeviceId, Source, Timestamp,
    alarm::{Evidence, Fact, MOST_CHANGES, RuleSet, Step, step},
    reading::Reading,
    time::is_ahead,
};
use records::{
    TableError, readings,
    terminals::{self, Standing},
};

use crate::{Context, pace};

/// So many readings are taken along at most: what comes after them is looked at next.
const MOST_AT_ONCE: usize = 64;

/// What a device said since an instant, oldest first.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// What it said in a row.
    pub along: Vec<Evidence>,
    /// What it said behind a pause, in which it missed questions, or what it hangs on was lost: of that it is to be heard first.
    pub behind: Vec<Evidence>,
}

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
    for newer in since(cx, &evidence.source, evidence.at, rest, now).await?.along {
        let mut next = step(&all.state, rules, &newer, now);
        // What is not whole is told apart: the newer reading is on its way by itself.
        if !next.is_whole || all.changes.len() + next.changes.len() > MOST_CHANGES {
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

/// What a device said since then, by its history and by what is at hand of it, up to what else is at hand. What lies in the future is
/// of a clock that was set back.
pub(super) async fn since(
    cx: &Context,
    source: &Source,
    known: Timestamp,
    at_hand: &[&Evidence],
    now: Timestamp,
) -> Result<Since, TableError> {
    let Source::Device(device) = source else { return Ok(Since::default()) };
    let is_newer = |evidence: &Evidence| evidence.at > known && !is_ahead(evidence.at, now);
    let latest = readings::latest(cx.table.as_ref(), &device.mac).await?.value.devices.remove(&device.pid);
    let Some(newest) = latest.filter(|reading| !reading.late).map(as_evidence).filter(is_newer) else {
        return Ok(Since::default());
    };
    // It arrived when it was asked for, or later.
    let (stored, is_whole) = stored(cx, device, (known, now.max(newest.at))).await?;
    let (said, others): (Vec<&Evidence>, Vec<&Evidence>) =
        at_hand.iter().copied().partition(|evidence| evidence.is_reading());
    let mut since: Vec<Evidence> = said.into_iter().cloned().chain(stored).collect();
    // It may not be in the history yet.
    if is_whole {
        since.push(newest);
    }
    let next = others.iter().map(|evidence| evidence.at).filter(|at| *at > known).min();
    since.retain(|evidence| is_newer(evidence) && next.is_none_or(|next| evidence.at < next));
    since.sort_by_key(|evidence| evidence.at);
    since.dedup_by_key(|evidence| evidence.at);
    since.truncate(MOST_AT_ONCE);
    in_a_row(cx, device, (known, since)).await
}

/// What the history holds of a device from one instant on, as much as is taken along, and whether that is all.
async fn stored(
    cx: &Context,
    device: &DeviceId,
    span: (Timestamp, Timestamp),
) -> Result<(Vec<Evidence>, bool), TableError> {
    let (mut said, mut after) = (Vec::new(), None);
    loop {
        let page = readings::replayed(cx.table.as_ref(), &device.mac, span, after).await?;
        let of_it = page.items.into_iter().filter(|reading| reading.device == *device && !reading.late);
        said.extend(of_it.map(as_evidence).filter(|evidence| evidence.at > span.0));
        after = page.next;
        // Others on its line may have said much meanwhile.
        if after.is_none() || said.len() >= MOST_AT_ONCE {
            return Ok((said, after.is_none()));
        }
    }
}

/// Parts what was said in a row from what was said behind a pause.
async fn in_a_row(
    cx: &Context,
    device: &DeviceId,
    (known, mut along): (Timestamp, Vec<Evidence>),
) -> Result<Since, TableError> {
    let Some(pause) = pause(cx, device).await? else { return Ok(Since { along, behind: Vec::new() }) };
    let before = std::iter::once(known).chain(along.iter().map(|evidence| evidence.at));
    let is_behind = |(before, evidence): (Timestamp, &Evidence)| evidence.at.since(before) > pause;
    let place = before.zip(&along).position(is_behind).unwrap_or(along.len());
    let behind = along.split_off(place);
    Ok(Since { along, behind })
}

/// What is longer than a device takes from one answer to the next when all is well.
async fn pause(cx: &Context, device: &DeviceId) -> Result<Option<Duration>, TableError> {
    let Some(terminal) = terminals::get(cx.table.as_ref(), &device.mac).await? else { return Ok(None) };
    let interval = pace::Line::of(cx, &terminal).await?.interval(device.pid, &Standing::default());
    Ok(interval.map(|interval| interval.mul_f64(1.5)))
}

fn as_evidence(reading: Reading) -> Evidence {
    let fact = Fact::of_reading(&reading);
    let at = reading.asked.min(reading.arrived);
    let source = Source::Device(reading.device);
    Evidence::new(format!("{}/{source}", reading.arrived.sortable()), source, at, fact)
}
