//! A site file: the protocols, nodes, terminals and people of a place, in the names that earlier servers' exports use.
//!
//! All of it is checked before any of it is stored, and storing it again changes nothing.

mod check;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use boot::{SystemClock, SystemDice};
use domain::{
    Mac, Pid,
    protocol::{ConstantsDocument, ProtocolDocument},
    schedule::DataPlan,
};
use engine_embedded::Engine;
use jobs::ports::Dice;
use records::{
    Clock, Table,
    imports::{self, Import},
    nodes, protocols,
    terminals::{self, Device, Terminal},
    users::{self, Role, User, Webhook},
};
use serde::Deserialize;
use table::EmbeddedTable;

use crate::{cli::ImportArguments, config::Config};

/// What a site file holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Site {
    pub protocols: Vec<ProtocolDocument>,
    pub constants: Vec<ConstantsDocument>,
    pub nodes: Vec<NodeEntry>,
    pub terminals: Vec<TerminalEntry>,
    pub users: Vec<UserEntry>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NodeEntry {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "IP", default)]
    pub ip: Option<String>,
    #[serde(rename = "Port", default = "usual_port")]
    pub port: u16,
    #[serde(rename = "MaxConnections", default = "usual_connections")]
    pub max_connections: u32,
    #[serde(default)]
    pub token: Option<String>,
}

fn usual_port() -> u16 {
    9000
}

fn usual_connections() -> u32 {
    2000
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TerminalEntry {
    #[serde(rename = "DevMac")]
    pub mac: Mac,
    pub name: String,
    pub mount_node: String,
    #[serde(default)]
    pub mount_devs: Vec<DeviceEntry>,
    #[serde(rename = "ICCID", default)]
    pub iccid: Option<String>,
    #[serde(default)]
    pub iccid_info: Option<PlanEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceEntry {
    #[serde(rename = "Type", default)]
    pub kind: String,
    pub mount_dev: String,
    pub protocol: String,
    pub pid: Pid,
    #[serde(default)]
    pub min_query_limit: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanEntry {
    #[serde(default)]
    pub res_name: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub flow_resource: u64,
}

#[derive(Deserialize)]
pub(crate) struct UserEntry {
    pub user: String,
    #[serde(default)]
    pub name: String,
    pub passwd: String,
    #[serde(rename = "userGroup")]
    pub group: String,
    #[serde(default)]
    pub mail: Option<String>,
    #[serde(default)]
    pub webhook: Option<Webhook>,
    #[serde(default)]
    pub terminals: Vec<Mac>,
}

// A password may not reach a log through a debug print.
impl std::fmt::Debug for UserEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserEntry").field("user", &self.user).field("group", &self.group).finish_non_exhaustive()
    }
}

/// How much of what was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Imported {
    pub protocols: usize,
    pub nodes: usize,
    pub terminals: usize,
    pub users: usize,
}

impl Site {
    /// Reads a site file.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        Self::of(file, &bytes(file)?)
    }

    fn of(file: &Path, bytes: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(bytes).with_context(|| format!("the site file {} is not understood", file.display()))
    }

    /// Stores the whole site, if all of it makes sense; nothing of it otherwise.
    pub(crate) async fn import(&self, table: &dyn Table, dice: &dyn Dice) -> anyhow::Result<Imported> {
        self.must_be_right(table).await?;
        for protocol in &self.protocols {
            protocols::put(table, protocol).await?;
        }
        for constants in &self.constants {
            protocols::put_constants(table, constants).await?;
        }
        for node in &self.nodes {
            nodes::put(table, &node.record()).await?;
        }
        for terminal in &self.terminals {
            terminal.import(table).await?;
        }
        for user in &self.users {
            user.import(table, dice).await?;
        }
        Ok(self.counts())
    }

    /// An error that names everything that is wrong, if anything is.
    async fn must_be_right(&self, table: &dyn Table) -> anyhow::Result<()> {
        let wrong = self.check(table).await?;
        if !wrong.is_empty() {
            bail!("nothing was imported:\n  {}", wrong.join("\n  "));
        }
        Ok(())
    }

    /// How much there is of what.
    pub(crate) fn counts(&self) -> Imported {
        Imported {
            protocols: self.protocols.len(),
            nodes: self.nodes.len(),
            terminals: self.terminals.len(),
            users: self.users.len(),
        }
    }
}

fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read the site file {}", file.display()))
}

/// Imports a site file, unless it is the one that was imported last: what people changed since would be undone.
pub(crate) async fn import_if_new(
    file: &Path,
    table: &dyn Table,
    clock: &dyn Clock,
    dice: &dyn Dice,
) -> anyhow::Result<()> {
    let bytes = bytes(file)?;
    let site = Site::of(file, &bytes)?;
    let this = Import::of(&bytes, clock.now());
    if let Some(last) = imports::site(table).await?.filter(|last| last.sha256 == this.sha256) {
        tracing::info!(
            "the site file {} has not changed since it was imported at {}",
            file.display(),
            last.at.rfc3339()
        );
        return Ok(());
    }
    let Imported { protocols, nodes, terminals, users } = site.import(table, dice).await?;
    imports::put_site(table, &this).await?;
    tracing::info!(protocols, nodes, terminals, users, "the site file {} is in the store", file.display());
    Ok(())
}

impl NodeEntry {
    fn record(&self) -> nodes::Node {
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
    async fn import(&self, table: &dyn Table) -> anyhow::Result<()> {
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
        Ok(terminals::put(table, &terminal).await?)
    }
}

impl UserEntry {
    fn role(&self) -> Option<Role> {
        match self.group.as_str() {
            "root" | "admin" => Some(Role::Admin),
            "user" => Some(Role::User),
            _ => None,
        }
    }

    /// Stores the user. A password that is theirs already keeps its hash, so that importing again changes nothing.
    async fn import(&self, table: &dyn Table, dice: &dyn Dice) -> anyhow::Result<()> {
        let known = users::get(table, &self.user).await?;
        let same = known.map(|known| known.password_hash).filter(|hash| api::verify_password(&self.passwd, hash));
        let password_hash = match same {
            Some(hash) => hash,
            None => api::hash_password(&self.passwd, dice)?,
        };
        let user = User {
            user: self.user.clone(),
            name: self.name.clone(),
            password_hash,
            role: self.role().context("the user group was checked before")?,
            mail: self.mail.clone(),
            webhook: self.webhook.clone(),
        };
        users::put(table, &user).await?;
        for mac in users::terminals(table, &self.user).await? {
            if !self.terminals.contains(&mac) {
                users::unbind(table, &self.user, &mac).await?;
            }
        }
        for mac in &self.terminals {
            users::bind(table, &self.user, mac).await?;
        }
        Ok(())
    }
}

/// `telltale import`.
pub(crate) async fn command(arguments: ImportArguments) -> anyhow::Result<()> {
    boot::init_log("warn");
    let config = Config::load(arguments.config.as_deref())?;
    let site = Site::read(&arguments.site)?;
    let engine = Engine::open(config.data.join("store"))
        .with_context(|| format!("cannot open the store in {}", config.data.display()))?;
    let table = EmbeddedTable::new(engine, Arc::new(SystemClock))?;
    let (verb, counts) = if arguments.dry_run {
        site.must_be_right(&table).await?;
        ("would import", site.counts())
    } else {
        ("imported", site.import(&table, &SystemDice).await?)
    };
    let Imported { protocols, nodes, terminals, users } = counts;
    println!("{verb} {protocols} protocols, {nodes} nodes, {terminals} terminals, {users} users");
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A store, and the site file beside it.
    struct Place {
        folder: TempDir,
        table: EmbeddedTable,
    }

    impl Place {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let engine = Engine::open(folder.path().join("store")).unwrap();
            Self { table: EmbeddedTable::new(engine, Arc::new(SystemClock)).unwrap(), folder }
        }

        async fn import(&self, site: &serde_json::Value) {
            let file = self.folder.path().join("site.json");
            std::fs::write(&file, site.to_string()).unwrap();
            import_if_new(&file, &self.table, &SystemClock, &SystemDice).await.unwrap();
        }

        async fn port(&self) -> u16 {
            nodes::get(&self.table, "hill").await.unwrap().unwrap().port
        }
    }

    #[tokio::test]
    async fn a_site_file_that_has_not_changed_does_not_undo_what_people_changed() {
        let place = Place::new();
        let site = |port: u16| serde_json::json!({ "nodes": [{ "Name": "hill", "Port": port, "token": "t" }] });
        place.import(&site(9000)).await;
        let hill = nodes::get(&place.table, "hill").await.unwrap().unwrap();
        nodes::put(&place.table, &nodes::Node { port: 9100, ..hill }).await.unwrap();
        place.import(&site(9000)).await;
        assert_eq!(place.port().await, 9100);
        place.import(&site(9200)).await;
        assert_eq!(place.port().await, 9200);
    }

    #[tokio::test]
    async fn whatever_is_wrong_with_a_site_is_said_at_once_and_nothing_is_stored() {
        let place = Place::new();
        place.import(&serde_json::json!({ "nodes": [{ "Name": "dale", "IP": "10.0.0.9" }] })).await;
        let site = serde_json::json!({
            "constants": [{ "Protocol": "nothing", "OprateInstruct": [{ "name": " ", "value": "06" }] }],
            "nodes": [
                { "Name": "a", "token": "same" }, { "Name": "b", "token": "same" },
                { "Name": "c", "IP": "10.0.0.1" }, { "Name": "d", "IP": "10.0.0.1" }, { "Name": "e", "IP": "10.0.0.9" },
            ],
            "users": [{
                "user": "root", "passwd": "x".repeat(2000), "userGroup": "root", "mail": "not a mail",
                "webhook": { "url": "ftp://x", "secret": "s" },
            }],
        });
        let site: Site = serde_json::from_value(site).unwrap();
        let refused = site.import(&place.table, &SystemDice).await.unwrap_err().to_string();
        for fault in [
            "constants of nothing: there is no such protocol",
            "constants of nothing: OprateInstruct[0]",
            "node b: node a is known by this token already",
            "node d: node c is known by this address already",
            "node e: node dale is known by this address already",
            "user root: a password has 8 to 1024 bytes",
            "user root: \"not a mail\" is no e-mail address",
            "user root: a webhook is http:// or https://",
        ] {
            assert!(refused.contains(fault), "{fault}:\n{refused}");
        }
        assert!(nodes::get(&place.table, "a").await.unwrap().is_none());
        assert!(!refused.contains("same"), "a token is not shown");
    }
}
