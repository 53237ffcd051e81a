//! `dispatch_queries`: which of a node's devices are due in a window, and when; one plan for its broker to pace.
//!
//! Stateless: whether a device is due is a function of its interval, its phase and how its line stands. No next-due rows.

use domain::{Mac, NodeName, Timestamp, protocol::QFS, schedule};
use records::{
    nodes,
    terminals::{self, Presence, Standing, Terminal},
};
use serde::{Deserialize, Serialize};

use crate::{
    Context, Job, JobError,
    pace::{Line, Paced},
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

    fn key(&self) -> String {
        format!("{}/{}", self.node, self.from.sortable())
    }

    async fn run(&self, cx: &Context) -> Result<(), JobError> {
        // Who is behind with windows that are over never comes to the one that is not.
        if cx.clock.now() >= self.until {
            return Ok(());
        }
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
        let line = Line::of(cx, terminal).await?;
        Ok(line.paced(standing).flat_map(|paced| self.of_device(terminal, &paced, standing)).collect())
    }

    /// A device that its protocol's scripts make nothing for is planned all the same: the broker sends nothing, and counts
    /// it as a query without an answer.
    fn of_device(&self, terminal: &Terminal, paced: &Paced<'_>, standing: &Standing) -> Vec<PlannedQuery> {
        let Paced { device, model, interval } = paced;
        let phase = schedule::phase(&terminal.device_id(device.pid), *interval);
        let mut instants = schedule::due(*interval, phase, self.from, self.until).peekable();
        if instants.peek().is_none() {
            return Vec::new();
        }
        let mut contents = model.protocol.contents(device.pid);
        if standing.faults.contains_key(&device.pid) && model.protocol.asks_for_faults(device.pid) {
            contents.push(QFS.to_owned());
        }
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
        instants.map(query).collect()
    }
}
