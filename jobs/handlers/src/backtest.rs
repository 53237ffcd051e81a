//! What an alert rule would have raised over what was read, and whom it would have told how often.

mod consequences;
mod incidents;
mod trace;
mod variants;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    DeviceId, Mac, Pid, Source, Timestamp,
    alarm::{Change, Condition, Episode, Evidence, Fact, Flapping, Replay, Rule, RuleSet, episodes},
    reading::Reading,
    routing::incident::Pace,
};
use records::{
    Listed, Table, TableError,
    alert_rules::Recipients,
    readings,
    terminals::{Device, Terminal},
};

pub use consequences::{ASSUMED, Told};
pub use trace::{Point, Trace};
pub use variants::{Remedy, Variant, Variants, variants};

use consequences::Consequences;

use crate::settings::{AlarmSettings, NoticeSettings};

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Backtest {
    /// The rule; whose id says whose it is.
    pub rule: Rule,
    /// Who hears of it beside those who see what it is about.
    pub recipients: Recipients,
    /// How the installation tells.
    pub terms: Terms,
    /// The terminals that may hold devices that it watches.
    pub terminals: Vec<Terminal>,
    /// The first instant of arrival.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
    /// The most readings that are looked at; what is left then is not.
    pub most_readings: usize,
}

/// How an installation tells of alarms, as far as its operator chose.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    pace: Pace,
    flapping: Flapping,
}

impl Terms {
    /// As these say.
    pub fn of(notices: &NoticeSettings, alarms: &AlarmSettings) -> Self {
        Self { pace: notices.pace(), flapping: alarms.flapping() }
    }

    /// For how long somebody's word that they take an alarm on holds; for good without.
    pub fn word_lasts(&self) -> Option<Duration> {
        self.pace.acknowledgement
    }
}

/// What would have been.
#[derive(Debug, Clone, PartialEq)]
pub struct WouldHaveBeen {
    /// How many readings were looked at.
    pub readings: usize,
    /// Each device in the rule's scope that was looked at, the one with the most alarms first.
    pub devices: Vec<OfDevice>,
    /// How often each person would have been told on each channel.
    pub told: Vec<Told>,
    /// How many devices were not looked at, or not to the end, since there were too many readings.
    pub left_out: usize,
}

/// What would have been on one device.
#[derive(Debug, Clone, PartialEq)]
pub struct OfDevice {
    /// The device.
    pub device: DeviceId,
    /// What people call its terminal.
    pub terminal: String,
    /// Its alarms, oldest first.
    pub alarms: Vec<Episode>,
    /// What the value was that the rule names first.
    pub trace: Trace,
}

impl WouldHaveBeen {
    /// All alarms.
    pub fn alarms(&self) -> impl Iterator<Item = (&OfDevice, &Episode)> {
        self.devices.iter().flat_map(|device| device.alarms.iter().map(move |alarm| (device, alarm)))
    }

    /// All alarms, the newest first.
    pub fn latest(&self) -> Vec<(&OfDevice, &Episode)> {
        let mut alarms: Vec<_> = self.alarms().collect();
        alarms.sort_by_key(|(_, alarm)| std::cmp::Reverse(alarm.raised));
        alarms
    }

    /// How many of them would still stand.
    pub fn standing(&self) -> usize {
        self.alarms().filter(|(_, alarm)| alarm.cleared.is_none()).count()
    }

    /// For how long there would have been an alarm up to `until`, over all devices.
    pub fn active(&self, until: Timestamp) -> Duration {
        self.alarms().map(|(_, alarm)| alarm.lasted(until)).sum()
    }
}

/// The part of a condition that cannot be tried: what was read is kept, what was missed or lost is not.
pub fn untriable(condition: &Condition) -> bool {
    condition.rests_on_misses() || condition.is_of_links()
}

impl Backtest {
    /// Tries the rule on each device that `is_watched`; `went_on` hears how many terminals are done.
    ///
    /// # Errors
    /// The table's.
    pub async fn run(
        &self,
        table: &dyn Table,
        is_watched: impl Fn(&Terminal, &Device) -> bool,
        mut went_on: impl FnMut(usize),
    ) -> Result<WouldHaveBeen, TableError> {
        let mut consequences = Consequences::of(table, self).await?;
        let mut found = WouldHaveBeen { readings: 0, devices: Vec::new(), told: Vec::new(), left_out: 0 };
        for (done, terminal) in self.terminals.iter().enumerate() {
            let watched: Vec<Pid> = terminal
                .devices
                .iter()
                .filter(|device| is_watched(terminal, device))
                .map(|device| device.pid)
                .collect();
            if found.readings >= self.most_readings {
                found.left_out += watched.len();
            } else if !watched.is_empty() {
                match self.of_terminal(table, terminal, &watched, &mut found.readings).await? {
                    Some(devices) => {
                        for (device, changes) in devices {
                            consequences.add(table, terminal, &device.device, &changes).await?;
                            found.devices.push(device);
                        }
                    }
                    None => found.left_out += watched.len(),
                }
            }
            went_on(done + 1);
        }
        found.devices.sort_by_key(|device| std::cmp::Reverse(device.alarms.len()));
        found.told = consequences.told(table, self.to).await?;
        Ok(found)
    }

    /// What would have been on a terminal's devices; none where they said more than is looked at.
    async fn of_terminal(
        &self,
        table: &dyn Table,
        terminal: &Terminal,
        watched: &[Pid],
        looked_at: &mut usize,
    ) -> Result<Option<Vec<(OfDevice, Vec<Change>)>>, TableError> {
        // Nobody is there to reset it.
        let rule = Rule { latched: false, ..self.rule.clone() };
        let rules = RuleSet::new([Arc::new(rule)]).damped(self.terms.flapping);
        let name = self.rule.condition.names().first().map(|name| (*name).to_owned());
        let mut devices: BTreeMap<Pid, (Replay, Trace)> = watched
            .iter()
            .map(|pid| {
                let source = Source::Device(terminal.device_id(*pid));
                (*pid, (Replay::new(source, rules.clone()), Trace::new(name.clone(), self.from, self.to)))
            })
            .collect();
        let most = self.most_readings - *looked_at;
        let is_whole = each_reading(table, &terminal.mac, (self.from, self.to), most, |reading| {
            if let Some((replay, trace)) = devices.get_mut(&reading.device.pid) {
                *looked_at += 1;
                replay.see(&evidence(reading));
                trace.see(reading);
            }
        })
        .await?;
        if !is_whole {
            return Ok(None);
        }
        let ended = devices.into_iter().map(|(pid, (replay, trace))| {
            let changes = replay.end(self.to);
            let (device, terminal) = (terminal.device_id(pid), terminal.name.clone());
            (OfDevice { device, terminal, alarms: episodes(&changes), trace }, changes)
        });
        Ok(Some(ended.collect()))
    }
}

/// Shows every reading of a terminal's devices that was not late, in the order of arrival, up to about `most`. Whether that was all.
async fn each_reading(
    table: &dyn Table,
    mac: &Mac,
    span: (Timestamp, Timestamp),
    most: usize,
    mut see: impl FnMut(&Reading),
) -> Result<bool, TableError> {
    let (mut after, mut seen) = (None, 0);
    loop {
        let Listed { items, next } = readings::replayed(table, mac, span, after).await?;
        for reading in items.iter().filter(|reading| !reading.late) {
            see(reading);
        }
        seen += items.len();
        after = next;
        if after.is_none() || seen >= most {
            return Ok(after.is_none());
        }
    }
}

/// A reading as the machine was told of it.
fn evidence(reading: &Reading) -> Evidence {
    let source = Source::Device(reading.device.clone());
    let at = reading.asked.min(reading.arrived);
    Evidence::new(format!("{}/{source}", reading.arrived.sortable()), source, at, Fact::of_reading(reading))
}
