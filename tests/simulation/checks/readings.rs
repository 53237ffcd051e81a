//! Each reading that was acknowledged is in the history once, with what it said, and nothing else is; the latest values are
//! those of the newest.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    DeviceId, Mac, Timestamp,
    reading::{Datum, Reading},
};
use records::{
    Range, Table,
    readings::{self, Span},
};

use crate::simulation::{
    truth::{DeviceTruth, Truth},
    world::{World, at_once},
};

pub(super) fn check(world: &World, truth: &Truth) -> Vec<String> {
    let of_device = |(device, said)| [history(world, device, said), latest(world, device, said)];
    let of_terminal = |mac| posts(world, truth, mac);
    let of_devices = truth.devices.iter().flat_map(of_device).flatten();
    of_devices.chain(truth.terminals.keys().filter_map(of_terminal)).collect()
}

/// What is stored is of the batches that came, and no batch is stored twice.
fn posts(world: &World, truth: &Truth, mac: &Mac) -> Option<String> {
    let page = at_once(world.table.query(&Range::all(format!("history#{mac}"), 1000))).unwrap();
    let stored: Vec<&str> = page.items.iter().filter_map(|item| Some(item.key.sk.split_once('#')?.1)).collect();
    let said = truth.devices.iter().filter(|(device, _)| device.mac == *mac);
    let expected: BTreeSet<&str> =
        said.flat_map(|(_, said)| said.posts.iter().map(|(batch, _)| batch.as_str())).collect();
    let found: BTreeSet<&str> = stored.iter().copied().collect();
    (stored.len() != found.len() || !found.is_subset(&expected))
        .then(|| format!("the history of {mac} has the batches {stored:?}, it came in {expected:?}"))
}

fn history(world: &World, device: &DeviceId, said: &DeviceTruth) -> Option<String> {
    let span = Span { from: Timestamp::default(), to: world.now(), limit: 1000, after: None };
    let span = Span { to: span.to.plus(std::time::Duration::from_mins(1)), ..span };
    let stored = at_once(readings::history(world.table.as_ref(), &device.mac, device.pid, &span)).unwrap().items;
    let asked = stored.iter().map(|reading| (reading.asked, tenths(reading))).collect::<Vec<_>>();
    let as_map: BTreeMap<Timestamp, Option<i16>> = asked.iter().copied().collect();
    let expected: BTreeMap<Timestamp, Option<i16>> =
        said.readings.iter().map(|(asked, told)| (*asked, Some(told.tenths))).collect();
    let shown = |readings: &BTreeMap<Timestamp, Option<i16>>| {
        readings.iter().map(|(at, tenths)| format!("{} {tenths:?}", world.trace.shown(*at))).collect::<Vec<_>>()
    };
    (as_map != expected || asked.len() != as_map.len())
        .then(|| format!("the history of {device} has {:?}, it said {:?}", shown(&as_map), shown(&expected)))
}

fn latest(world: &World, device: &DeviceId, said: &DeviceTruth) -> Option<String> {
    let latest = at_once(readings::latest(world.table.as_ref(), &device.mac)).unwrap().value;
    let stored = latest.devices.get(&device.pid);
    let expected = said.latest().map(|told| Some(told.tenths));
    (stored.map(tenths) != expected)
        .then(|| format!("the latest of {device} is {:?}, it said {expected:?}", stored.map(tenths)))
}

/// What a reading of the sensors says; none when it is not what they say.
fn tenths(reading: &Reading) -> Option<i16> {
    let [temperature, humidity] = reading.values.as_slice() else { return None };
    let (Datum::Number(celsius), Datum::Number(percent)) = (&temperature.value, &humidity.value) else { return None };
    #[expect(clippy::cast_possible_truncation, reason = "sensors say small numbers")]
    (((percent - 60.0).abs() < 1e-9).then(|| (celsius * 10.0).round() as i16))
}
