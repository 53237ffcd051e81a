//! The spools of the brokers on this machine: each has a folder of its own, named by its port.

use std::{
    collections::BTreeSet,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use broker::{Operator, end_outages};
use engine_embedded::EngineError;
use jobs::ports::{Clock, Enqueue, Spooling};
use queue::SpooledQueue;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{lookout::told_by, meeting::Meeting, store::agree};
use crate::config::Config;

/// For how long another broker may look into a spool that nobody had.
const LEFT_ALONE_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked for spools that brokers left behind that are no more, and how long one may take to be emptied.
const LOOK_EVERY: Duration = Duration::from_secs(20);
const EMPTIED_WITHIN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);
/// How often it is looked whether a write of the spool has failed.
const LOOK_WHETHER_FAILED_EVERY: Duration = Duration::from_secs(1);
/// The file beside the spools that says whose they are.
const STORE_FILE: &str = "store";
/// What the name of a spool ends with that is being removed.
const GONE: &str = "gone";

const MEBIBYTE: u64 = 1024 * 1024;

/// A broker's spool, which is emptied for as long as this is there.
pub(super) struct Spool {
    pub(super) queue: Arc<SpooledQueue>,
    /// Where it is.
    pub(super) folder: PathBuf,
    draining: JoinHandle<((), ())>,
    looking: JoinHandle<()>,
}

impl Spool {
    /// Returns when the spool has failed for good.
    pub(super) async fn failed(&self) {
        while !self.queue.has_failed() {
            sleep(LOOK_WHETHER_FAILED_EVERY).await;
        }
    }
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

/// The spool of the broker of this store at `address`, before `queue`.
pub(super) async fn open(
    config: &Config,
    (store, address): (&str, SocketAddr),
    queue: &Arc<dyn Enqueue>,
    meeting: &Arc<Meeting>,
    heirs: Heirs,
) -> anyhow::Result<Spool> {
    let all = config.data.join("spool");
    belong_to(&all, store)?;
    let ours = all.join(address.port().to_string());
    let most_bytes = config.broker.spool_mb * MEBIBYTE;
    let opened = open_when_free(&ours, queue, most_bytes).await;
    let spooled = Arc::new(opened.map_err(|error| explained(error, &ours, address.port()))?);
    let (drained, meeting) = (Arc::clone(&spooled), Arc::clone(meeting));
    let draining = tokio::spawn(async move { tokio::join!(drained.drain(), meeting.keep_copies_in(&drained)) });
    let looking = tokio::spawn(look_for_orphans(all, ours.clone(), Arc::clone(queue), most_bytes, heirs));
    Ok(Spool { queue: spooled, folder: ours, draining, looking })
}

/// Sees that the spools in this folder are of no other store, whose readings would be given to this one's queue.
fn belong_to(all: &Path, store: &str) -> anyhow::Result<()> {
    fs::create_dir_all(all).with_context(|| format!("cannot make the folder {}", all.display()))?;
    let file = all.join(STORE_FILE);
    let of = agree(&file, store)?;
    ensure!(
        of == store,
        "{} holds what gateways told brokers of another store: {of}, and not {store}. Give this one another data folder \
         (--data). If the other is gone for good, or is this one by another name (a table that was restored): remove {}, and what is \
         there is this one's",
        all.display(),
        file.display()
    );
    Ok(())
}

/// Why a spool cannot be opened, with what to do about it.
fn explained(error: anyhow::Error, folder: &Path, port: u16) -> anyhow::Error {
    match error.downcast_ref() {
        Some(EngineError::InUse(_)) => anyhow::anyhow!(in_use(folder, port)),
        _ => error.context(format!("cannot open the spool {}", folder.display())),
    }
}

fn in_use(spool: &Path, port: u16) -> String {
    format!(
        "another broker on this machine has the spool {}, which is that of port {port}: it may listen there at another address. Stop it, \
         or give this one another port (--listen) or another data folder (--data)",
        spool.display()
    )
}

async fn open_when_free(folder: &Path, queue: &Arc<dyn Enqueue>, most_bytes: u64) -> anyhow::Result<SpooledQueue> {
    let began = Instant::now();
    loop {
        // Who had it may have taken it away meanwhile.
        fs::create_dir_all(folder)?;
        match SpooledQueue::open(Arc::clone(queue), folder, most_bytes) {
            Err(EngineError::InUse(_)) if began.elapsed() < LEFT_ALONE_WITHIN => sleep(PAUSE).await,
            Err(_) if !folder.exists() => {}
            opened => return Ok(opened?),
        }
    }
}

/// Removes a spool that this process has open and that is empty. By another name first: a broker that begins meanwhile would else
/// lose what it puts there.
fn remove(folder: &Path) -> io::Result<()> {
    let gone = folder.with_extension(GONE);
    fs::rename(folder, &gone)?;
    fs::remove_dir_all(gone)
}

/// Gives what dead brokers left behind to the queue, and tells the end of what they told of, for as long as it is polled.
async fn look_for_orphans(all: PathBuf, ours: PathBuf, queue: Arc<dyn Enqueue>, most_bytes: u64, heirs: Heirs) {
    let mut kept = BTreeSet::new();
    loop {
        sleep(LOOK_EVERY).await;
        for folder in fs::read_dir(&all).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if folder.extension().is_some_and(|name| name == GONE) {
                // Who was removing it died.
                let _ = fs::remove_dir_all(&folder);
                continue;
            }
            // One that is in use is no orphan.
            if folder != ours
                && folder.is_dir()
                && let Ok(orphan) = SpooledQueue::open(Arc::clone(&queue), &folder, most_bytes)
                && let Ok(Left::What(messages)) = empty(&orphan, &folder, queue.as_ref(), &heirs).await
                && kept.insert(folder.clone())
            {
                tracing::warn!(messages, "no queue takes what is left in the spool {}: it is kept", folder.display());
            }
        }
    }
}

/// What is left in a spool that is emptied.
#[derive(Debug, PartialEq)]
enum Left {
    /// Nothing, and it is gone.
    Nothing,
    /// So many messages that no queue takes.
    What(u64),
}

/// Empties the spool of a broker that is no more, tells the end of what it told of, and removes it. An error where that has to be
/// tried again.
async fn empty(orphan: &SpooledQueue, folder: &Path, queue: &dyn Enqueue, heirs: &Heirs) -> anyhow::Result<Left> {
    let _ = timeout(EMPTIED_WITHIN, orphan.drain()).await;
    let state = orphan.state();
    ensure!(state.messages == 0, "it is not empty yet");
    let Heirs { operator, clock } = heirs;
    let told = told_by(folder);
    timeout(EMPTIED_WITHIN, end_outages(queue, operator, &told, clock.now())).await??;
    if state.set_aside > 0 {
        return Ok(Left::What(state.set_aside));
    }
    remove(folder)?;
    tracing::info!("the spool {} of a broker that is no more is empty, and gone", folder.display());
    Ok(Left::Nothing)
}

#[cfg(test)]
mod tests {
    use boot::SystemClock;
    use broker::{Memory as _, Outage};
    use domain::{Need, Timestamp};
    use engine_embedded::Engine;
    use jobs::ports::{Delivery, Letter, Notifier};
    use queue::MemoryQueue;

    use super::*;

    #[test]
    fn spools_are_of_one_store_and_another_is_told_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let all = folder.path().join("spool");
        belong_to(&all, "the table A").unwrap();
        belong_to(&all, "the table A").unwrap();
        let refusal = belong_to(&all, "the table B").unwrap_err().to_string();
        for words in ["the table A", "the table B", "--data", "remove "] {
            assert!(refusal.contains(words), "{refusal}");
        }
        fs::remove_file(all.join(STORE_FILE)).unwrap();
        belong_to(&all, "the table B").unwrap();
    }

    #[tokio::test]
    async fn a_second_broker_on_a_port_is_told_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("8081");
        let queue: Arc<dyn Enqueue> = Arc::new(MemoryQueue::new(Arc::new(SystemClock)));
        let _first = open_when_free(&ours, &queue, MEBIBYTE).await.unwrap();
        let Err(in_use) = SpooledQueue::open(Arc::clone(&queue), &ours, MEBIBYTE) else { panic!("two have one spool") };
        let refusal = explained(in_use.into(), &ours, 8081).to_string();
        for words in ["port 8081", "Stop it", "--listen", "--data"] {
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    struct Nobody;

    #[async_trait::async_trait]
    impl Notifier for Nobody {
        async fn send(&self, _: &Letter) -> Delivery {
            unreachable!("the operator has no webhook")
        }
    }

    #[tokio::test]
    async fn what_a_dead_broker_told_of_ends_and_its_spool_stays_only_for_what_no_queue_takes() {
        for is_damaged in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let left = folder.path().join("8081");
            if is_damaged {
                let engine = Engine::open(&left).unwrap();
                let rows = engine.space("spool").unwrap();
                let put = engine.commit(move |batch| {
                    batch.put(&rows, 1_u64.to_be_bytes().to_vec(), b"no message".to_vec());
                    Ok(())
                });
                put.await.unwrap();
            }
            let need = Need { part: "broker:8081".to_owned(), needs: "queue".to_owned() };
            told_by(&left).keep(&Outage { need, since: Timestamp(1000), why: "away".to_owned() });
            let queue: Arc<dyn Enqueue> = Arc::new(MemoryQueue::new(Arc::new(SystemClock)));
            let orphan = SpooledQueue::open(Arc::clone(&queue), &left, MEBIBYTE).unwrap();
            let heirs = Heirs { operator: Operator::at(None, Arc::new(Nobody)), clock: Arc::new(SystemClock) };
            let emptied = empty(&orphan, &left, queue.as_ref(), &heirs).await.unwrap();
            assert_eq!(emptied, if is_damaged { Left::What(1) } else { Left::Nothing });
            assert_eq!((told_by(&left).told().len(), left.exists()), (0, is_damaged));
        }
    }

    #[tokio::test]
    async fn a_spool_that_another_takes_away_is_made_anew_for_the_broker_that_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("8081");
        let queue: Arc<dyn Enqueue> = Arc::new(MemoryQueue::new(Arc::new(SystemClock)));
        let heirs = open_when_free(&ours, &queue, MEBIBYTE).await.unwrap();
        let waiting = tokio::spawn({
            let (ours, queue) = (ours.clone(), Arc::clone(&queue));
            async move { open_when_free(&ours, &queue, MEBIBYTE).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "it is in use");
        remove(&ours).unwrap();
        drop(heirs);
        waiting.await.unwrap().unwrap();
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["8081"]);
    }
}
