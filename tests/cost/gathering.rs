//! How full the batches are that a broker makes of what gateways post, against what `telltale cost` reckons.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, ensure};
use cost::{Batch, Installation};
use domain::Timestamp;
use jobs::{ProcessResults, report::Event};
use telltale_tests::flow::climate_of;

use super::gateways::Gateways;

/// Some moment in 2026.
const BEGIN: Timestamp = Timestamp(1_780_000_000_000);

/// What the batches hold.
pub(crate) fn held(batches: &[ProcessResults]) -> Batch {
    let (mut readings, mut terminals) = (0_u32, 0_usize);
    for batch in batches {
        let mut macs = BTreeSet::new();
        for report in &batch.reports {
            let Event::Answered(answer) = &report.event else { continue };
            macs.insert(answer.mac.clone());
            readings += 1;
        }
        terminals += macs.len();
    }
    let share = |of: usize| f64::from(readings) / f64::from(u32::try_from(of).unwrap_or(u32::MAX));
    Batch { readings: share(batches.len()), of_a_terminal: share(terminals) }
}

/// What the calculator is told of gateways with one broker.
pub(crate) fn installation(gateways: Gateways) -> Installation {
    let nodes = f64::from(gateways.nodes);
    Installation {
        terminals: nodes * f64::from(gateways.terminals),
        devices_per_terminal: gateways.sensors.into(),
        values: 2.0,
        interval: gateways.interval.as_secs_f64(),
        nodes,
        brokers: 1.0,
        ..Installation::default()
    }
}

#[tokio::test]
async fn the_calculator_reckons_with_the_batches_that_a_broker_makes_of_what_gateways_post() -> Result<()> {
    for (nodes, terminals, sensors, seconds, rounds) in [
        // Nodes, terminals of each, sensors of each: 1,000 devices on two brokers, and 10,000 on two.
        (5, 100, 1, 60, 2),
        (50, 100, 1, 5, 1),
        (50, 100, 1, 60, 1),
        // One that is busy, and ten devices on a line.
        (1, 1000, 1, 5, 2),
        (1, 1, 10, 10, 30),
        (1, 30, 10, 10, 4),
        (20, 1, 10, 10, 4),
        (1, 1, 1, 5, 10),
    ] {
        let interval = Duration::from_secs(seconds);
        let gateways = Gateways { nodes, terminals, sensors, interval, rounds };
        let batches = gateways.post(BEGIN, |device, at| climate_of(device.pid, 20.0, 60.0, at)).await?;
        let (held, reckoned) = (held(&batches), installation(gateways).batch());
        for (held, reckoned) in [(held.readings, reckoned.readings), (held.of_a_terminal, reckoned.of_a_terminal)] {
            ensure!((held - reckoned).abs() < 0.2 * held, "{gateways:?}: {held}, reckoned {reckoned}");
        }
    }
    Ok(())
}
