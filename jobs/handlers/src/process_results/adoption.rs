//! Terminals that nobody registered, and that their gateway brings along: cards that are plugged into a UPS.

use std::collections::BTreeMap;

use domain::Mac;
use records::terminals::{self, Device, Terminal};

use crate::{
    Context, JobError,
    report::{Event, Report},
};

/// The one device of such a terminal: address 0 on a line of its own.
const PID: u8 = 0;
const MODEL: &str = "UPS";

/// Registers an unknown terminal that comes on at a node whose terminals are taken in as they come; none at any other.
pub(super) async fn adopt(cx: &Context, mac: &Mac, reports: &[&Report]) -> Result<Option<Terminal>, JobError> {
    let settings = &cx.settings.adoption;
    let comes =
        |report: &&&Report| matches!(report.event, Event::TerminalsOn { .. }) && settings.nodes.contains(&report.node);
    let Some(report) = reports.iter().find(comes) else { return Ok(None) };
    let device = Device {
        pid: PID,
        model: MODEL.to_owned(),
        kind: MODEL.to_owned(),
        protocol: settings.protocol.clone(),
        min_interval_ms: 0,
    };
    let terminal = Terminal {
        mac: mac.clone(),
        name: mac.to_string(),
        node: report.node.clone(),
        devices: vec![device],
        iccid: None,
        data_plan: None,
        info: BTreeMap::new(),
    };
    terminals::put(cx.table.as_ref(), &terminal).await?;
    tracing::info!(terminal.mac = %mac, node.name = report.node, "a terminal is taken in as its node brings it");
    Ok(Some(terminal))
}
