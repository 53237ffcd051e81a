//! From what a site file says to records.

use std::collections::BTreeMap;

use domain::{Source, Timestamp, phone, schedule::DataPlan};
use jobs::{bound, ports::Dice};
use records::{
    Table, TableError, alarms,
    locale::Locale,
    nodes, sites,
    terminals::{self, Device, Terminal},
    users::{self, Role, User},
};

use crate::{
    SiteError,
    entries::{NodeEntry, TerminalEntry, Told, UserEntry},
};

impl NodeEntry {
    /// The node as it is stored: of a token, its hash.
    pub(crate) fn record(&self) -> nodes::Node {
        let token = self.token.as_deref().filter(|token| !token.is_empty());
        nodes::Node {
            name: self.name.clone(),
            ip: self.ip.clone().filter(|ip| !ip.is_empty()),
            port: self.port,
            max_connections: self.max_connections,
            token_sha256: token.map(nodes::token_sha256),
        }
    }
}

impl TerminalEntry {
    /// Stores the terminal. What its node found out about it stays.
    pub(crate) async fn import(&self, table: &dyn Table, now: Timestamp) -> Result<(), TableError> {
        let known = terminals::get(table, &self.mac).await?;
        let (found_iccid, info) = known.map_or((None, BTreeMap::new()), |known| (known.iccid, known.info));
        let devices = self.mount_devs.iter().map(|device| Device {
            pid: device.pid,
            model: device.mount_dev.clone(),
            kind: device.kind.clone(),
            protocol: device.protocol.clone(),
            min_interval_ms: device.min_query_limit,
        });
        let data_plan = self.iccid_info.as_ref().map(|plan| DataPlan {
            name: plan.res_name.clone(),
            version: plan.version.clone(),
            flow_kb: plan.flow_resource,
            used_kb: plan.flow_used,
            left_kb: plan.rest_of_flow,
            expires: instant(plan.expire_date.as_ref()),
            renews_itself: plan.is_auto_recharge,
            told: instant(plan.uptime.as_ref()),
        });
        let terminal = Terminal {
            mac: self.mac.clone(),
            name: self.name.clone(),
            node: self.mount_node.clone(),
            devices: devices.collect(),
            iccid: self.iccid.clone().or(found_iccid),
            data_plan,
            info,
        };
        terminals::put(table, &terminal).await?;
        if let Some(site) = &self.site {
            sites::put(table, &self.mac, Some(site.as_str()).filter(|site| !site.is_empty())).await?;
        }
        // What is known of its SIM is looked at by the next sweep.
        match terminal.data_plan {
            Some(_) => alarms::look_soon(table, &Source::Terminal(terminal.mac), now).await,
            None => Ok(()),
        }
    }
}

/// What was told; what is no instant was refused before.
fn instant(told: Option<&Told>) -> Option<Timestamp> {
    told.and_then(|told| told.instant().ok().flatten())
}

impl UserEntry {
    /// What they may do; none for a group that there is not.
    pub(crate) fn role(&self) -> Option<Role> {
        match self.group.as_str() {
            "root" | "admin" => Some(Role::Admin),
            "user" => Some(Role::User),
            _ => None,
        }
    }

    /// Stores the user. A password that is theirs already keeps its hash, so that importing again changes nothing.
    pub(crate) async fn import(&self, table: &dyn Table, dice: &dyn Dice, now: Timestamp) -> Result<(), SiteError> {
        let known = users::get(table, &self.user).await?;
        let (known_hash, spoken_to) =
            known.map_or((None, Locale::default()), |known| (Some(known.password_hash), known.locale));
        let same = known_hash.filter(|hash| api::verify_password(&self.passwd, hash));
        let password_hash = match same {
            Some(hash) => hash,
            None => api::hash_password(&self.passwd, dice)?,
        };
        let user = User {
            user: self.user.clone(),
            name: self.name.clone(),
            password_hash,
            role: self.role().unwrap_or(Role::User),
            mail: self.mail.clone(),
            phone: self.tel.as_deref().and_then(phone::e164),
            wechat: self.wechat.clone(),
            webhook: self.webhook.clone(),
            locale: self.locale.clone().or(spoken_to),
        };
        users::put(table, &user).await?;
        for mac in users::terminals(table, &self.user).await? {
            if !self.terminals.contains(&mac) {
                users::unbind(table, &self.user, &mac).await?;
            }
        }
        for mac in &self.terminals {
            bound::bind(table, &user, mac, now).await?;
        }
        Ok(())
    }
}
