//! Who is in a field: the same for the same settings, whether it runs or is only described.

use domain::protocol::Line;
use rand::RngExt as _;

use crate::{FieldSettings, chance, device::Device};

/// A gateway program.
pub(crate) struct NodePlan {
    pub(crate) index: u16,
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) terminals: Vec<TerminalPlan>,
}

/// A terminal and its line.
pub(crate) struct TerminalPlan {
    pub(crate) mac: String,
    pub(crate) name: String,
    pub(crate) line: Line,
    pub(crate) devices: Vec<Device>,
}

/// The nodes of a field, one after the other.
pub(crate) fn nodes(settings: &FieldSettings) -> impl Iterator<Item = NodePlan> {
    (1..=settings.nodes).map(|index| {
        let name = format!("virtual-{}-{index:04}", settings.seed);
        let token = chance::token(settings.seed, &name);
        let terminals = (1..=settings.terminals_per_node).map(|number| terminal(settings, index, number)).collect();
        NodePlan { index, name, token, terminals }
    })
}

/// The devices of a terminal that answer: all but the dead.
pub(crate) fn living(settings: &FieldSettings, plan: &TerminalPlan) -> Vec<Device> {
    let mut dice = chance::stream(settings.seed, &format!("{} dead", plan.mac));
    plan.devices.iter().filter(|_| !dice.random_bool(settings.faults.dead_devices)).cloned().collect()
}

fn terminal(settings: &FieldSettings, node: u16, number: u16) -> TerminalPlan {
    let seed = settings.seed;
    let [.., a, b] = chance::number(seed, "macs").to_be_bytes();
    let mac = format!("{a:02X}{b:02X}{node:04X}{number:04X}");
    let name = format!("Virtual DTU {node}-{number}");
    if number > 1 && number == settings.terminals_per_node {
        let devices = vec![Device::ups(seed, &mac, settings.faults.faulty_ups)];
        return TerminalPlan { mac, name, line: Line::Rs232, devices };
    }
    let devices =
        (1..=settings.devices_per_terminal).map(|pid| Device::climate(seed, &mac, pid, settings.cooling)).collect();
    TerminalPlan { mac, name, line: Line::Rs485, devices }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use reqwest::Url;

    use super::*;
    use crate::FaultRates;

    fn settings() -> FieldSettings {
        let settings = FieldSettings::new(Url::parse("http://127.0.0.1").unwrap());
        FieldSettings { nodes: 20, terminals_per_node: 10, ..settings }
    }

    #[test]
    fn every_terminal_has_a_mac_of_its_own_that_is_one() {
        let macs: BTreeSet<domain::Mac> =
            nodes(&settings()).flat_map(|node| node.terminals).map(|terminal| terminal.mac.parse().unwrap()).collect();
        assert_eq!(macs.len(), 200);
    }

    #[test]
    fn the_dead_are_as_many_as_asked_for_and_always_the_same() {
        let settings =
            FieldSettings { faults: FaultRates { dead_devices: 0.2, ..FaultRates::default() }, ..settings() };
        let count = || -> usize {
            nodes(&settings).flat_map(|node| node.terminals).map(|terminal| living(&settings, &terminal).len()).sum()
        };
        let all = 20 * (9 * 2 + 1);
        assert!((all * 7 / 10..all * 9 / 10).contains(&count()), "{} of {all} live", count());
        assert_eq!(count(), count());
    }
}
