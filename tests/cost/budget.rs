//! What a reading costs, against the budget and against what `telltale cost` reckons.

use std::time::Duration;

use anyhow::Result;
use cost::Installation;

use super::meter::{Cost, Line, measure};

/// No more write units for a reading of a line with one device, nine tenths of whose readings say nothing new.
const OF_ONE_THAT_IS_QUIET: f64 = 0.25;
/// No more where ten devices of a line come together, and all say something new.
const OF_TEN_THAT_MOVE: f64 = 0.5;

/// How often a line is asked. Seldom, what is stored once in five minutes is every fifth reading.
const OFTEN: Duration = Duration::from_secs(5);
const SELDOM: Duration = Duration::from_mins(1);

/// Measures a line; what a reading costs is what the calculator says, for the share that said nothing new.
async fn reckoned(line: Line) -> Result<Cost> {
    let cost = measure(line).await?;
    let installation = Installation {
        devices_per_terminal: line.sensors.into(),
        together: Some(line.together.into()),
        values: 2.0,
        suppressed: cost.suppressed,
        interval: line.interval.as_secs_f64(),
        ..Installation::default()
    };
    let (writes, reads) = (installation.writes_per_reading(), installation.reads_per_reading());
    assert!((cost.writes - writes).abs() < 0.15 * writes, "{line:?}: {} units, reckoned {writes}", cost.writes);
    assert!((cost.reads - reads).abs() < 0.01, "{line:?}: {} units, reckoned {reads}", cost.reads);
    assert_eq!(cost.single_reads, 0, "all is read in batches");
    Ok(cost)
}

#[tokio::test]
async fn a_reading_of_a_quiet_device_costs_a_quarter_of_a_write() -> Result<()> {
    let cost = reckoned(Line { sensors: 1, together: 1, rounds: 200, interval: OFTEN, moves: 0.1 }).await?;
    assert!((0.85..0.95).contains(&cost.suppressed), "{cost:?}");
    assert!(cost.writes <= OF_ONE_THAT_IS_QUIET, "{cost:?}");
    Ok(())
}

#[tokio::test]
async fn a_reading_of_ten_devices_that_move_costs_half_a_write() -> Result<()> {
    let cost = reckoned(Line { sensors: 10, together: 10, rounds: 20, interval: OFTEN, moves: 1.0 }).await?;
    assert!(cost.writes <= OF_TEN_THAT_MOVE, "{cost:?}");
    assert!(cost.messages <= 0.2, "a message for the round, and one for its evidence: {cost:?}");
    Ok(())
}

#[tokio::test]
async fn the_calculator_reckons_what_is_measured() -> Result<()> {
    for (sensors, together, rounds, interval, moves) in [
        (1, 1, 40, OFTEN, 0.5),
        (1, 1, 100, SELDOM, 0.1),
        (1, 1, 20, SELDOM, 0.0),
        (10, 10, 40, OFTEN, 0.1),
        (10, 10, 20, SELDOM, 0.0),
        (10, 10, 40, SELDOM, 0.1),
        (10, 1, 4, OFTEN, 1.0),
    ] {
        reckoned(Line { sensors, together, rounds, interval, moves }).await?;
    }
    Ok(())
}
