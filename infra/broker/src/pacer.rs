//! Sends planned queries at their times, one at a time per terminal, and knows which of them nobody answered.

mod lines;
mod query;

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{Mac, NodeName, Pid, Timestamp};
use futures::StreamExt;
use jobs::{
    ports::{Clock, Plan},
    report::Event,
};
use lines::{Due, Lines, Miss, Turn};
use tokio::sync::mpsc;
use tokio_util::{
    sync::CancellationToken,
    time::{DelayQueue, delay_queue},
};

pub(crate) use lines::Load;
pub(crate) use query::Query;

use crate::{counters::Counters, reports::Reporter, settings::BrokerSettings};

/// How many events of lines may wait for the pacer. One that is lost is made good by a time-out.
const MOST_WAITING: usize = 8192;

/// A query planned for later than this is no plan, but a mistake.
const FURTHEST: Duration = Duration::from_hours(1);

/// Gives queries to nodes.
pub(crate) trait Nodes: Send + Sync {
    /// Sends a query to a node that is ready.
    fn ask(&self, node: &str, query: &Query) -> Asked;
}

/// What became of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It is on its way.
    Sent,
    /// The node is not there, not ready, or takes nothing more.
    NotThere,
}

/// What the pacer must know.
#[derive(Debug)]
pub(crate) enum LineEvent {
    /// Queries to be sent.
    Planned(Plan),
    /// A node's answer arrived, to the query that was sent at `asked`.
    Answered { node: NodeName, mac: Mac, asked: Timestamp },
    /// The node says that a device answered nothing, perhaps for the how manieth time in a row.
    Missed { node: NodeName, mac: Mac, pid: Pid, count: Option<u32> },
    /// How much a terminal has to do, as its node says.
    Load { node: NodeName, mac: Mac, load: Load },
    /// A terminal left its node.
    Off { node: NodeName, mac: Mac },
    /// A node cannot be sent to any more.
    NodeGone { node: NodeName },
}

/// Tells the pacer.
#[derive(Clone)]
pub(crate) struct PacerHandle(mpsc::Sender<LineEvent>);

impl PacerHandle {
    /// Tells it, unless it has more to do than it can hear.
    pub(crate) fn tell(&self, event: LineEvent) {
        if self.0.try_send(event).is_err() {
            tracing::debug!("the pacer was not told of an event");
        }
    }

    /// Tells it, and waits until it can hear.
    pub(crate) async fn plan(&self, plan: Plan) {
        let _ = self.0.send(LineEvent::Planned(plan)).await;
    }
}

enum Timer {
    Due(Due),
    Overdue { mac: Mac, asked: Timestamp },
}

/// Paces the queries of all nodes.
pub(crate) struct Pacer {
    events: mpsc::Receiver<LineEvent>,
    timers: DelayQueue<Timer>,
    /// The timer of the query on each terminal's line.
    patience: HashMap<Mac, delay_queue::Key>,
    lines: Lines,
    nodes: Arc<dyn Nodes>,
    reporter: Reporter,
    clock: Arc<dyn Clock>,
    settings: Arc<BrokerSettings>,
    counters: Arc<Counters>,
}

impl Pacer {
    /// The pacer, and the handle to tell it by.
    pub(crate) fn new(
        nodes: Arc<dyn Nodes>,
        reporter: Reporter,
        clock: Arc<dyn Clock>,
        settings: Arc<BrokerSettings>,
        counters: Arc<Counters>,
    ) -> (Self, PacerHandle) {
        let (sender, events) = mpsc::channel(MOST_WAITING);
        let (timers, patience, lines) = (DelayQueue::new(), HashMap::new(), Lines::default());
        (Self { events, timers, patience, lines, nodes, reporter, clock, settings, counters }, PacerHandle(sender))
    }

    /// Sends queries until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(event) = self.events.recv() => self.heard(event),
                Some(timer) = self.timers.next() => self.rang(timer),
            }
        }
    }

    fn heard(&mut self, event: LineEvent) {
        let now = self.clock.now();
        match event {
            LineEvent::Planned(plan) => self.planned(plan, now),
            LineEvent::Answered { node, mac, asked } => {
                let turn = self.lines.answered(&node, &mac, asked, now);
                self.freed(&mac, turn);
            }
            LineEvent::Missed { node, mac, pid, count } => {
                let (miss, turn) = self.lines.missed(&node, &mac, pid, now);
                self.freed(&mac, turn);
                if miss == Miss::New {
                    self.reporter.report(node, Event::Missed { mac, pid, count, asked: None });
                }
            }
            LineEvent::Load { node, mac, load } => self.lines.busy(&node, &mac, load, now),
            LineEvent::Off { node, mac } if self.lines.is_on(&node, &mac) => {
                self.counters.queries_dropped.add(self.lines.forget(&mac));
                self.disarm(&mac);
            }
            LineEvent::Off { .. } => {}
            LineEvent::NodeGone { node } => self.counters.queries_dropped.add(self.lines.forget_node(&node)),
        }
    }

    fn rang(&mut self, timer: delay_queue::Expired<Timer>) {
        let now = self.clock.now();
        let key = timer.key();
        match timer.into_inner() {
            Timer::Due(Due { node, query }) if query.contents.is_empty() => {
                // The protocol's scripts make nothing for this device. Nobody hears of it but by its alarm.
                self.counters.queries_empty.up();
                self.reporter.report(node, Event::Missed { mac: query.mac, pid: query.pid, count: None, asked: None });
            }
            Timer::Due(due) => {
                let mac = due.query.mac.clone();
                let turn = self.lines.due(due, now);
                self.take(&mac, turn);
            }
            Timer::Overdue { mac, asked } => {
                if self.patience.get(&mac) == Some(&key) {
                    self.patience.remove(&mac);
                }
                let node = self.lines.node_of(&mac).cloned();
                if let (Some(node), Some((pid, turn))) = (node, self.lines.overdue(&mac, asked, now)) {
                    self.counters.queries_unanswered.up();
                    self.reporter
                        .report(node, Event::Missed { mac: mac.clone(), pid, count: None, asked: Some(asked) });
                    self.take(&mac, turn);
                }
            }
        }
    }

    fn planned(&mut self, plan: Plan, now: Timestamp) {
        for query in plan.queries {
            let delay = query.at.since(now);
            if delay > FURTHEST {
                self.counters.queries_dropped.up();
                tracing::error!(terminal.mac = %query.mac, device.pid = query.pid, "a planned query is too far off");
                continue;
            }
            self.timers.insert(Timer::Due(Due { node: plan.node.clone(), query }), delay);
        }
    }

    fn freed(&mut self, mac: &Mac, turn: Option<Turn>) {
        if let Some(turn) = turn {
            self.disarm(mac);
            self.take(mac, turn);
        }
    }

    /// Sends what it is the turn of. A node that cannot be sent to loses what waits for the terminal.
    fn take(&mut self, mac: &Mac, turn: Turn) {
        self.counters.queries_dropped.add(turn.dropped);
        let Some(ask) = turn.ask else { return };
        let patience = self.settings.patience(ask.due.query.contents.len());
        let query = Query::new(ask.due.query, ask.asked);
        match self.nodes.ask(&ask.due.node, &query) {
            Asked::Sent => {
                self.counters.queries_sent.up();
                let timer = Timer::Overdue { mac: mac.clone(), asked: ask.asked };
                self.patience.insert(mac.clone(), self.timers.insert(timer, patience));
            }
            Asked::NotThere => self.counters.queries_dropped.add(1 + self.lines.forget(mac)),
        }
    }

    fn disarm(&mut self, mac: &Mac) {
        if let Some(key) = self.patience.remove(mac) {
            self.timers.try_remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
