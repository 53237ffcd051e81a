//! What a reading costs at every size, beside the smallest.

use anyhow::Result;

use super::{ONE_PROCESS, OVER_REDIS, Report};
use crate::{
    figures::Curve,
    homes::Kind,
    path,
    table::{Row, grouped},
};

/// The sizes, and how many readings each gets at least.
const SIZES: [u32; 4] = [100, 1_000, 10_000, 50_000];
const READINGS: u32 = 40_000;
/// Of one round alone, a good part is the wait for the last ones to be asked.
const LEAST_ROUNDS: u16 = 4;
/// How many times the cost at the smallest size it should be at most.
pub(crate) const MOST_GROWTH: f64 = 1.5;

pub(super) async fn of_one_process(report: &mut Report) -> Result<()> {
    curve(report, Kind::OneProcess, ONE_PROCESS, &SIZES).await
}

pub(super) async fn over_redis(report: &mut Report) -> Result<()> {
    curve(report, Kind::OverRedis, OVER_REDIS, &SIZES[..3]).await
}

async fn curve(report: &mut Report, kind: Kind, name: &str, sizes: &[u32]) -> Result<()> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for terminals in sizes {
        let rounds = u16::try_from(READINGS / terminals)?.max(LEAST_ROUNDS) + 1;
        let run = path::closed_loop(kind, *terminals, rounds).await?;
        let micros = 1e6 / run.per_second;
        points.push((f64::from(*terminals), micros));
        let ratio = micros / points[0].1;
        let what = format!("(d) a reading at {} terminals, {name}", grouped(f64::from(*terminals)));
        let memory = format!("{:.0} MiB at most", run.memory());
        let row = Row::new(what, format!("{micros:.0} us"));
        report.table.add(match (points.len(), kind) {
            (1, _) => row.beside(memory),
            (_, Kind::OneProcess) => {
                row.beside(format!("{ratio:.2} of the first; {memory}")).at_most(ratio, MOST_GROWTH, "")
            }
            (_, Kind::OverRedis) => row.beside(format!("{ratio:.2} of the first; {memory}")),
        });
    }
    report.figures.growth.push(Curve::new(name, points));
    Ok(())
}
