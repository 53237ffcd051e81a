//! What must hold of a world in which all is settled.

mod alarms;
mod leftovers;
mod letters;
mod readings;
mod transitions;

use domain::{DeviceId, Source};

use super::{site::NODE, truth::Truth, world::World};

/// Everything that should not be so.
pub(super) fn all(world: &World, truth: &Truth) -> Vec<String> {
    let found = [
        readings::check(world, truth),
        alarms::check(world, truth),
        transitions::check(world),
        letters::check(world),
        leftovers::check(world),
    ];
    found.concat()
}

/// Everything that there can be an alarm of.
fn sources(truth: &Truth) -> Vec<Source> {
    let devices = truth.devices.keys().map(|device: &DeviceId| Source::Device(device.clone()));
    let terminals = truth.terminals.keys().map(|mac| Source::Terminal(mac.clone()));
    devices.chain(terminals).chain([Source::Node(NODE.to_owned())]).collect()
}
