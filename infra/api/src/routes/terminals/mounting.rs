//! What a terminal is, where it connects, and what hangs on its line.

use std::{collections::BTreeSet, sync::Arc};

use domain::{Mac, Pid, Source, schedule};
use engine_http::{Json, Path, Problem, axum::extract::State};
use records::{alarms, nodes, protocols, sites, terminals};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{DataPlan, Terminal, removal::show_changed};
use crate::{error::ApiError, site::Site, visitor::Admin};

/// The last address on a Modbus line.
const LAST_PID: Pid = 247;

/// What a terminal is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TerminalForm {
    /// What people call it.
    name: String,
    /// The node it connects to.
    node: String,
    /// The site it is at: 1 to 200 bytes. What is known stays when absent; at none with an empty text.
    #[serde(default)]
    site: Option<String>,
    /// The devices on its line.
    devices: Vec<DeviceForm>,
    /// Its SIM's number, 18 to 22 digits; what is known stays when absent. Its node tells it as well.
    #[serde(default)]
    iccid: Option<String>,
    /// The SIM's data plan; what is known stays when absent.
    #[serde(default)]
    data_plan: Option<DataPlan>,
}

/// A device on a terminal's line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceForm {
    /// Its address on the line: 1 to 247, or 0 for the one device of a 232 line.
    pid: Pid,
    /// The model's name.
    model: String,
    /// The kind of device.
    #[serde(default)]
    kind: String,
    /// The protocol it speaks.
    protocol: String,
    /// The shortest poll interval it stands, in milliseconds: 0 when absent.
    #[serde(default)]
    min_interval_ms: u64,
}

/// Put a terminal
///
/// In place of one of the same mac, or as a new one. What its node found out about it stays. It is asked from the next
/// window on. Alarms of a device that it no longer has end with it. For administrators.
#[utoipa::path(
    put, path = "/api/terminals/{mac}", operation_id = "put_terminal", tag = "terminals", request_body = TerminalForm,
    params(("mac" = String, Path, description = "The terminal")),
    responses((status = 200, description = "It is stored", body = Terminal))
)]
pub(super) async fn put(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(mac): Path<String>,
    Json(form): Json<TerminalForm>,
) -> Result<Json<Terminal>, ApiError> {
    let table = &*site.table;
    let mac: Mac = mac.parse().map_err(|why| Problem::bad_request("bad-mac", format!("{mac:?} is no mac: {why}.")))?;
    let faults = form.faults(&site).await?;
    if !faults.is_empty() {
        let detail = "Nothing was stored: the terminal is wrong, errors says where.";
        return Err(Problem::faults("bad-terminal", detail, faults).into());
    }
    let known = terminals::get(table, &mac).await?;
    let dropped = dropped(known.as_ref(), &form.devices);
    let (iccid, data_plan, info) = known.map(|known| (known.iccid, known.data_plan, known.info)).unwrap_or_default();
    let (iccid, data_plan) = (form.iccid.or(iccid), form.data_plan.map(schedule::DataPlan::from).or(data_plan));
    let devices = form.devices.into_iter().map(terminals::Device::from).collect();
    let terminal = terminals::Terminal { mac, name: form.name, node: form.node, devices, iccid, data_plan, info };
    terminals::put(table, &terminal).await?;
    if let Some(site) = &form.site {
        sites::put(table, &terminal.mac, Some(site.as_str()).filter(|site| !site.is_empty())).await?;
    }
    for pid in dropped {
        alarms::end(table, &Source::Device(terminal.device_id(pid)), site.clock.now()).await?;
    }
    // What is known of its SIM is looked at by the next sweep.
    alarms::look_soon(table, &Source::Terminal(terminal.mac.clone()), site.clock.now()).await?;
    show_changed(&site, &terminal.mac).await;
    let standing = terminals::standing(table, &terminal.mac).await?.value;
    let at = sites::of(table, &terminal.mac).await?;
    Ok(Json(Terminal::new(terminal, at, &standing)))
}

/// The devices that a form takes from a terminal: nothing of them is watched any more.
fn dropped(known: Option<&terminals::Terminal>, form: &[DeviceForm]) -> Vec<Pid> {
    let before = known.iter().flat_map(|terminal| &terminal.devices).map(|device| device.pid);
    before.filter(|pid| !form.iter().any(|device| device.pid == *pid)).collect()
}

impl TerminalForm {
    /// Everything that is wrong with it, each with its place.
    async fn faults(&self, site: &Site) -> Result<Vec<String>, ApiError> {
        let mut faults = Vec::new();
        if !domain::is_name(&self.name) {
            faults.push("name: a name is 1 to 200 bytes without control characters".to_owned());
        }
        if !domain::is_name(&self.node) || nodes::get(&*site.table, &self.node).await?.is_none() {
            faults.push(format!("node: there is no node {:?}", self.node));
        }
        if self.site.as_ref().is_some_and(|site| !site.is_empty() && !domain::is_name(site)) {
            faults.push("site: a name is 1 to 200 bytes without control characters".to_owned());
        }
        if self.iccid.as_ref().is_some_and(|iccid| !is_iccid(iccid)) {
            faults.push("iccid: a SIM's number is 18 to 22 digits".to_owned());
        }
        let mut pids = BTreeSet::new();
        for (index, DeviceForm { pid, .. }) in self.devices.iter().enumerate() {
            if *pid > LAST_PID {
                faults.push(format!("devices[{index}].pid: an address is 0 to {LAST_PID}"));
            }
            if !pids.insert(*pid) {
                faults.push(format!("devices[{index}].pid: two devices at {pid}"));
            }
        }
        let spoken: BTreeSet<&str> = self.devices.iter().map(|device| device.protocol.as_str()).collect();
        for protocol in spoken {
            if !domain::is_name(protocol) || protocols::get(&*site.table, protocol).await?.is_none() {
                let index = self.devices.iter().position(|device| device.protocol == protocol).unwrap_or_default();
                faults.push(format!("devices[{index}].protocol: there is no protocol {protocol:?}"));
            }
        }
        Ok(faults)
    }
}

fn is_iccid(text: &str) -> bool {
    (18..=22).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl From<DeviceForm> for terminals::Device {
    fn from(device: DeviceForm) -> Self {
        let DeviceForm { pid, model, kind, protocol, min_interval_ms } = device;
        Self { pid, model, kind, protocol, min_interval_ms }
    }
}
