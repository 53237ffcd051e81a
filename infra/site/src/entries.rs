//! What a site file says, in the names that earlier servers' exports use.

use domain::{
    Mac, Pid, Timestamp,
    protocol::{ConstantsDocument, ProtocolDocument},
};
use records::{locale::Locale, users::Webhook};
use serde::Deserialize;

/// What a site file holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    pub(crate) protocols: Vec<ProtocolDocument>,
    pub(crate) constants: Vec<ConstantsDocument>,
    pub(crate) nodes: Vec<NodeEntry>,
    pub(crate) terminals: Vec<TerminalEntry>,
    pub(crate) users: Vec<UserEntry>,
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
    /// The site it is at. What is known stays when absent; at none with an empty text.
    #[serde(default)]
    pub site: Option<String>,
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
    #[serde(default)]
    pub flow_used: Option<u64>,
    #[serde(default)]
    pub rest_of_flow: Option<u64>,
    /// A date or a time as carriers write it.
    #[serde(default)]
    pub expire_date: Option<Told>,
    #[serde(rename = "IsAutoRecharge", default)]
    pub is_auto_recharge: bool,
    #[serde(default)]
    pub uptime: Option<Told>,
}

/// An instant in a site file: text, or milliseconds since 1970.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Told {
    Millis(i64),
    Text(String),
}

impl Told {
    /// The instant; none for an empty text. An error holds what is none.
    pub(crate) fn instant(&self) -> Result<Option<Timestamp>, &str> {
        match self {
            Self::Millis(millis) => Ok(Some(Timestamp(*millis))),
            Self::Text(text) if text.trim().is_empty() => Ok(None),
            Self::Text(text) => Timestamp::parse_told(text).map(Some).ok_or(text),
        }
    }
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
    /// A telephone number; a mainland mobile number may stand without its country's code.
    #[serde(default)]
    pub tel: Option<String>,
    /// Their openid with the operator's WeChat official account.
    #[serde(default)]
    pub wechat: Option<String>,
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// The language of their notices, and the IANA zone of their clocks. What is left out stays as it is.
    #[serde(flatten)]
    pub locale: Locale,
    #[serde(default)]
    pub terminals: Vec<Mac>,
}

// A password may not reach a log through a debug print.
impl std::fmt::Debug for UserEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserEntry").field("user", &self.user).field("group", &self.group).finish_non_exhaustive()
    }
}
