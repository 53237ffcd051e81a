//! What is to be written of each node, in its order.

use std::collections::{HashMap, VecDeque};

use domain::NodeName;
use jobs::report::Report;
use tokio_util::sync::CancellationToken;

use super::Change;

/// The nodes of which something is being written.
#[derive(Default)]
pub(super) struct Lanes(HashMap<NodeName, Lane>);

#[derive(Default)]
struct Lane {
    waiting: VecDeque<(Change, Report)>,
    /// The connection whose hello is being written, if one is.
    opened: Option<String>,
    gone: CancellationToken,
}

/// What is to be written now.
pub(super) struct ToWrite {
    pub(super) change: Change,
    pub(super) report: Report,
    /// Is cancelled when a hello's connection is gone.
    pub(super) gone: CancellationToken,
}

impl Lanes {
    /// A change: to be written now, unless something of its node is.
    pub(super) fn enter(&mut self, (change, report): (Change, Report)) -> Option<ToWrite> {
        let node = report.node.clone();
        let is_free = !self.0.contains_key(&node);
        let lane = self.0.entry(node.clone()).or_default();
        lane.waiting.push_back((change, report));
        if is_free {
            return self.next(&node);
        }
        lane.notice_what_is_gone();
        None
    }

    /// What is to be written next of a node of which nothing is being written now.
    pub(super) fn next(&mut self, node: &NodeName) -> Option<ToWrite> {
        let lane = self.0.get_mut(node)?;
        let Some((change, report)) = lane.waiting.pop_front() else {
            self.0.remove(node);
            return None;
        };
        lane.opened = match &change {
            Change::Opened { session, .. } => Some(session.connection.clone()),
            Change::Closed { .. } => None,
        };
        lane.gone = CancellationToken::new();
        lane.notice_what_is_gone();
        Some(ToWrite { change, report, gone: lane.gone.clone() })
    }
}

impl Lane {
    fn notice_what_is_gone(&self) {
        let is_its_end = |(change, _): &(Change, Report)| match change {
            Change::Closed { connection } => self.opened.as_ref() == Some(connection),
            Change::Opened { .. } => false,
        };
        if self.waiting.iter().any(is_its_end) {
            self.gone.cancel();
        }
    }
}
