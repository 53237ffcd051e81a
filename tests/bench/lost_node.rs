//! How long it takes until all are told that a node is lost on which very much hangs: the jobs one after another, over the embedded
//! store on a disk.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use engine_embedded::Engine;
use jobs::{ports::Address, report::Event};
use table::EmbeddedTable;
use telltale_tests::{
    ManualClock,
    flow::{Flow, LargeNode},
};

/// After this an offline is confirmed.
const DEBOUNCE: Duration = Duration::from_mins(1);

/// What was told.
pub(crate) struct Told {
    /// How many devices were lost.
    pub(crate) devices: u32,
    /// How many people heard, each once.
    pub(crate) people: usize,
    /// From the second in which the offline was confirmed to the last letter.
    pub(crate) took: Duration,
}

/// Loses a node with so many terminals of ten devices.
pub(crate) async fn measure(terminals: u32) -> Result<Told> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::new());
    let table = EmbeddedTable::new(Engine::open(folder.path())?, clock.clone())?;
    let flow = Flow::on(Arc::new(table), clock, |_| {}).await;
    let large = LargeNode { terminals, devices: 10, people: 20 };
    flow.has(large).await;
    flow.reports([Event::NodeLost]).await;
    flow.settle().await;
    flow.after(DEBOUNCE.checked_sub(Duration::from_secs(2)).context("a debounce is longer")?).await;
    ensure!(flow.letters().is_empty(), "nobody is told before");
    let began = Instant::now();
    let mut took = None;
    for _ in 0..4 {
        let before = Instant::now();
        flow.after(Duration::from_secs(1)).await;
        if took.is_none() && !flow.letters().is_empty() {
            took = Some(before.elapsed());
        }
    }
    let mails = flow.letters().iter().filter(|letter| matches!(letter.address, Address::Email { .. })).count();
    ensure!(mails == large.people + 2, "each person hears once: {mails}");
    let took = took.with_context(|| format!("nobody was told within {:?}", began.elapsed()))?;
    Ok(Told { devices: terminals * 10, people: mails, took })
}
