//! Alert rules that people made.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | [`AlertRule`] | `alert-rule` | the id of its rule: `rule:` id, or a person's own: `user:` name `:rule:` id |
//! | an earlier version of it | `alert-rule-history#` the id of its rule | version |
//! | [`Marker`] | `alert-rules` | `marker` |
//!
//! A rule is one item, so that as many as can be are changed at once, and one partition holds both everybody's and each
//! person's as a range. Every change moves the marker: who works with the rules reads that, and all of them only when it moved.

mod change;

use std::{collections::BTreeSet, time::Duration};

use domain::{
    DeviceId, Mac, NodeName, Timestamp,
    alarm::{self, Rule, RuleId, Target},
};
use serde::{Deserialize, Serialize};

pub use change::{Change, Changed, MOST, MOST_AT_ONCE, MOST_OF_A_USER, change};

use crate::{
    Key, Listed, Range, Table, TableError, Versioned, record,
    terminals::{Device, Terminal},
};

const PAGE: usize = 500;

/// How long an earlier version is kept.
pub const HISTORY_RETENTION: Duration = Duration::from_hours(24 * 365);

/// A rule that somebody made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRule {
    /// A ULID.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whose it is: what it raises is told to them alone. None for everybody's, which an administrator made.
    pub owner: Option<String>,
    /// What it watches.
    #[serde(default, skip_serializing_if = "is_device")]
    pub target: Target,
    /// Which of them.
    pub scope: Scope,
    /// The common rule that it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaced>,
    /// Whether it watches at all.
    pub enabled: bool,
    /// Who hears beside those who see the devices. None of a person's own.
    #[serde(default, skip_serializing_if = "Recipients::is_empty")]
    pub recipients: Recipients,
    /// What is watched; its id is [`rule_id`]'s.
    pub rule: Rule,
    /// Which writing of it this is, 1 for the first.
    pub version: u64,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Who did that.
    pub changed_by: String,
}

/// Who hears of what a rule raises, whatever they see.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipients {
    /// Users.
    pub users: BTreeSet<String>,
    /// Rotas: whoever is on call then.
    pub rotas: BTreeSet<String>,
}

impl Recipients {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.rotas.is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_device(target: &Target) -> bool {
    *target == Target::Device
}

/// A common rule that another one stands in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// Its id: `offline`, `threshold:temperature`, `rule:` id.
    pub rule: RuleId,
    /// Since when: its owner is told the end of what began before.
    pub since: Timestamp,
}

/// Which devices, terminals, nodes or parts of the platform a rule watches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// All of them.
    Everywhere,
    /// A node; or what hangs on it.
    Node {
        /// Its name.
        node: NodeName,
    },
    /// A part of the platform.
    Part {
        /// What it is called: `broker:8081`, or `broker:<machine>:8081` where there are several.
        part: String,
    },
    /// Those that speak a protocol.
    Protocol {
        /// The protocol.
        protocol: String,
    },
    /// Those of a kind: `UPS`.
    DeviceType {
        /// The kind, as the terminals' devices have it.
        device_type: String,
    },
    /// Those on the line of a terminal.
    Terminal {
        /// The terminal.
        mac: Mac,
    },
    /// One.
    Device(DeviceId),
}

impl Scope {
    /// Whether it holds a device of a terminal.
    pub fn holds(&self, terminal: &Terminal, mounted: &Device) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Protocol { protocol } => mounted.protocol == *protocol,
            Self::DeviceType { device_type } => mounted.kind == *device_type,
            Self::Node { node } => terminal.node == *node,
            Self::Terminal { mac } => terminal.mac == *mac,
            Self::Device(device) => terminal.mac == device.mac && mounted.pid == device.pid,
            Self::Part { .. } => false,
        }
    }

    /// The terminal that it is about, if it is about one.
    pub fn mac(&self) -> Option<&Mac> {
        match self {
            Self::Terminal { mac } => Some(mac),
            Self::Device(device) => Some(&device.mac),
            Self::Everywhere
            | Self::Protocol { .. }
            | Self::DeviceType { .. }
            | Self::Node { .. }
            | Self::Part { .. } => None,
        }
    }

    /// Whether there can be anything of a target in it.
    pub fn fits(&self, target: Target) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Protocol { .. } | Self::DeviceType { .. } | Self::Device(_) => target == Target::Device,
            Self::Terminal { .. } => matches!(target, Target::Device | Target::Terminal),
            Self::Node { .. } => target != Target::Platform,
            Self::Part { .. } => target == Target::Platform,
        }
    }
}

impl AlertRule {
    /// The common rule whose place it takes while it is in force. One that is only tried out takes nobody's.
    pub fn in_place_of(&self) -> Option<&Replaced> {
        self.replaces.as_ref().filter(|_| self.enabled && !self.rule.shadow)
    }
}

/// What every change of a rule moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marker {
    /// How many rules there are.
    pub rules: usize,
}

/// What the names of rules begin with that people made for everybody.
const EVERYBODYS: &str = "rule:";

/// Whether what the alarm machine knows by this name is a rule that people made for everybody.
pub fn is_everybodys(rule: &str) -> bool {
    rule.starts_with(EVERYBODYS)
}

/// What the alarm machine knows a rule by.
pub fn rule_id(owner: Option<&str>, id: &str) -> RuleId {
    let common = format!("{EVERYBODYS}{id}");
    owner.map_or_else(|| common.clone(), |owner| alarm::owned(owner, &common))
}

/// The rule of that id among everybody's and those of a user.
pub async fn get(table: &dyn Table, user: &str, id: &str) -> Result<Option<AlertRule>, TableError> {
    let keys = [None, Some(user)].map(|owner| key(&rule_id(owner, id)));
    let items = table.get_many(&keys).await?;
    items.first().map(|item| record::decode(item).map(|rule| rule.value)).transpose()
}

/// The rule of that id among everybody's.
pub async fn everybodys(table: &dyn Table, id: &str) -> Result<Option<AlertRule>, TableError> {
    Ok(record::get(table, &key(&rule_id(None, id))).await?.map(|rule| rule.value))
}

/// A page of everybody's rules (of no owner), or of a person's, in the order of their ids.
pub async fn list(
    table: &dyn Table,
    owner: Option<&str>,
    limit: usize,
    after: Option<String>,
) -> Result<Listed<AlertRule>, TableError> {
    record::page(table, &Range::all("alert-rule", limit).prefix(&rule_id(owner, "")).after(after)).await
}

/// Every rule there is; in its place what is wrong with one that cannot be read.
pub async fn all(table: &dyn Table) -> Result<Vec<Result<AlertRule, TableError>>, TableError> {
    let mut range = Range::all("alert-rule", PAGE);
    let mut rules = Vec::new();
    loop {
        let page = table.query(&range).await?;
        rules.extend(page.items.iter().map(|item| record::decode(item).map(|rule| rule.value)));
        if page.next.is_none() {
            return Ok(rules);
        }
        range.after = page.next;
    }
}

/// Where the rules stand: its version moves with every change of a rule, 0 before the first.
pub async fn marker(table: &dyn Table) -> Result<Versioned<Marker>, TableError> {
    record::get_or_default(table, &marker_key()).await
}

/// A page of a rule's earlier versions, newest first, `before` that one.
pub async fn history(
    table: &dyn Table,
    rule: &str,
    before: u64,
    limit: usize,
) -> Result<Listed<AlertRule>, TableError> {
    let range = Range::all(history_partition(rule), limit).between("", sortable(before.saturating_sub(1)));
    record::page(table, &range.newest_first()).await
}

/// The newest of a rule's earlier versions: of one that was deleted, the last.
pub async fn last_version(table: &dyn Table, rule: &str) -> Result<Option<AlertRule>, TableError> {
    Ok(history(table, rule, u64::MAX, 1).await?.items.pop())
}

fn key(rule: &str) -> Key {
    Key::new("alert-rule", rule)
}

fn marker_key() -> Key {
    Key::new("alert-rules", "marker")
}

fn history_partition(rule: &str) -> String {
    format!("alert-rule-history#{rule}")
}

fn sortable(version: u64) -> String {
    format!("{version:020}")
}
