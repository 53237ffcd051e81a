//! What the field said, and what of it must be so in the end: a model that is simpler than the machine, and shares nothing
//! with it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{DeviceId, Mac, Timestamp};

use super::{
    site::{TERMINALS, pids},
    world::MISSES_ALLOWED,
};

/// How an alarm must stand once everything is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// It is active.
    Active,
    /// It is not.
    Quiet,
    /// It hangs on the order in which what came together was looked at.
    Either,
}

/// A reading that was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Tenths of a degree.
    pub(super) tenths: i16,
    /// Whether the broker saw a newer one before: then it is kept and watched by nobody.
    pub(super) is_overtaken: bool,
}

/// What a device said.
#[derive(Debug, Clone)]
pub(super) struct DeviceTruth {
    /// By the instant it was asked at.
    pub(super) readings: BTreeMap<Timestamp, Told>,
    /// Each batch that an answer came in, and when that was asked.
    pub(super) posts: BTreeSet<(String, Timestamp)>,
    /// When it was reported to have missed.
    pub(super) misses: BTreeSet<Timestamp>,
    /// How its timeout alarm must stand.
    pub(super) timeout: Demand,
    /// Misses since it answered, as the gateway counts them.
    pub(super) counted: u32,
    /// The same with the answers that nothing could be made of, which are none.
    pub(super) missed: u32,
    /// How many of those there were when the last came in together with comings and goings of its terminal: they may all be taken for
    /// explained, where that it was there for a moment is heard of after it went and came again.
    explained: u32,
    has_missed: bool,
    has_answered: bool,
}

/// Whether a terminal is on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    On,
    /// It left, or did not come back.
    Off,
    /// Its node is lost; whether it was given up before that hangs on the order.
    Unknown {
        may_be_given_up: bool,
    },
    /// Its node is back without it, and whether anybody noticed hangs on the order.
    Missing,
}

/// What happened to the link of a terminal or node.
#[derive(Debug, Clone, Default)]
pub(super) struct LinkTruth {
    /// When it may have been lost.
    pub(super) lost: BTreeSet<Timestamp>,
    /// When it was seen.
    pub(super) seen: BTreeSet<Timestamp>,
    /// When it came last.
    pub(super) came: Timestamp,
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    pub(super) devices: BTreeMap<DeviceId, DeviceTruth>,
    pub(super) terminals: BTreeMap<Mac, (Link, LinkTruth)>,
    pub(super) node: LinkTruth,
    pub(super) is_connected: bool,
    /// Those whose link moved since all was settled.
    moved: BTreeSet<Mac>,
}

impl Truth {
    /// Everything is on, and nothing was said.
    pub(super) fn new() -> Self {
        let silent = DeviceTruth {
            readings: BTreeMap::new(),
            posts: BTreeSet::new(),
            misses: BTreeSet::new(),
            timeout: Demand::Quiet,
            counted: 0,
            missed: 0,
            explained: 0,
            has_missed: false,
            has_answered: false,
        };
        let macs: Vec<Mac> = TERMINALS.iter().map(|(mac, _)| mac.parse().unwrap()).collect();
        let devices = macs.iter().flat_map(|mac| pids(mac).iter().map(|pid| DeviceId { mac: mac.clone(), pid: *pid }));
        Self {
            devices: devices.map(|device| (device, silent.clone())).collect(),
            terminals: macs.into_iter().map(|mac| (mac, (Link::On, LinkTruth::default()))).collect(),
            node: LinkTruth::default(),
            is_connected: true,
            moved: BTreeSet::new(),
        }
    }

    /// How a terminal stands.
    pub(super) fn link(&self, mac: &Mac) -> Link {
        self.terminals[mac].0
    }

    /// A device answered, in this batch.
    pub(super) fn answered(&mut self, device: &DeviceId, batch: String, asked: Timestamp, told: Told) {
        let truth = self.devices.get_mut(device).unwrap();
        truth.readings.entry(asked).or_insert(told);
        truth.posts.insert((batch, asked));
        (truth.counted, truth.missed, truth.explained, truth.has_answered) = (0, 0, 0, true);
        self.terminals.get_mut(&device.mac).unwrap().1.seen.insert(asked);
    }

    /// A device did not, or nothing could be made of what it said.
    pub(super) fn missed(&mut self, device: &DeviceId, at: Timestamp, is_silent: bool) {
        let truth = self.devices.get_mut(device).unwrap();
        truth.misses.insert(at);
        truth.counted = if is_silent { truth.counted + 1 } else { 0 };
        truth.missed += 1;
        truth.has_missed = true;
    }

    /// Terminals are on their node.
    pub(super) fn on(&mut self, macs: &[Mac], at: Timestamp) {
        for mac in macs {
            let (link, truth) = self.terminals.get_mut(mac).unwrap();
            *link = Link::On;
            truth.seen.insert(at);
            truth.came = at;
            self.moved.insert(mac.clone());
        }
    }

    /// A terminal left.
    pub(super) fn off(&mut self, mac: &Mac, at: Timestamp) {
        let (link, truth) = self.terminals.get_mut(mac).unwrap();
        *link = Link::Off;
        truth.lost.insert(at);
        self.moved.insert(mac.clone());
    }

    /// The node is lost.
    pub(super) fn node_lost(&mut self, at: Timestamp) {
        self.is_connected = false;
        self.node.lost.insert(at);
        for (mac, (link, _)) in &mut self.terminals {
            match link {
                Link::On => *link = Link::Unknown { may_be_given_up: false },
                Link::Missing => *link = Link::Unknown { may_be_given_up: true },
                Link::Off | Link::Unknown { .. } => {}
            }
            self.moved.insert(mac.clone());
        }
    }

    /// The node is back, and ready.
    pub(super) fn node_ready(&mut self, registered: Timestamp, ready: Timestamp) {
        self.is_connected = true;
        self.node.seen.insert(registered);
        for (mac, (link, truth)) in &mut self.terminals {
            if let Link::Unknown { may_be_given_up } = link {
                *may_be_given_up = true;
            }
            truth.lost.insert(ready);
            self.moved.insert(mac.clone());
        }
    }

    /// Everything that was said is worked off, and every delay has run out. A loss of the node that is looked at only after its
    /// terminals should have been back is noticed by nobody.
    pub(super) fn settle(&mut self, was_noticed: bool) {
        for (link, _) in self.terminals.values_mut() {
            if self.is_connected && matches!(link, Link::Unknown { .. }) {
                *link = if was_noticed { Link::Off } else { Link::Missing };
            }
        }
        for (device, truth) in &mut self.devices {
            truth.settle(self.moved.contains(&device.mac));
        }
        self.moved.clear();
    }

    /// How a terminal's alarm must stand.
    pub(super) fn offline(&self, mac: &Mac) -> Demand {
        match self.link(mac) {
            Link::Off => Demand::Active,
            Link::Missing | Link::Unknown { may_be_given_up: true } => Demand::Either,
            Link::On | Link::Unknown { .. } => Demand::Quiet,
        }
    }
}

impl DeviceTruth {
    /// The newest reading.
    pub(super) fn latest(&self) -> Option<Told> {
        self.readings.last_key_value().map(|(_, told)| *told)
    }

    /// What misses and answers mean of one that `moved` came with comings and goings hangs on their order: while a link is
    /// lost, silence says nothing.
    fn settle(&mut self, moved: bool) {
        let demand = match (self.has_missed, self.has_answered) {
            (false, false) => self.timeout,
            (_, true) if !moved => Demand::Quiet,
            (_, true) if self.timeout == Demand::Quiet => Demand::Quiet,
            (_, true) => Demand::Either,
            (true, false) if self.timeout == Demand::Active => Demand::Active,
            (true, false) if self.missed <= MISSES_ALLOWED => self.timeout,
            (true, false) if moved || self.counted.saturating_sub(self.explained) <= MISSES_ALLOWED => Demand::Either,
            (true, false) => Demand::Active,
        };
        self.timeout = demand;
        if moved && self.has_missed {
            self.explained = self.missed;
        }
        (self.has_missed, self.has_answered) = (false, false);
    }
}
