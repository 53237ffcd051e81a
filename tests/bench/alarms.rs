//! How many readings a second are judged: the job itself, over tables and queues in memory. Beside it, what it
//! takes to read the same posts.

use std::{collections::BTreeMap, process, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use boot::{SystemClock, SystemDice};
use domain::{
    DeviceId, Source, Timestamp,
    alarm::{Evidence, Fact},
    reading::Reading,
};
use jobs::{Context, EvaluateAlarms, Job, Verdict, execute, ports::Message};
use queue::MemoryQueue;
use records::{
    Clock, protocols,
    terminals::{self, Device, Terminal},
};
use table::MemoryTable;

use crate::{
    process::Spent,
    sensor::{self, PID, Sensor, TOO_WARM},
    site,
};

/// How many facts one job carries, as a batch of results hands them on.
const FACTS: usize = 100;
/// Tenths of a degree that are fine.
pub(crate) const FINE: u16 = 200;

/// How long this process ran for one reading. Nothing else is on its way in it meanwhile.
pub(crate) struct Judged {
    /// To judge one that changes nothing.
    pub(crate) steady: Duration,
    /// To judge one that raises an alarm or ends one, and to store that.
    pub(crate) changing: Duration,
    /// To read its post, and to prove its frames.
    pub(crate) read: Duration,
    /// How many values a reading has.
    pub(crate) values: usize,
}

/// Judges so many readings of each of so many terminals.
pub(crate) async fn measure(readings: u32, terminals: u32) -> Result<Judged> {
    let sensor = Sensor::new()?;
    let (read, values) = read(&sensor, readings, terminals)?;
    let steady = judge(&sensor, readings, terminals, |_| FINE).await?;
    let changing = judge(&sensor, readings, terminals, |number| [TOO_WARM, FINE][number as usize % 2]).await?;
    Ok(Judged { steady, changing, read, values })
}

fn read(sensor: &Sensor, readings: u32, terminals: u32) -> Result<(Duration, usize)> {
    let posts: Vec<String> = (0..terminals).map(|terminal| sensor.query_data(terminal, FINE, 0)).collect();
    let values = sensor.read(posts.first().context("there is a terminal")?)?.len();
    let before = Spent::of(process::id())?;
    for post in posts.iter().cycle().take((readings * terminals) as usize) {
        ensure!(sensor.read(post)?.len() == values, "each post is as good as the first");
    }
    let took = Spent::of(process::id())?.since(&before);
    Ok((took / (readings * terminals), values))
}

async fn judge(sensor: &Sensor, readings: u32, terminals: u32, tenths: impl Fn(u32) -> u16) -> Result<Duration> {
    let cx = world(sensor, terminals).await?;
    let now = cx.clock.now();
    let mut jobs = Vec::new();
    for number in 0..readings {
        // What is not newer than what was judged before changes nothing.
        let at = now.minus(Duration::from_secs(1)).plus(Duration::from_millis(u64::from(number)));
        jobs.extend(messages(sensor, terminals, tenths(number), at)?);
    }
    let before = Spent::of(process::id())?;
    for message in jobs {
        let verdict = execute::<EvaluateAlarms>(&cx, &message.body).await;
        ensure!(matches!(verdict, Verdict::Done), "a job that cannot be done is no measure: {verdict:?}");
    }
    let took = Spent::of(process::id())?.since(&before);
    Ok(took / (readings * terminals))
}

/// The jobs that judge one reading of each terminal.
pub(crate) fn messages(sensor: &Sensor, terminals: u32, tenths: u16, at: Timestamp) -> Result<Vec<Message>> {
    let evidence = (0..terminals).map(|terminal| evidence(sensor, terminal, tenths, at));
    let evidence = evidence.collect::<Result<Vec<_>>>()?;
    let parts = evidence.chunks(FACTS).enumerate();
    let job = |(part, evidence): (usize, &[Evidence])| {
        EvaluateAlarms::new(format!("{}/{part}", at.sortable()), evidence.to_vec()).message()
    };
    Ok(parts.map(job).collect())
}

fn evidence(sensor: &Sensor, terminal: u32, tenths: u16, at: Timestamp) -> Result<Evidence> {
    let device = DeviceId { mac: site::mac(terminal).parse()?, pid: PID };
    let source = Source::Device(device.clone());
    let values = sensor.read(&sensor.query_data(terminal, tenths, at.0))?;
    let reading = Reading { device, asked: at, at, arrived: at, late: false, values };
    let id = format!("{}/{source}", at.sortable());
    Ok(Evidence::new(id, source, at, Fact::of_reading(&reading)))
}

/// The ports in memory, with so many terminals in the table.
pub(crate) async fn world(sensor: &Sensor, count: u32) -> Result<Context> {
    let clock = Arc::new(SystemClock);
    let table = MemoryTable::new(Arc::clone(&clock) as Arc<dyn Clock>);
    protocols::put(&table, &serde_json::from_str(sensor::PROTOCOL)?).await?;
    protocols::put_constants(&table, &serde_json::from_str(sensor::CONSTANTS)?).await?;
    for number in 0..count {
        terminals::put(&table, &terminal(number, sensor.protocol())?).await?;
    }
    let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as Arc<dyn Clock>));
    Ok(telltale_tests::context(Arc::new(table), queue, clock, Arc::new(SystemDice)))
}

fn terminal(number: u32, protocol: &str) -> Result<Terminal> {
    let (model, kind, protocol) = ("TH-10".to_owned(), "th".to_owned(), protocol.to_owned());
    let device = Device { pid: PID, model, kind, protocol, min_interval_ms: 0 };
    Ok(Terminal {
        mac: site::mac(number).parse()?,
        name: site::mac(number),
        node: "bench".to_owned(),
        devices: vec![device],
        iccid: None,
        data_plan: None,
        info: BTreeMap::new(),
    })
}
