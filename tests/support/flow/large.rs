//! A node on which very much hangs.

use domain::{Mac, Pid};
use jobs::report::Event;
use records::{
    terminals::{self, Device, Terminal},
    users::{self, Role},
};

use super::{Flow, mac};

/// A node's terminals, and the people who see some of them each.
#[derive(Debug, Clone, Copy)]
pub struct LargeNode {
    /// How many terminals.
    pub terminals: u32,
    /// How many devices each has.
    pub devices: Pid,
    /// How many people see a part of the terminals each.
    pub people: usize,
}

impl LargeNode {
    /// The terminals' macs.
    pub fn macs(&self) -> Vec<Mac> {
        (0..self.terminals).map(|number| format!("98D8{number:08X}").parse().unwrap()).collect()
    }

    /// What people are called.
    pub fn person(number: usize) -> String {
        format!("person{number}")
    }
}

impl Flow {
    /// Hangs that on the node, where all of it is there. Of all, root hears.
    pub async fn has(&self, large: LargeNode) {
        let table = self.cx.table.as_ref();
        let known = terminals::get(table, &mac()).await.unwrap().unwrap();
        let devices: Vec<_> = (1..=large.devices).map(|pid| Device { pid, ..known.devices[0].clone() }).collect();
        self.hire("root", Role::Admin).await;
        for number in 0..large.people {
            self.hire(&LargeNode::person(number), Role::User).await;
        }
        for (number, mac) in large.macs().into_iter().enumerate() {
            let terminal = Terminal {
                mac: mac.clone(),
                name: format!("Hall {number}"),
                devices: devices.clone(),
                ..known.clone()
            };
            terminals::put(table, &terminal).await.unwrap();
            users::bind(table, &LargeNode::person(number % large.people), &mac).await.unwrap();
        }
        self.reports([Event::NodeRegistered, Event::TerminalsOn { macs: large.macs() }]).await;
        self.settle().await;
    }
}
