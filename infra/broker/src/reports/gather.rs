//! How long a batch gathers before it is written. A write costs what it costs, whether it brings one report or ten; but a
//! gateway has four posts on their way at a time and waits for their answers, so nobody is held up who has most of them here.

use std::{collections::HashMap, time::Duration};

use domain::NodeName;
use tokio::time::{Instant, timeout_at};

use super::Batcher;

/// How many posts of one node are answered at once, lest it posts nothing more until then.
const HELD_UP: usize = 3;

impl Batcher {
    /// Takes what comes in the next `longest`: until that is enough, or a node waits with most of its posts.
    pub(super) async fn gather(&mut self, longest: Duration) {
        let deadline = Instant::now() + longest;
        let mut posts: HashMap<NodeName, usize> = HashMap::new();
        let mut seen = 0;
        loop {
            self.take_waiting();
            for entry in self.held.iter().skip(seen).filter(|entry| entry.waiter.is_some()) {
                *posts.entry(entry.report.node.clone()).or_default() += 1;
            }
            seen = self.held.len();
            if seen >= self.enough || posts.values().any(|posts| *posts >= HELD_UP) {
                return;
            }
            match timeout_at(deadline, self.entries.recv()).await {
                Ok(Some(entry)) => self.held.push_back(entry),
                Ok(None) | Err(_) => return,
            }
        }
    }
}
