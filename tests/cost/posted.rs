//! Lines whose answers come as gateways post them, in the batches that the real broker makes of it.

use std::{cell::RefCell, collections::BTreeSet};

use anyhow::{Context, Result};
use domain::{DeviceId, Timestamp};
use jobs::{Job, ProcessResults, report::Event};
use records::{Table, terminals};
use telltale_tests::flow::{climate_of, mac};

use super::{
    gateways::{self, Gateways},
    meter::{Cost, Meter},
    signal::Signal,
};

impl Gateways {
    /// Keeps what the sensors say after the first round, which finds nothing to compare with.
    pub(crate) async fn measure(self, moves: f64) -> Result<Cost> {
        let meter = Meter::start().await?;
        self.furnish(meter.flow.cx.table.as_ref()).await?;
        let begin = meter.flow.now();
        let measured_from = begin.plus(self.interval);
        let (signal, news) = (RefCell::new(Signal::new(moves)), RefCell::new(BTreeSet::new()));
        let says = |device: &DeviceId, at: Timestamp| {
            let (celsius, is_new) = signal.borrow_mut().next(device);
            if is_new {
                news.borrow_mut().insert((device.clone(), at));
            }
            climate_of(device.pid, celsius, 60.0, at)
        };
        let batches = self.post(begin, says).await?;
        let is_measured = |batch: &ProcessResults| batch.reports.iter().all(|report| report.at >= measured_from);
        let (measured, first) = batches.into_iter().partition::<Vec<_>, _>(is_measured);
        keep(&meter, first).await?;
        let asked: Vec<(DeviceId, Timestamp)> = measured.iter().flat_map(asked).collect();
        let before = meter.mark();
        keep(&meter, measured).await?;
        let news = asked.iter().filter(|asked| news.borrow().contains(asked)).count();
        meter.cost_since(before, u32::try_from(asked.len())?, u32::try_from(news)?)
    }

    /// The terminals of all gateways, each like the flow's own but for its sensors.
    async fn furnish(self, table: &dyn Table) -> Result<()> {
        let mut model = terminals::get(table, &mac()).await?.context("the flow's terminal is there")?;
        let device = model.devices.remove(0);
        model.devices = (1..=self.sensors).map(|pid| terminals::Device { pid, ..device.clone() }).collect();
        for node in 0..self.nodes {
            for terminal in 0..self.terminals {
                let (mac, node) = (gateways::mac(node, terminal)?, gateways::name(node));
                terminals::put(table, &terminals::Terminal { mac, node, ..model.clone() }).await?;
            }
        }
        Ok(())
    }
}

/// The devices that a batch has answers of, and when each was asked.
fn asked(batch: &ProcessResults) -> Vec<(DeviceId, Timestamp)> {
    let asked = batch.reports.iter().filter_map(|report| match &report.event {
        Event::Answered(answer) => Some((DeviceId { mac: answer.mac.clone(), pid: answer.pid }, answer.asked)),
        _ => None,
    });
    asked.collect()
}

/// Does what follows from batches, each when it comes.
async fn keep(meter: &Meter, batches: Vec<ProcessResults>) -> Result<()> {
    let flow = &meter.flow;
    for batch in batches {
        let came = batch.reports.iter().map(|report| report.at).max().context("a batch has reports")?;
        flow.sleeps(came.since(flow.now()));
        flow.cx.queue.enqueue(vec![batch.message()]).await?;
        flow.settle().await;
    }
    Ok(())
}
