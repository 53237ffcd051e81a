//! One process of a box, from its start until it is killed: the store, the jobs, and the workers that run them.

/// The very list that the one binary runs.
#[path = "../../../local/src/workers.rs"]
mod workers;

use std::{path::Path, sync::Arc};

use anyhow::Result;
use engine_embedded::Engine;
use jobs::{Catalog, Context, HeartbeatSettings, Settings, Stationery};
use notify::{Post, SystemResolver};
use queue::{EmbeddedQueue, Source};
use serde_json::json;
use table::EmbeddedTable;
use telltale_tests::{LoadedDice, ManualClock, told_at_once};
use tokio::{runtime, sync::Mutex};
use tokio_util::sync::CancellationToken;

use super::{
    faults::{FaultyQueue, FaultyTable, Killed},
    story::Faults,
};
use crate::parity::broker::Broker;

/// A process. All it does, it does on threads of its own, so that nothing goes on once they are stopped.
pub(super) struct Process {
    pub(super) table: Arc<EmbeddedTable>,
    pub(super) queue: Arc<EmbeddedQueue>,
    threads: Option<runtime::Runtime>,
    killed: Killed,
}

impl Process {
    /// Starts one on the data in `folder`, which nobody else has open.
    pub(super) fn start(folder: &Path, clock: &Arc<ManualClock>, faults: &Faults, broker: &Broker) -> Result<Self> {
        let engine = Engine::open(folder)?;
        let table = Arc::new(EmbeddedTable::new(engine.clone(), Arc::clone(clock) as _)?);
        let queue = Arc::new(EmbeddedQueue::open(engine, Arc::clone(clock) as _)?);
        let killed = Killed::default();
        let (link, inbox) = link::in_process("b1");
        let local = serde_json::from_value(json!({ "webhook": { "allowed_nets": ["127.0.0.0/8"] } }))?;
        let cx = Context {
            table: Arc::new(FaultyTable {
                table: Arc::clone(&table),
                faults: Arc::clone(faults),
                killed: killed.clone(),
            }),
            queue: Arc::clone(&queue) as _,
            link: Arc::new(link),
            notifier: Arc::new(Post::new(local, Arc::clone(clock) as _, Arc::new(SystemResolver))?),
            clock: Arc::clone(clock) as _,
            dice: Arc::new(LoadedDice(1)),
            settings: Arc::new(Settings {
                notices: told_at_once(),
                heartbeat: HeartbeatSettings::off(),
                ..Settings::default()
            }),
            catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
            stationery: Stationery::default(),
        };
        let consume = FaultyQueue {
            queue: Arc::clone(&queue),
            faults: Arc::clone(faults),
            backwards: Mutex::default(),
            killed: killed.clone(),
        };
        let threads = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        threads.spawn(workers::run(cx, Source::Leases(Arc::new(consume)), CancellationToken::new()));
        threads.spawn(broker.clone().read(inbox));
        Ok(Self { table, queue, threads: Some(threads), killed })
    }
}

impl Drop for Process {
    /// As `kill -9`: nothing is finished, nothing is said.
    fn drop(&mut self) {
        self.killed.now();
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}
