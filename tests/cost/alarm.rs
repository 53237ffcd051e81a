//! What an alarm costs, from the reading that raises it to the notice of its end.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cost::figures::alarm;
use jobs::{NoticeSettings, Settings};
use records::{Table, users};
use table::Units;
use telltale_tests::{Aws, ManualClock, flow::Flow};

/// What one alarm and its end cost beyond the readings that they came with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AlarmCost {
    /// Units of the table.
    pub units: Units,
    /// Messages that jobs enqueue.
    pub messages: usize,
    /// Letters: one to a person, one to the topic, each for the alarm and for its end.
    pub letters: usize,
}

/// An alarm of which one person hears on one channel, and whoever subscribed.
pub(crate) async fn measure() -> Result<AlarmCost> {
    let (aws, clock) = (Aws::start().await?, Arc::new(ManualClock::new()));
    let table = aws.table(clock.clone()).await?;
    let consumed = table.consumed();
    let table: Arc<dyn Table> = Arc::new(table);
    let as_deployed = |settings: &mut Settings| {
        settings.notices = NoticeSettings { topics: true, ..NoticeSettings::default() };
        settings.readings.silence_ms = 300_000;
    };
    let flow = Flow::on(table.clone(), clock, as_deployed).await;
    let mut technician = users::get(table.as_ref(), "tech").await?.context("the technician is there")?;
    (technician.webhook, technician.mail) = (None, None);
    technician.phone = Some("+8613800138000".to_owned());
    users::put(table.as_ref(), &technician).await?;
    flow.sensor_says(20.0).await;
    let spent = async |readings: [f64; 2]| {
        let before = (consumed.reckoned(), flow.enqueued());
        for celsius in readings {
            flow.sensor_says(celsius).await;
            // It gathers, is told, and is closed. What the sweeps read is read without an alarm too.
            for seconds in [11, 70, 320] {
                flow.sleeps(Duration::from_secs(seconds - 1));
                flow.after(Duration::from_secs(1)).await;
            }
        }
        let after = (consumed.reckoned(), flow.enqueued());
        let units = Units { reads: after.0.reads - before.0.reads, writes: after.0.writes - before.0.writes };
        (units, after.1 - before.1)
    };
    let (quiet, quiet_messages) = spent([21.0, 20.0]).await;
    let (alarm, messages) = spent([40.0, 20.0]).await;
    let units = Units { reads: alarm.reads - quiet.reads, writes: alarm.writes - quiet.writes };
    Ok(AlarmCost { units, messages: messages - quiet_messages, letters: flow.letters().len() })
}

#[tokio::test]
async fn an_alarm_costs_what_the_calculator_takes_it_for() -> Result<()> {
    let cost = measure().await?;
    assert_eq!(cost.units, Units { reads: alarm::READS, writes: alarm::WRITES });
    assert_eq!((f64::from(u32::try_from(cost.messages)?), cost.letters), (alarm::MESSAGES, 4));
    Ok(())
}
