//! What the field says, as brokers report it: made up as time goes on, a stretch at a time. Between stretches all is settled.
//!
//! Within a stretch a device answers or is silent, and the link of one terminal, of the node, or of none moves.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{DeviceId, Mac, Timestamp};
use jobs::{Job, ProcessResults, report::Report};

use super::{
    chance::Chance,
    says::{Answers, Say},
    site::{self, NODE},
    truth::{Link, Told, Truth},
    world::{DEBOUNCE_MS, World},
};

/// Degrees, in tenths: normal, within the deadband of the common limit, and past one limit or both.
const TENTHS: [i16; 8] = [250, 205, 250, 295, 330, 380, 50, 330];

/// The field, and what is true of it.
pub(super) struct Field {
    /// What it said.
    pub(super) truth: Truth,
    chance: Chance,
    world: Arc<World>,
    answers: Answers,
    /// When it says something next; none when the stretch is over.
    pub(super) due: Option<Timestamp>,
    batches_left: u64,
    is_silent: BTreeMap<DeviceId, bool>,
    moves: Moves,
    on_their_way: Vec<Say>,
    asked: BTreeMap<DeviceId, Timestamp>,
    batches: u64,
    connection: u64,
    /// The batch of the last loss of the node.
    lost_in: String,
    ready: Timestamp,
    stamp: Timestamp,
}

/// Whose link moves in a stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Moves {
    Nobodys,
    Terminal(Mac),
    Node,
}

impl Field {
    /// One in which everything is on.
    pub(super) fn new(world: &Arc<World>, chance: Chance) -> Self {
        let truth = Truth::new();
        let mut field = Self {
            chance,
            world: Arc::clone(world),
            answers: Answers::of(site::protocol(world)),
            due: None,
            batches_left: 0,
            is_silent: truth.devices.keys().map(|device| (device.clone(), false)).collect(),
            moves: Moves::Nobodys,
            on_their_way: Vec::new(),
            asked: BTreeMap::new(),
            batches: 0,
            connection: 0,
            lost_in: String::new(),
            ready: world.now(),
            stamp: world.now(),
            truth,
        };
        field.open();
        let macs: Vec<Mac> = field.truth.terminals.keys().cloned().collect();
        field.batch(&[Say::On(macs)]);
        field
    }

    /// Begins a stretch.
    pub(super) fn begin(&mut self) {
        let Self { chance, truth, .. } = self;
        for is_silent in self.is_silent.values_mut() {
            *is_silent = chance.once_in(3);
        }
        let macs: Vec<&Mac> = truth.terminals.keys().collect();
        self.moves = match chance.below(4) {
            _ if !truth.is_connected => Moves::Node,
            0 => Moves::Node,
            1 | 2 => Moves::Terminal((*chance.one_of(&macs)).clone()),
            _ => Moves::Nobodys,
        };
        self.batches_left = chance.between(1, 8);
        self.wait();
    }

    /// All that was said is worked off.
    pub(super) fn settle(&mut self) {
        let in_time = self.ready.plus(Duration::from_millis(DEBOUNCE_MS));
        let was_noticed = self.world.worked_off(&self.lost_in).is_some_and(|at| at < in_time);
        self.truth.settle(was_noticed);
    }

    fn wait(&mut self) {
        let pause = Duration::from_millis(*self.chance.one_of(&[5, 40, 200, 700, 1500]));
        self.due = (self.batches_left > 0).then(|| self.world.now().plus(pause));
    }

    /// Says what comes next.
    pub(super) fn speak(&mut self) {
        self.batches_left = self.batches_left.saturating_sub(1);
        let mut says = Vec::new();
        for _ in 0..self.chance.between(1, 3) {
            says.extend(self.device());
        }
        if self.chance.once_in(2) {
            says.extend(self.move_link());
        }
        if self.batches_left == 0 {
            says.append(&mut self.on_their_way);
        }
        if !says.is_empty() {
            self.batch(&says);
        }
        self.wait();
    }

    /// What a device says, if it can be asked: some answers wait on their way, and some are posted twice.
    fn device(&mut self) -> Option<Say> {
        let devices: Vec<DeviceId> = self.truth.devices.keys().cloned().collect();
        let device = self.chance.one_of(&devices).clone();
        if !self.truth.is_connected || self.truth.link(&device.mac) != Link::On {
            return None;
        }
        if self.is_silent[&device] {
            let is_garbled = self.chance.once_in(4);
            let may_miss = self.truth.devices[&device].missed < MOST_MISSES;
            return may_miss.then_some(if is_garbled { Say::Garbled(device) } else { Say::Missed(device) });
        }
        let asked = self.asks(&device);
        let say = Say::Answer(device, asked, *self.chance.one_of(&TENTHS));
        match self.chance.below(8) {
            0 => {
                self.on_their_way.push(say);
                None
            }
            1 => {
                self.on_their_way.push(say.clone());
                Some(say)
            }
            2 if !self.on_their_way.is_empty() => {
                self.on_their_way.push(say);
                let first = self.chance.index(self.on_their_way.len());
                Some(self.on_their_way.remove(first))
            }
            _ => Some(say),
        }
    }

    /// A device is asked not long ago, and after it was asked before.
    fn asks(&mut self, device: &DeviceId) -> Timestamp {
        let ago = Duration::from_millis(self.chance.between(1, 150));
        let before = self.asked.get(device).map_or(Timestamp::default(), |asked| asked.plus(Duration::from_millis(1)));
        let since = self.truth.terminals[&device.mac].1.came.plus(Duration::from_millis(1));
        let earliest = before.max(since);
        // Nothing is asked ahead of its time.
        self.world.clock.advance(earliest.since(self.world.now()));
        let asked = self.world.now().minus(ago).max(earliest);
        self.asked.insert(device.clone(), asked);
        asked
    }

    /// The next that happens to the link that moves.
    fn move_link(&mut self) -> Vec<Say> {
        match self.moves.clone() {
            Moves::Nobodys => Vec::new(),
            Moves::Terminal(mac) if self.truth.link(&mac) == Link::On => vec![Say::Off(mac)],
            Moves::Terminal(mac) => vec![Say::On(vec![mac])],
            Moves::Node if !self.truth.is_connected => vec![Say::Ready],
            Moves::Node => {
                let away = self.truth.terminals.iter().filter(|(_, (link, _))| *link != Link::On);
                let back: Vec<Mac> = away.map(|(mac, _)| mac.clone()).filter(|_| self.chance.once_in(2)).collect();
                if back.is_empty() || self.chance.once_in(4) { vec![Say::Lost] } else { vec![Say::On(back)] }
            }
        }
    }

    /// One batch of the broker.
    fn batch(&mut self, says: &[Say]) {
        let mut reports = Vec::new();
        let is_lost = says.contains(&Say::Lost);
        self.batches += 1;
        for say in says {
            self.report(say, &mut reports);
        }
        let job = ProcessResults { batch: self.batch_name(), reports };
        self.world.trace.tell(|| format!("the broker reports {}: {}", job.batch, self.shown(&job.reports)));
        self.world.enqueue(job.message());
        if is_lost {
            self.lost_in.clone_from(&job.batch);
            site::close_session(&self.world, self.connection);
        }
    }

    fn batch_name(&self) -> String {
        format!("batch-{}", self.batches)
    }

    fn shown(&self, reports: &[Report]) -> String {
        let shown = |report: &Report| {
            format!("{} {}", self.world.trace.shown(report.at), super::says::shown(report, &self.world.trace))
        };
        reports.iter().map(shown).collect::<Vec<_>>().join("; ")
    }

    /// One report: what it says is true from now on.
    fn report(&mut self, say: &Say, reports: &mut Vec<Report>) {
        let at = self.stamp();
        let overtaken = self.learn(say, at);
        if *say == Say::Ready {
            self.open();
            reports.push(Report { node: NODE.to_owned(), at, event: jobs::report::Event::NodeRegistered });
            let ready = self.stamp();
            self.ready = ready;
            self.truth.node_ready(at, ready);
            reports.push(Report { node: NODE.to_owned(), at: ready, event: jobs::report::Event::NodeReady });
            return;
        }
        let counted = say.device().map_or(0, |device| self.truth.devices[device].counted);
        reports.push(Report { node: NODE.to_owned(), at, event: self.answers.event(say, counted, overtaken) });
    }

    /// What a report makes true. Whether it is of an answer that the broker knows a newer one to.
    fn learn(&mut self, say: &Say, at: Timestamp) -> bool {
        match say {
            Say::Answer(device, asked, tenths) => {
                let newest = self.truth.devices[device].readings.last_key_value().map(|(asked, _)| *asked);
                // A broker that was started anew does not know.
                let is_overtaken = newest.is_some_and(|newest| *asked < newest) && !self.chance.once_in(4);
                let batch = self.batch_name();
                self.truth.answered(device, batch, *asked, Told { tenths: *tenths, is_overtaken });
                return is_overtaken;
            }
            Say::Missed(device) => self.truth.missed(device, at, true),
            Say::Garbled(device) => self.truth.missed(device, at, false),
            Say::On(macs) => self.truth.on(macs, at),
            Say::Off(mac) => self.truth.off(mac, at),
            Say::Lost => self.truth.node_lost(at),
            Say::Ready => {}
        }
        false
    }

    /// An instant that no other report has.
    fn stamp(&mut self) -> Timestamp {
        self.stamp = self.world.now().max(self.stamp.plus(Duration::from_millis(1)));
        self.stamp
    }

    fn open(&mut self) {
        self.connection += 1;
        site::open_session(&self.world, self.connection);
    }
}

/// Fewer than those at which a gateway reboots a terminal.
const MOST_MISSES: u32 = 8;
