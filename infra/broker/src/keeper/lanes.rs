//! What is to be written of each node, in its order.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::NodeName;
use jobs::report::Report;

use super::Change;

/// Whether the connection is gone of which a hello is being written.
#[derive(Debug, Clone, Default)]
pub(super) struct Superseded(Arc<AtomicBool>);

impl Superseded {
    pub(super) fn is_true(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The nodes of which something is being written.
#[derive(Default)]
pub(super) struct Lanes(HashMap<NodeName, Lane>);

#[derive(Default)]
struct Lane {
    waiting: VecDeque<(Change, Report)>,
    /// The connection whose hello is being written, if one is.
    opened: Option<String>,
    superseded: Superseded,
}

impl Lanes {
    /// A change: to be written now, unless something of its node is.
    pub(super) fn enter(&mut self, (change, report): (Change, Report)) -> Option<(Change, Report, Superseded)> {
        let node = report.node.clone();
        let Some(lane) = self.0.get_mut(&node) else {
            self.0.insert(node.clone(), Lane { waiting: VecDeque::from([(change, report)]), ..Lane::default() });
            return self.next(&node);
        };
        if let Change::Closed { connection, .. } = &change
            && lane.opened.as_ref() == Some(connection)
        {
            lane.superseded.0.store(true, Ordering::Relaxed);
        }
        lane.waiting.push_back((change, report));
        None
    }

    /// What is to be written next of a node of which nothing is being written now.
    pub(super) fn next(&mut self, node: &NodeName) -> Option<(Change, Report, Superseded)> {
        let lane = self.0.get_mut(node)?;
        let Some((change, report)) = lane.waiting.pop_front() else {
            self.0.remove(node);
            return None;
        };
        lane.opened = match &change {
            Change::Opened { session, .. } => Some(session.connection.clone()),
            Change::Closed { .. } => None,
        };
        let is_gone = |(later, _): &(Change, Report)| matches!(later, Change::Closed { connection, .. } if lane.opened.as_ref() == Some(connection));
        lane.superseded = Superseded(Arc::new(AtomicBool::new(lane.waiting.iter().any(is_gone))));
        Some((change, report, lane.superseded.clone()))
    }
}
