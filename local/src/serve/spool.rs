//! The spools of the brokers on this machine: each has a folder of its own, named by its port.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use broker::{Operator, end_outages};
use engine_embedded::EngineError;
use jobs::ports::{Clock, Enqueue, Spooling};
use queue::SpooledQueue;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::lookout::told_by;
use crate::config::Config;

/// For how long another broker may look into a spool that nobody had.
const LEFT_ALONE_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked for spools that brokers left behind that are no more, and how long one may take to be emptied.
const LOOK_EVERY: Duration = Duration::from_secs(20);
const EMPTIED_WITHIN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

const MEBIBYTE: u64 = 1024 * 1024;

/// A broker's spool, which is emptied for as long as this is there.
pub(super) struct Spool {
    pub(super) queue: Arc<SpooledQueue>,
    /// Where it is.
    pub(super) folder: PathBuf,
    draining: JoinHandle<()>,
    looking: JoinHandle<()>,
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.draining.abort();
        self.looking.abort();
    }
}

/// What the spools of brokers that are no more are emptied with.
pub(super) struct Heirs {
    pub(super) operator: Operator,
    pub(super) clock: Arc<dyn Clock>,
}

/// The spool of the broker at `address`, before `queue`.
pub(super) async fn open(
    config: &Config,
    address: SocketAddr,
    queue: &Arc<dyn Enqueue>,
    heirs: Heirs,
) -> anyhow::Result<Spool> {
    let all = config.data.join("spool");
    let ours = all.join(address.port().to_string());
    fs::create_dir_all(&ours).with_context(|| format!("cannot make the spool {}", ours.display()))?;
    let most_bytes = config.broker.spool_mb * MEBIBYTE;
    let opened = open_when_free(&ours, queue, most_bytes).await;
    let spooled = Arc::new(opened.with_context(|| format!("cannot open the spool {}", ours.display()))?);
    let drained = Arc::clone(&spooled);
    let draining = tokio::spawn(async move { drained.drain().await });
    let looking = tokio::spawn(look_for_orphans(all, ours.clone(), Arc::clone(queue), most_bytes, heirs));
    Ok(Spool { queue: spooled, folder: ours, draining, looking })
}

async fn open_when_free(folder: &Path, queue: &Arc<dyn Enqueue>, most_bytes: u64) -> Result<SpooledQueue, EngineError> {
    let began = Instant::now();
    loop {
        match SpooledQueue::open(Arc::clone(queue), folder, most_bytes) {
            Err(EngineError::InUse(_)) if began.elapsed() < LEFT_ALONE_WITHIN => sleep(PAUSE).await,
            opened => return opened,
        }
    }
}

/// Gives what dead brokers left behind to the queue, and tells the end of what they told of, for as long as it is polled.
async fn look_for_orphans(all: PathBuf, ours: PathBuf, queue: Arc<dyn Enqueue>, most_bytes: u64, heirs: Heirs) {
    loop {
        sleep(LOOK_EVERY).await;
        for folder in fs::read_dir(&all).into_iter().flatten().flatten().map(|entry| entry.path()) {
            // One that is in use is no orphan.
            if folder != ours
                && folder.is_dir()
                && let Ok(orphan) = SpooledQueue::open(Arc::clone(&queue), &folder, most_bytes)
            {
                let _ = timeout(EMPTIED_WITHIN, orphan.drain()).await;
                if orphan.state().messages > 0 {
                    continue;
                }
                let Heirs { operator, clock } = &heirs;
                let told = told_by(&folder);
                let ended = timeout(EMPTIED_WITHIN, end_outages(queue.as_ref(), operator, &told, clock.now()));
                if matches!(ended.await, Ok(Ok(()))) && fs::remove_dir_all(&folder).is_ok() {
                    tracing::info!("the spool {} of a broker that is no more is empty, and gone", folder.display());
                }
            }
        }
    }
}
