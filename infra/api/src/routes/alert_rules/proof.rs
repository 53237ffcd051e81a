//! Whether a rule makes sense, and whether it is about what its maker may see.

use std::collections::BTreeSet;

use domain::{
    alarm::{Condition, RuleId, Target},
    protocol::ProtocolDocument,
};
use records::{
    alert_rules::{self, Recipients, Scope},
    nodes, protocols,
    routing::{self, StoredRota},
    terminals::{self, Device, Terminal},
    users::{self, Role, User},
};

use super::{form::RuleForm, is_id};
use crate::{error::ApiError, site::Site};

/// The most bytes a rule may have.
const MOST_BYTES: usize = 16 * 1024;
const PAGE: usize = 500;

/// What somebody who makes rules may see.
pub(super) struct Seen {
    /// Whether that is everything: then only the terminals that the rules name are among these.
    everything: bool,
    terminals: Vec<Terminal>,
    protocols: Vec<ProtocolDocument>,
    /// What recipients that the rules name are not there, as faults.
    strangers: Vec<(Recipients, Vec<String>)>,
    /// Those of the nodes and of everybody's rules that the rules name, and that are there.
    nodes: BTreeSet<String>,
    everybodys: Vec<(RuleId, Target)>,
}

impl Seen {
    /// What a user may see, as far as a rule of this form needs it.
    pub(super) async fn by(site: &Site, user: &User, forms: &[&RuleForm]) -> Result<Self, ApiError> {
        let mut strangers = Vec::new();
        for form in forms.iter().filter(|form| !form.recipients.is_empty()) {
            strangers.push((form.recipients.clone(), unknown(site, &form.recipients).await?));
        }
        let nodes = known_nodes(site, forms).await?;
        let everybodys = known_rules(site, forms).await?;
        Ok(Self { strangers, nodes, everybodys, ..Self::spoken_to(site, user, forms).await? })
    }

    /// The same, once these rules of everybody's are there.
    pub(super) fn with(mut self, everybodys: Vec<(RuleId, Target)>) -> Self {
        self.everybodys.extend(everybodys);
        self
    }

    /// The same, as far as it says what can hardly be meant.
    pub(super) async fn spoken_to(site: &Site, user: &User, forms: &[&RuleForm]) -> Result<Self, ApiError> {
        let table = &*site.table;
        let everything = user.role == Role::Admin;
        let macs = if everything {
            let named: BTreeSet<_> = forms.iter().filter_map(|form| form.scope.mac()).cloned().collect();
            named.into_iter().collect()
        } else {
            users::terminals(table, &user.user).await?
        };
        let terminals: Vec<Terminal> = terminals::get_many(table, &macs).await?.into_values().collect();
        let (protocols, strangers, everybodys) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = Self { everything, terminals, protocols, strangers, nodes: BTreeSet::new(), everybodys };
        seen.protocols = if everything { every_protocol(site).await? } else { seen.spoken(site).await? };
        Ok(seen)
    }

    /// The protocols that the terminals' devices speak.
    async fn spoken(&self, site: &Site) -> Result<Vec<ProtocolDocument>, ApiError> {
        let devices = self.terminals.iter().flat_map(|terminal| &terminal.devices);
        let names: BTreeSet<&str> = devices.map(|device| device.protocol.as_str()).collect();
        let mut protocols = Vec::new();
        for name in names {
            protocols.extend(protocols::get(&*site.table, name).await?);
        }
        Ok(protocols)
    }

    fn terminal(&self, scope: &Scope) -> Option<&Terminal> {
        let mac = scope.mac()?;
        self.terminals.iter().find(|terminal| terminal.mac == *mac)
    }

    /// Why a rule cannot be about these devices, if so. What is not there and what may not be seen is told alike.
    fn refuses(&self, scope: &Scope) -> Option<&'static str> {
        let mut devices = self.terminals.iter().flat_map(|terminal| &terminal.devices);
        match scope {
            Scope::Everywhere | Scope::Part { .. } => None,
            Scope::Node { node } => {
                let is_known = self.nodes.contains(node);
                let is_seen = self.everything || self.terminals.iter().any(|terminal| terminal.node == *node);
                (!is_known || !is_seen).then_some("scope.node: there is no such node of yours")
            }
            Scope::Protocol { protocol } => {
                let is_known = self.protocols.iter().any(|document| document.protocol == *protocol);
                (!is_known).then_some("scope.protocol: no device of yours speaks such a protocol")
            }
            Scope::DeviceType { device_type } => {
                let is_known = self.everything || devices.any(|device| device.kind == *device_type);
                (!is_known).then_some("scope.device_type: no device of yours is of this kind")
            }
            Scope::Terminal { .. } => {
                self.terminal(scope).is_none().then_some("scope.mac: there is no such terminal among yours")
            }
            Scope::Device(device) => match self.terminal(scope) {
                None => Some("scope.mac: there is no such terminal among yours"),
                Some(terminal) if terminal.device(device.pid).is_none() => {
                    Some("scope.pid: the terminal has no such device")
                }
                Some(_) => None,
            },
        }
    }

    /// The protocols that devices of a scope may speak; none where that may be any.
    fn spoken_in(&self, scope: &Scope) -> Option<BTreeSet<&str>> {
        let mounted = self.terminals.iter().flat_map(|terminal| &terminal.devices);
        let of_terminal = self.terminal(scope);
        let devices: Vec<&Device> = match scope {
            Scope::Everywhere | Scope::Part { .. } => return None,
            Scope::DeviceType { .. } | Scope::Node { .. } if self.everything => return None,
            Scope::Node { node } => {
                let on_node = self.terminals.iter().filter(|terminal| terminal.node == *node);
                on_node.flat_map(|terminal| &terminal.devices).collect()
            }
            Scope::DeviceType { device_type } => mounted.filter(|device| device.kind == *device_type).collect(),
            Scope::Protocol { protocol } => {
                let document = self.protocols.iter().find(|document| document.protocol == *protocol);
                return Some(document.into_iter().map(|document| document.protocol.as_str()).collect());
            }
            Scope::Terminal { .. } => of_terminal.into_iter().flat_map(|terminal| &terminal.devices).collect(),
            Scope::Device(device) => of_terminal.and_then(|terminal| terminal.device(device.pid)).into_iter().collect(),
        };
        Some(devices.into_iter().map(|device| device.protocol.as_str()).collect())
    }

    /// Why a rule cannot watch what it wants to, if so.
    fn misses_target(&self, form: &RuleForm) -> Option<&'static str> {
        let is_for_all = matches!(form.target, Target::Device | Target::Terminal);
        if !self.everything && !is_for_all {
            return Some("target: nodes and the platform are for administrators to watch");
        }
        if !form.off_delay_ms.is_zero() && form.condition.is_of_links() {
            // What is told once, and not again while it is so, cannot be seen to be well for a time.
            return Some("off_delay_ms: that something is back is said once, so nothing would end the alarm");
        }
        (!form.scope.fits(form.target)).then_some("scope: there is nothing of this target in such a scope")
    }

    /// Why a rule cannot take the place of the one that it names, if so.
    fn replaces_nothing(&self, form: &RuleForm) -> Option<String> {
        let replaced = form.replaces.as_deref()?;
        let is_common = form.target.common_rules().contains(&replaced);
        let is_constant = replaced.starts_with("threshold:") || replaced.starts_with("state:");
        let mut rules = self.everybodys.iter();
        let is_everybodys = rules.any(|(rule, target)| rule == replaced && *target == form.target);
        let is_there = is_common || is_constant && form.target == Target::Device || is_everybodys && !form.everybody;
        (!is_there).then(|| format!("replaces: there is no common rule {replaced:?} of this target"))
    }

    /// What is wrong with a rule, each with its place.
    pub(super) fn faults(&self, form: &RuleForm) -> Vec<String> {
        let mut faults = Vec::new();
        if !domain::is_name(&form.name) {
            faults.push("name: a name is 1 to 200 bytes without control characters".to_owned());
        }
        if let Err(bad) = form.rule().check() {
            faults.push(bad.to_string());
        }
        faults.extend(form.target.check(&form.condition).err().map(|bad| bad.to_string()));
        faults.extend(self.misses_target(form).map(str::to_owned));
        faults.extend(self.replaces_nothing(form));
        let bytes = serde_json::to_vec(form).map_or(usize::MAX, |json| json.len());
        if bytes > MOST_BYTES {
            faults.push(format!("condition: the rule has {bytes} bytes, more than the {MOST_BYTES} there may be"));
        }
        faults.extend(self.refuses(&form.scope).map(str::to_owned));
        if !form.everybody && !form.recipients.is_empty() {
            faults.push("recipients: a rule of your own is told to you alone".to_owned());
            return faults;
        }
        let unknown = self.strangers.iter().find(|(recipients, _)| *recipients == form.recipients);
        faults.extend(unknown.into_iter().flat_map(|(_, faults)| faults.clone()));
        faults
    }

    /// What can hardly be meant of a rule: names that no value of the devices in its scope has.
    pub(super) fn warnings(&self, form: &RuleForm) -> Vec<String> {
        if form.target != Target::Device {
            let known: BTreeSet<&str> = form.target.metrics().iter().map(|metric| metric.name).collect();
            let names: BTreeSet<&str> = form.condition.names().into_iter().collect();
            let unknown = names.difference(&known);
            return unknown.map(|name| format!("{name:?} watches nothing: the target has no such value")).collect();
        }
        let spoken = self.spoken_in(&form.scope);
        let is_spoken = |name: &str| spoken.as_ref().is_none_or(|spoken| spoken.contains(name));
        named_by_nothing(&form.condition, self.protocols.iter().filter(|document| is_spoken(&document.protocol)))
    }
}

/// The names in a condition about devices that no value has of those that speak these protocols, each as a warning.
pub(crate) fn named_by_nothing<'a>(
    condition: &Condition,
    spoken: impl IntoIterator<Item = &'a ProtocolDocument>,
) -> Vec<String> {
    let instructs = spoken.into_iter().flat_map(|document| &document.instruct).filter(|instruct| instruct.is_use);
    let fields = instructs.flat_map(|instruct| &instruct.form_resize).map(|field| field.name.as_str());
    let known: BTreeSet<&str> = fields.chain(Target::Device.metrics().iter().map(|metric| metric.name)).collect();
    let names: BTreeSet<&str> = condition.names().into_iter().collect();
    let unknown = names.difference(&known);
    unknown.map(|name| format!("{name:?} watches nothing: no protocol in scope has such a value")).collect()
}

/// The recipients that are not there.
async fn unknown(site: &Site, recipients: &Recipients) -> Result<Vec<String>, ApiError> {
    let mut faults = Vec::new();
    for user in &recipients.users {
        if users::get(&*site.table, user).await?.is_none() {
            faults.push(format!("recipients.users: there is no user {user:?}"));
        }
    }
    for rota in &recipients.rotas {
        if routing::get::<StoredRota>(&*site.table, rota).await?.is_none() {
            faults.push(format!("recipients.rotas: there is no rota {rota:?}"));
        }
    }
    Ok(faults)
}

/// Those of the nodes that rules name that are there.
async fn known_nodes(site: &Site, forms: &[&RuleForm]) -> Result<BTreeSet<String>, ApiError> {
    let mut known = BTreeSet::new();
    for form in forms {
        if let Scope::Node { node } = &form.scope
            && domain::is_name(node)
        {
            known.extend(nodes::get(&*site.table, node).await?.map(|node| node.name));
        }
    }
    Ok(known)
}

/// Those of everybody's rules that rules want to take the place of that are there.
async fn known_rules(site: &Site, forms: &[&RuleForm]) -> Result<Vec<(RuleId, Target)>, ApiError> {
    let mut known = Vec::new();
    for form in forms {
        if let Some(id) = form.replaces.as_deref().and_then(|rule| rule.strip_prefix("rule:")).filter(|id| is_id(id)) {
            let rule = alert_rules::everybodys(&*site.table, id).await?;
            known.extend(rule.map(|rule| (rule.rule.id, rule.target)));
        }
    }
    Ok(known)
}

async fn every_protocol(site: &Site) -> Result<Vec<ProtocolDocument>, ApiError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = protocols::list(&*site.table, PAGE, after).await?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}
