//! How large items are, by the adapter's own count.

use std::sync::Arc;

use anyhow::{Context, Result};
use cost::figures::{HISTORY, LATEST};
use domain::Pid;
use records::{Key, Range, Table};
use table::{MemoryTable, item_size};
use telltale_tests::{
    ManualClock,
    flow::{Flow, MAC},
};

/// How many values a device has: a climate sensor, or a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Two.
    Few,
    /// A hundred.
    Many,
}

/// The sizes of the items that a batch with one answer of each of so many devices makes, in bytes: of the history's, and of
/// the latest.
pub(crate) async fn sizes(devices: Pid, values: Values) -> Result<(u64, u64)> {
    let clock = Arc::new(ManualClock::new());
    let table = Arc::new(MemoryTable::new(clock.clone()));
    let flow = Flow::on(table.clone(), clock, |_| {}).await;
    let pids = 1..=devices;
    match values {
        Values::Few => {
            flow.sensors(pids.clone()).await;
            flow.reports(pids.map(|pid| flow.climate(pid, 20.0 + f64::from(pid) / 10.0, 60.0))).await;
        }
        Values::Many => {
            flow.speaks_registers(pids.clone()).await;
            // No two alike, as currents and energies are.
            let number = |pid: Pid| move |register: u16| 1000 + 37 * register + 11 * u16::from(pid);
            flow.reports(pids.map(|pid| flow.different_registers(pid, number(pid)))).await;
        }
    }
    flow.settle().await;
    let history = table.query(&Range::all(format!("history#{MAC}"), 1)).await?;
    let latest = table.get(&Key::new(format!("terminal#{MAC}"), "latest")).await?.context("the latest is there")?;
    Ok((item_size(&history.items[0]), item_size(&latest)))
}

#[tokio::test]
async fn items_are_as_large_as_the_calculator_takes_them_for() -> Result<()> {
    let all = [(1, Values::Few), (10, Values::Few), (1, Values::Many), (10, Values::Many)];
    for (index, (devices, values)) in all.into_iter().enumerate() {
        let (history, latest) = sizes(devices, values).await?;
        for (known, bytes) in [(HISTORY, history), (LATEST, latest)] {
            let known = [known.one_few, known.ten_few, known.one_many, known.ten_many][index];
            let bytes = f64::from(u32::try_from(bytes)?);
            assert!((bytes - known).abs() < 0.1 * known, "{devices} {values:?}: {bytes} bytes, known as {known}");
        }
    }
    Ok(())
}
