//! Whether a rule makes sense, and whether it is about what its maker may see.

use std::collections::BTreeSet;

use domain::protocol::ProtocolDocument;
use records::{
    alert_rules::{Recipients, Scope},
    protocols,
    routing::{self, StoredRota},
    terminals::{self, Device, Terminal},
    users::{self, Role, User},
};

use super::form::RuleForm;
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
}

impl Seen {
    /// What a user may see, as far as a rule of this form needs it.
    pub(super) async fn by(site: &Site, user: &User, forms: &[&RuleForm]) -> Result<Self, ApiError> {
        let table = &*site.table;
        let everything = user.role == Role::Admin;
        let macs = if everything {
            let named: BTreeSet<_> = forms.iter().filter_map(|form| form.scope.mac()).cloned().collect();
            named.into_iter().collect()
        } else {
            users::terminals(table, &user.user).await?
        };
        let terminals: Vec<Terminal> = terminals::get_many(table, &macs).await?.into_values().collect();
        let mut strangers = Vec::new();
        for form in forms.iter().filter(|form| !form.recipients.is_empty()) {
            strangers.push((form.recipients.clone(), unknown(site, &form.recipients).await?));
        }
        let mut seen = Self { everything, terminals, protocols: Vec::new(), strangers };
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
            Scope::Everywhere => None,
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
            Scope::Everywhere => return None,
            Scope::DeviceType { .. } if self.everything => return None,
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

    /// What is wrong with a rule, each with its place.
    pub(super) fn faults(&self, form: &RuleForm) -> Vec<String> {
        let mut faults = Vec::new();
        if !domain::is_name(&form.name) {
            faults.push("name: a name is 1 to 200 bytes without control characters".to_owned());
        }
        if let Err(bad) = form.rule().check() {
            faults.push(bad.to_string());
        }
        if form.condition.is_of_links() {
            faults.push("condition: rules watch devices, of which \"lost\" and \"away\" say nothing".to_owned());
        }
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
        let spoken = self.spoken_in(&form.scope);
        let is_spoken = |name: &str| spoken.as_ref().is_none_or(|spoken| spoken.contains(name));
        let in_scope = self.protocols.iter().filter(|document| is_spoken(&document.protocol));
        let instructs = in_scope.flat_map(|document| &document.instruct);
        let fields = instructs.filter(|instruct| instruct.is_use).flat_map(|instruct| &instruct.form_resize);
        let known: BTreeSet<&str> = fields.map(|field| field.name.as_str()).collect();
        let names: BTreeSet<&str> = form.condition.names().into_iter().collect();
        let unknown = names.difference(&known);
        unknown.map(|name| format!("{name:?} watches nothing: no protocol in scope has such a value")).collect()
    }
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
