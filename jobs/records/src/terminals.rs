//! Terminals, the devices on them, and how each line stands.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`Terminal`] | `terminal#` mac | `terminal` |
//! | [`Standing`] | `terminal#` mac | `standing` |
//! | the terminals of a node | `node-terminals#` name | mac |
//! | every terminal's mac | `terminals` | mac |

use std::collections::BTreeMap;

use domain::{
    DeviceId, Mac, NodeName, Pid, Timestamp,
    schedule::{DataPlan, Uplink},
};
use serde::{Deserialize, Serialize};

use crate::{Key, Listed, Range, Table, TableError, Versioned, Write, readings, record, sites};

const PAGE: usize = 1000;

/// A DTU and what hangs on its line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terminal {
    /// Its name on the wire.
    pub mac: Mac,
    /// What people call it.
    pub name: String,
    /// The node it connects to.
    pub node: NodeName,
    /// The devices on its line.
    pub devices: Vec<Device>,
    /// The SIM's number, when it has one.
    #[serde(default)]
    pub iccid: Option<String>,
    /// The SIM's data plan, when it is known.
    #[serde(default)]
    pub data_plan: Option<DataPlan>,
    /// What the node found out about it: field name to value.
    #[serde(default)]
    pub info: BTreeMap<String, String>,
}

impl Terminal {
    /// The device at an address.
    pub fn device(&self, pid: Pid) -> Option<&Device> {
        self.devices.iter().find(|device| device.pid == pid)
    }

    /// How it reaches us.
    pub fn uplink(&self) -> Uplink {
        match &self.iccid {
            Some(_) => Uplink::Sim(self.data_plan.clone()),
            None => Uplink::Wired,
        }
    }

    /// The device's full name.
    pub fn device_id(&self, pid: Pid) -> DeviceId {
        DeviceId { mac: self.mac.clone(), pid }
    }
}

/// A mounted device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its address on the line.
    pub pid: Pid,
    /// The model's name.
    pub model: String,
    /// The kind of device (`UPS`, `温湿度`).
    pub kind: String,
    /// The protocol it speaks.
    pub protocol: String,
    /// The shortest poll interval it stands, in milliseconds.
    #[serde(default)]
    pub min_interval_ms: u64,
}

/// Whether a terminal can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Not heard of since we know it, or its node is lost.
    #[default]
    Unknown,
    /// On its node.
    Online,
    /// Off its node.
    Offline,
}

/// How a terminal and its line stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Whether it can be asked.
    pub presence: Presence,
    /// Since when.
    pub since: Timestamp,
    /// The newest that told whether it is there: what is older does not undo it. Not `newest`: what a device says of what it
    /// was asked before does not tell that.
    pub heard: Timestamp,
    /// The newest report that counted: older ones change nothing.
    pub newest: Timestamp,
    /// Consecutive misses of the devices that miss.
    pub misses: BTreeMap<Pid, u32>,
    /// How many instructions a device that answers in part leaves unanswered.
    pub unanswered: BTreeMap<Pid, u32>,
    /// How many queries in a row a device that says it has a fault has not said which.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<Pid, u32>,
    /// How many replies could not be proven, by the reason's kind: the line's health.
    pub rejected: BTreeMap<String, u64>,
}

/// Stores a terminal, in place of one of the same mac, and moves it between nodes.
pub async fn put(table: &dyn Table, terminal: &Terminal) -> Result<(), TableError> {
    let mut writes = vec![
        record::put(key(&terminal.mac), terminal)?,
        record::put(Key::new("terminals", terminal.mac.as_str()), &terminal.mac)?,
        record::put(on_node(&terminal.node, &terminal.mac), &terminal.mac)?,
    ];
    if let Some(old) = get(table, &terminal.mac).await?.filter(|old| old.node != terminal.node) {
        writes.push(record::delete(on_node(&old.node, &terminal.mac)));
    }
    record::commit(table, writes).await
}

/// Removes a terminal: itself, how it stands, and its latest readings. Its history runs out by itself.
pub async fn delete(table: &dyn Table, terminal: &Terminal) -> Result<(), TableError> {
    let Terminal { mac, node, .. } = terminal;
    sites::put(table, mac, None).await?;
    let keys = [
        key(mac),
        standing_key(mac),
        readings::latest_key(mac),
        Key::new("terminals", mac.as_str()),
        on_node(node, mac),
    ];
    record::commit(table, keys.map(record::delete).into()).await
}

/// The write that stores what changed about a terminal that stays on its node.
pub fn update(terminal: &Versioned<Terminal>) -> Result<Write, TableError> {
    terminal.put_back(key(&terminal.value.mac), None)
}

/// The terminal of that mac.
pub async fn get(table: &dyn Table, mac: &Mac) -> Result<Option<Terminal>, TableError> {
    Ok(get_versioned(table, mac).await?.map(|terminal| terminal.value))
}

/// The terminal of that mac, to be updated.
pub async fn get_versioned(table: &dyn Table, mac: &Mac) -> Result<Option<Versioned<Terminal>>, TableError> {
    record::get(table, &key(mac)).await
}

/// Those of the terminals that are registered.
pub async fn get_many(table: &dyn Table, macs: &[Mac]) -> Result<BTreeMap<Mac, Terminal>, TableError> {
    let keys: Vec<Key> = macs.iter().map(key).collect();
    let items = table.get_many(&keys).await?;
    items.iter().map(|item| record::decode(item).map(|t: Versioned<Terminal>| (t.value.mac.clone(), t.value))).collect()
}

/// The macs on a node.
pub async fn of_node(table: &dyn Table, node: &str) -> Result<Vec<Mac>, TableError> {
    record::all(table, Range::all(format!("node-terminals#{node}"), PAGE)).await
}

/// A page of all macs, in order.
pub async fn list(table: &dyn Table, limit: usize, after: Option<String>) -> Result<Listed<Mac>, TableError> {
    record::page(table, &Range::all("terminals", limit).after(after)).await
}

/// Every terminal, in the order of macs.
pub async fn all(table: &dyn Table) -> Result<Vec<Terminal>, TableError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = list(table, PAGE, after).await?;
        all.extend(get_many(table, &page.items).await?.into_values());
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// The first terminal, in the order of macs, with a device that speaks this protocol. Reads every terminal before it.
pub async fn first_with_protocol(table: &dyn Table, protocol: &str) -> Result<Option<Mac>, TableError> {
    let speaks = |terminal: &Terminal| terminal.devices.iter().any(|device| device.protocol == protocol);
    let mut after = None;
    loop {
        let page = list(table, PAGE, after).await?;
        let terminals = get_many(table, &page.items).await?;
        if let Some(found) = terminals.into_values().find(|terminal| speaks(terminal)) {
            return Ok(Some(found.mac));
        }
        after = page.next;
        if after.is_none() {
            return Ok(None);
        }
    }
}

/// How a terminal stands.
pub async fn standing(table: &dyn Table, mac: &Mac) -> Result<Versioned<Standing>, TableError> {
    record::get_or_default(table, &standing_key(mac)).await
}

/// How terminals stand; those never heard of are left out.
pub async fn standings(table: &dyn Table, macs: &[Mac]) -> Result<BTreeMap<Mac, Standing>, TableError> {
    let keys: BTreeMap<Key, &Mac> = macs.iter().map(|mac| (standing_key(mac), mac)).collect();
    let items = table.get_many(&keys.keys().cloned().collect::<Vec<_>>()).await?;
    items
        .iter()
        .filter_map(|item| keys.get(&item.key).map(|mac| (item, (*mac).clone())))
        .map(|(item, mac)| record::decode(item).map(|standing: Versioned<Standing>| (mac, standing.value)))
        .collect()
}

/// The write that stores how a terminal stands now.
pub fn put_standing(mac: &Mac, standing: &Versioned<Standing>) -> Result<Write, TableError> {
    standing.put_back(standing_key(mac), None)
}

pub(crate) fn key(mac: &Mac) -> Key {
    Key::new(format!("terminal#{mac}"), "terminal")
}

pub(crate) fn standing_key(mac: &Mac) -> Key {
    Key::new(format!("terminal#{mac}"), "standing")
}

fn on_node(node: &str, mac: &Mac) -> Key {
    Key::new(format!("node-terminals#{node}"), mac.as_str())
}
