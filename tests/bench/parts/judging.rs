//! How many readings are judged a second, and what share of the whole path that is.

use std::time::Duration;

use anyhow::Result;

use super::{Report, TERMINALS};
use crate::{
    alarms,
    homes::Kind,
    lost_node, path, rules,
    table::{Row, grouped, millis, rate},
};

/// How many evaluations a second there should be on two cores.
const EVALUATIONS: f64 = 100_000.0;
/// Within how many seconds all should hear of it.
const ALL_HEAR_WITHIN: f64 = 5.0;

pub(super) async fn measure(report: &mut Report) -> Result<()> {
    let judged = alarms::measure(report.length.judged, TERMINALS).await?;
    let whole = match report.processor {
        Some(processor) => processor,
        None => path::closed_loop(Kind::OneProcess, TERMINALS, report.length.closed).await?.processor,
    };
    let read = Row::new("(j) posts read and proven, one core", rate(per_second(judged.read)));
    report.table.add(read.beside(share(judged.read, whole)));
    #[expect(clippy::cast_precision_loss, reason = "a reading has few values")]
    let values = per_second(judged.steady) * judged.values as f64;
    let row = Row::new("(j) readings judged, nothing changes, one core", rate(per_second(judged.steady)));
    let ratio = per_second(judged.steady) / per_second(judged.read);
    let beside = format!("{ratio:.1} of those read; {}", share(judged.steady, whole));
    report.table.add(row.beside(beside));
    report.table.add(Row::new("(j) the same, in values", format!("{}/s", grouped(values))));
    let row = Row::new("(j) readings judged, each begins or ends an alarm", rate(per_second(judged.changing)));
    report.table.add(row.beside(share(judged.changing, whole)));
    of_rules(report).await?;
    of_a_lost_node(report).await
}

/// How soon all hear of a node that is lost with very much on it.
async fn of_a_lost_node(report: &mut Report) -> Result<()> {
    let told = lost_node::measure(report.length.lost_terminals).await?;
    let name = format!("(j) all hear that {} devices are lost", grouped(f64::from(told.devices)));
    let row = Row::new(name, millis(told.took));
    let row = row.beside(format!("one alarm; {} people, each told once", told.people));
    report.table.add(row.at_most(told.took.as_secs_f64(), ALL_HEAR_WITHIN, " s"));
    Ok(())
}

/// With as many rules as there may be, of which few look at a reading.
async fn of_rules(report: &mut Report) -> Result<()> {
    let evaluated = rules::measure(report.length.judged, TERMINALS).await?;
    let name = format!("(j) evaluations by {} rules of people, two cores", grouped(f64::from(evaluated.rules)));
    let micros = |each: Duration| format!("{:.1} us", each.as_secs_f64() * 1e6);
    let row = Row::new(&name, format!("{}/s", grouped(evaluated.per_second)));
    let row = row.beside(format!("ten look at a reading: {} of a processor", micros(evaluated.reading)));
    report.table.add(row.at_least(evaluated.per_second, EVALUATIONS, "/s"));
    let row = Row::new("(j) a reading among rules that do not look at it", micros(evaluated.among));
    report.table.add(row.beside(format!("{} without them", micros(evaluated.alone))));
    let row = Row::new("(j) the same, where those look at what no device has", micros(evaluated.among_wide));
    report.table.add(row.beside(format!("{} without them", micros(evaluated.alone))));
    Ok(())
}

fn per_second(each: Duration) -> f64 {
    1.0 / each.as_secs_f64()
}

fn share(part: Duration, whole: Duration) -> String {
    format!("{:.1} us, {:.0} % of (b)", part.as_secs_f64() * 1e6, part.as_secs_f64() / whole.as_secs_f64() * 100.0)
}
