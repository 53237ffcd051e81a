//! What is wrong with a site file, all of it at once, each with its place.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Mac, phone,
    protocol::{ConstantsDocument, Protocol, ProtocolDocument},
};
use jiff::tz::TimeZone;
use records::{Table, TableError, nodes, notices::EVERYBODY, protocols, terminals};
use reqwest::Url;
use script::JavaScript;

use crate::entries::{NodeEntry, Site};

impl Site {
    /// Everything that is wrong; empty when the site can be imported.
    pub(crate) async fn check(&self, table: &dyn Table) -> Result<Vec<String>, TableError> {
        let mut wrong = Vec::new();
        self.check_protocols(table, &mut wrong).await?;
        self.check_names(&mut wrong);
        self.check_doors(table, &mut wrong).await?;
        self.check_terminals(table, &mut wrong).await?;
        self.check_users(table, &mut wrong).await?;
        Ok(wrong)
    }

    async fn check_protocols(&self, table: &dyn Table, wrong: &mut Vec<String>) -> Result<(), TableError> {
        for protocol in &self.protocols {
            if let Err(error) = Protocol::compile(protocol, &JavaScript) {
                wrong.push(format!("protocol {}: {error}", protocol.protocol));
            }
        }
        for constants in &self.constants {
            let name = constants.protocol.as_str();
            let faults = [constants.rules().err(), constants.check_operations().err()];
            wrong.extend(faults.into_iter().flatten().map(|error| format!("constants of {name}: {error}")));
            let here = self.protocols.iter().find(|protocol| protocol.protocol == name).cloned();
            let known = match here {
                None if domain::is_name(name) => protocols::get(table, name).await?,
                here => here,
            };
            match known {
                Some(protocol) => warn_of_blind_spots(constants, &protocol),
                None => wrong.push(format!("constants of {name}: there is no such protocol")),
            }
        }
        let named = self.constants.iter().map(|constants| constants.protocol.as_str());
        check_unique("constants", named, wrong);
        Ok(())
    }

    /// What a node is known by leads to it alone.
    async fn check_doors(&self, table: &dyn Table, wrong: &mut Vec<String>) -> Result<(), TableError> {
        let mut behind = BTreeMap::new();
        for node in self.nodes.iter().map(NodeEntry::record) {
            // A token is not shown: its hash tells two apart.
            let (door, shown, other) = match (&node.token_sha256, &node.ip) {
                (Some(token), _) => (token.clone(), "this token", nodes::by_token(table, token).await?),
                (None, Some(ip)) => (ip.clone(), "this address", nodes::by_ip(table, ip).await?),
                (None, None) => continue,
            };
            let here = behind.insert(door, node.name.clone());
            let stored = other.map(|other| other.name).filter(|name| self.nodes.iter().all(|n| n.name != *name));
            if let Some(other) = here.or(stored) {
                wrong.push(format!("node {}: node {other} is known by {shown} already", node.name));
            }
        }
        Ok(())
    }

    fn check_names(&self, wrong: &mut Vec<String>) {
        let protocols = self.protocols.iter().map(|protocol| protocol.protocol.as_str());
        let nodes = self.nodes.iter().map(|node| node.name.as_str());
        let terminals = self.terminals.iter().map(|terminal| terminal.mac.as_str());
        let users = self.users.iter().map(|user| user.user.as_str());
        check_unique("protocol", protocols, wrong);
        check_unique("node", nodes, wrong);
        check_unique("terminal", terminals, wrong);
        check_unique("user", users, wrong);
        for node in &self.nodes {
            let token = node.token.as_deref().unwrap_or_default();
            let ip = node.ip.as_deref().unwrap_or_default();
            if token.is_empty() && ip.is_empty() {
                wrong.push(format!("node {}: it needs a token or an IP to be known by", node.name));
            }
            if !ip.is_empty() && ip.parse::<std::net::IpAddr>().is_err() {
                wrong.push(format!("node {}: {ip:?} is not an IP address", node.name));
            }
        }
    }

    async fn check_terminals(&self, table: &dyn Table, wrong: &mut Vec<String>) -> Result<(), TableError> {
        let mut known_protocols: BTreeMap<&str, bool> =
            self.protocols.iter().map(|protocol| (protocol.protocol.as_str(), true)).collect();
        let mut known_nodes: BTreeMap<&str, bool> = self.nodes.iter().map(|node| (node.name.as_str(), true)).collect();
        for terminal in &self.terminals {
            let node = terminal.mount_node.as_str();
            if !known_nodes.contains_key(node) {
                known_nodes.insert(node, nodes::get(table, node).await?.is_some());
            }
            if known_nodes.get(node) == Some(&false) {
                wrong.push(format!("terminal {}: there is no node {node:?}", terminal.mac));
            }
            if terminal.site.as_ref().is_some_and(|site| !site.is_empty() && !domain::is_name(site)) {
                wrong.push(format!("terminal {}: a site has 1 to 200 bytes without control characters", terminal.mac));
            }
            let plan = terminal.iccid_info.as_ref();
            let told = plan.map_or([None, None], |plan| [plan.expire_date.as_ref(), plan.uptime.as_ref()]);
            for no_time in told.into_iter().flatten().filter_map(|told| told.instant().err()) {
                wrong.push(format!("terminal {}, iccidInfo: {no_time:?} is no date", terminal.mac));
            }
            let mut pids = BTreeSet::new();
            for device in &terminal.mount_devs {
                let protocol = device.protocol.as_str();
                if !known_protocols.contains_key(protocol) {
                    known_protocols.insert(protocol, protocols::get(table, protocol).await?.is_some());
                }
                if known_protocols.get(protocol) == Some(&false) {
                    wrong.push(format!(
                        "terminal {}, pid {}: there is no protocol {protocol:?}",
                        terminal.mac, device.pid
                    ));
                }
                if !pids.insert(device.pid) {
                    wrong.push(format!("terminal {}: two devices at pid {}", terminal.mac, device.pid));
                }
            }
        }
        Ok(())
    }

    async fn check_users(&self, table: &dyn Table, wrong: &mut Vec<String>) -> Result<(), TableError> {
        let mut known: BTreeMap<&Mac, bool> = self.terminals.iter().map(|terminal| (&terminal.mac, true)).collect();
        for user in &self.users {
            if user.role().is_none() {
                wrong.push(format!("user {}: userGroup is root, admin or user, not {:?}", user.user, user.group));
            }
            if let Err(why) = api::check_password(&user.passwd) {
                wrong.push(format!("user {}: {why}", user.user));
            }
            if let Some(mail) = user.mail.as_ref().filter(|mail| !notify::is_mail_address(mail)) {
                wrong.push(format!("user {}: {mail:?} is no e-mail address", user.user));
            }
            if let Some(tel) = user.tel.as_ref().filter(|tel| !tel.is_empty() && phone::e164(tel).is_none()) {
                wrong.push(format!("user {}: {tel:?} is no telephone number (+8613800138000)", user.user));
            }
            if let Some(zone) = user.locale.zone.as_ref().filter(|zone| TimeZone::get(zone).is_err()) {
                wrong.push(format!("user {}: there is no time zone {zone:?} (Asia/Shanghai)", user.user));
            }
            if user.user == EVERYBODY {
                wrong.push(format!("user {EVERYBODY}: this name stands for everybody"));
            }
            if let Some(hook) = user.webhook.as_ref().filter(|hook| !is_http(&hook.url)) {
                wrong.push(format!("user {}: a webhook is http:// or https://, not {:?}", user.user, hook.url));
            }
            for mac in &user.terminals {
                if !known.contains_key(mac) {
                    known.insert(mac, terminals::get(table, mac).await?.is_some());
                }
                if known.get(mac) == Some(&false) {
                    wrong.push(format!("user {}: there is no terminal {mac}", user.user));
                }
            }
        }
        Ok(())
    }
}

fn warn_of_blind_spots(constants: &ConstantsDocument, protocol: &ProtocolDocument) {
    for warning in constants.blind_spots(protocol) {
        tracing::warn!("constants of {}: {warning}", constants.protocol);
    }
}

fn is_http(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a str>, wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !domain::is_name(name) {
            wrong.push(format!(
                "a {what}'s name is 1 to 200 bytes without control characters, this is not one: {name:?}"
            ));
        }
        if !seen.insert(name) {
            wrong.push(format!("{what} {name} is there twice"));
        }
    }
}
