//! What a reading costs: the rows of `docs/COST.md`, measured, against the budget and against what `telltale cost` reckons.

use std::time::Duration;

use anyhow::{Result, ensure};
use cost::Installation;
use domain::Pid;
use futures::future::try_join_all;

use super::{
    docs::{Comes, Row, rows},
    gateways::Gateways,
    gathering::installation,
    lines::Line,
    meter::Cost,
};

/// How often a line is asked. Seldom, what is stored once in five minutes is every fifth reading.
const OFTEN: Duration = Duration::from_secs(10);
const SELDOM: Duration = Duration::from_mins(1);

/// A reading of this costs what the calculator says of that, for the share that said nothing new.
fn is_as_reckoned(what: &str, cost: Cost, installation: Installation) -> Result<()> {
    let reckoned = Installation { suppressed: cost.suppressed, values: 2.0, ..installation };
    let (writes, reads) = (reckoned.writes_per_reading(), reckoned.reads_per_reading());
    ensure!((cost.writes - writes).abs() < 0.15 * writes, "{what}: {} units, reckoned {writes}", cost.writes);
    ensure!((cost.reads - reads).abs() < 0.15 * reads, "{what}: {} read units, reckoned {reads}", cost.reads);
    ensure!(cost.single_reads == 0, "{what}: all is read in batches");
    Ok(())
}

impl Line {
    fn installation(self) -> Installation {
        Installation {
            devices_per_terminal: self.sensors.into(),
            together: Some(self.together.into()),
            interval: self.interval.as_secs_f64(),
            ..Installation::default()
        }
    }
}

impl Row {
    /// What is measured of it, and what the calculator is told of it.
    async fn measure(&self) -> Result<(Cost, Installation)> {
        let Self { devices, interval, moves, .. } = *self;
        if let Comes::Posted { terminals } = self.comes {
            let rounds = match terminals {
                1 => 13,
                _ if moves < 0.5 => 3,
                _ => 2,
            };
            let gateways = Gateways { nodes: 1, terminals, sensors: devices, interval, rounds };
            return Ok((gateways.measure(moves).await?, installation(gateways)));
        }
        let together: Pid = if self.comes == Comes::Alone { 1 } else { devices };
        let rounds = if moves < 0.5 && devices == 1 { 200 } else { 30 };
        let line = Line { sensors: devices, together, rounds, interval, moves };
        Ok((line.measure().await?, line.installation()))
    }

    async fn holds(&self) -> Result<()> {
        let (cost, installation) = self.measure().await?;
        is_as_reckoned(&self.text, cost, installation)?;
        let is_told = |told: f64, found: f64| (told - found).abs() < 0.006;
        ensure!(is_told(self.measured, cost.writes), "{}: measured {}", self.text, cost.writes);
        let reckoned = Installation { suppressed: 1.0 - self.moves, values: 2.0, ..installation }.writes_per_reading();
        ensure!(is_told(self.reckoned, reckoned), "{}: reckoned {reckoned}", self.text);
        ensure!(
            self.budget.is_none_or(|budget| cost.writes <= budget && reckoned <= budget),
            "{}: {cost:?}",
            self.text
        );
        Ok(())
    }
}

#[tokio::test]
async fn a_reading_costs_what_the_docs_say_and_no_more_than_the_budget() -> Result<()> {
    let rows = rows();
    try_join_all(rows.iter().filter(|row| !row.is_posted()).map(Row::holds)).await?;
    let budgets: Vec<(Pid, f64)> = rows.iter().filter_map(|row| Some((row.devices, row.budget?))).collect();
    assert_eq!(budgets, [(1, 0.25), (10, 0.5)], "of one device that is quiet, and of ten that move");
    Ok(())
}

#[tokio::test]
async fn a_reading_that_gateways_post_costs_what_the_docs_say() -> Result<()> {
    let rows = rows();
    let posted: Vec<&Row> = rows.iter().filter(|row| row.is_posted()).collect();
    assert!(posted.len() > 2, "{posted:?}");
    for row in posted {
        row.holds().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_calculator_reckons_what_is_measured() -> Result<()> {
    let lines = [(1, 1, 20, SELDOM, 0.0), (10, 10, 20, SELDOM, 0.0), (10, 10, 40, SELDOM, 0.1), (10, 1, 4, OFTEN, 1.0)];
    for (sensors, together, rounds, interval, moves) in lines {
        let line = Line { sensors, together, rounds, interval, moves };
        is_as_reckoned(&format!("{line:?}"), line.measure().await?, line.installation())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_takes_one_message_and_its_evidence_another() -> Result<()> {
    let cost = Line { sensors: 10, together: 10, rounds: 5, interval: OFTEN, moves: 1.0 }.measure().await?;
    assert!(cost.messages <= 0.2, "{cost:?}");
    Ok(())
}
