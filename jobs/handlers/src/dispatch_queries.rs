//! `dispatch_queries`: which of a node's devices are due in a window, and when; one plan for its broker to pace.
//!
//! Stateless: whether a device is due is a function of its interval, its phase and how its line stands. No next-due rows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{Mac, NodeName, Timestamp, schedule};
use records::{
    nodes,
    terminals::{self, Device, Presence, Standing, Terminal},
};
use serde::{Deserialize, Serialize};

use crate::{
    Context, Job, JobError,
    catalog::Model,
    ports::{NodeCommand, Plan, PlannedQuery},
};

/// Plans `from` to `until` for one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchQueries {
    /// The node.
    pub node: NodeName,
    /// The window's first instant.
    pub from: Timestamp,
    /// The first instant behind it.
    pub until: Timestamp,
}

impl Job for DispatchQueries {
    const NAME: &'static str = "dispatch_queries";
    const MAX_ATTEMPTS: u32 = 3;

    fn key(&self) -> String {
        format!("{}/{}", self.node, self.from.sortable())
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        let table = cx.table.as_ref();
        let Some(session) = nodes::session(table, &self.node).await?.filter(|session| session.ready) else {
            return Ok(());
        };
        let macs = terminals::of_node(table, &self.node).await?;
        let standings = terminals::standings(table, &macs).await?;
        let online: Vec<Mac> = macs.into_iter().filter(|mac| may_be_asked(standings.get(mac))).collect();
        let mut queries = Vec::new();
        for (mac, terminal) in terminals::get_many(table, &online).await? {
            if let Some(standing) = standings.get(&mac) {
                queries.extend(self.of_terminal(cx, &terminal, standing).await?);
            }
        }
        if queries.is_empty() {
            return Ok(());
        }
        let plan = Plan { node: self.node.clone(), window: self.key(), queries };
        cx.link.command(&session.broker, NodeCommand::Plan(plan)).await?;
        Ok(())
    }
}

fn may_be_asked(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|standing| standing.presence == Presence::Online)
}

impl DispatchQueries {
    async fn of_terminal(
        &self,
        cx: &Context,
        terminal: &Terminal,
        standing: &Standing,
    ) -> Result<Vec<PlannedQuery>, JobError> {
        let mut models: BTreeMap<&str, Arc<Model>> = BTreeMap::new();
        for device in &terminal.devices {
            if let Some(model) = cx.model(&device.protocol).await? {
                models.insert(&device.protocol, model);
            }
        }
        let in_use =
            |device: &Device| models.get(device.protocol.as_str()).map(|model| model.protocol.instructions_in_use());
        let line = schedule::LineLoad {
            instructions: terminal.devices.iter().filter_map(in_use).sum(),
            uplink: terminal.uplink(),
            least: Duration::from_millis(cx.settings.schedule.minimum_interval_ms),
            per_instruction: Duration::from_millis(cx.settings.schedule.instruction_ms),
            ..schedule::LineLoad::default()
        };
        let devices =
            terminal.devices.iter().filter_map(|device| Some((device, models.get(device.protocol.as_str())?)));
        Ok(devices.flat_map(|(device, model)| self.of_device(terminal, device, model, &line, standing)).collect())
    }

    fn of_device(
        &self,
        terminal: &Terminal,
        device: &Device,
        model: &Model,
        line: &schedule::LineLoad,
        standing: &Standing,
    ) -> Vec<PlannedQuery> {
        let contents = model.protocol.contents(device.pid);
        if contents.is_empty() {
            // An empty list kills a gateway.
            tracing::warn!(terminal.mac = %terminal.mac, device.pid, "the protocol's scripts make nothing to ask this device");
            return Vec::new();
        }
        let device_minimum = Duration::from_millis(device.min_interval_ms);
        let interval = schedule::interval(&schedule::LineLoad { device_minimum, ..line.clone() });
        let misses = standing.misses.get(&device.pid).copied().unwrap_or(0);
        let unanswered = standing.unanswered.get(&device.pid).copied().unwrap_or(0);
        let interval = schedule::backed_off(schedule::slowed(interval, unanswered), misses);
        let phase = schedule::phase(&terminal.device_id(device.pid), interval);
        let query = |at: Timestamp| PlannedQuery {
            at,
            mac: terminal.mac.clone(),
            pid: device.pid,
            line: model.protocol.line().code(),
            protocol: device.protocol.clone(),
            model: device.model.clone(),
            contents: contents.clone(),
            interval: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        };
        schedule::due(interval, phase, self.from, self.until).map(query).collect()
    }
}
