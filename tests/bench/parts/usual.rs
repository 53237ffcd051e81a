//! What a field costs that is asked at its usual pace, and what it takes until all are back after a crash.

use anyhow::Result;

use super::{Report, TERMINALS};
use crate::{
    cpu,
    homes::Kind,
    storm::{self, Storm},
    table::Row,
};

/// How many nodes come back at once.
const NODES_IN_A_STORM: u32 = 5_000;
/// The most of a core that the usual pace should take, in percent.
const USUAL_PERCENT: f64 = 3.0;

/// What a field costs that is asked every five seconds.
pub(super) async fn pace(report: &mut Report) -> Result<()> {
    let bare = cpu::percent_of_bare_path(TERMINALS).await?;
    report.table.add(Row::new("(h) of a core, a bare path at the same pace", format!("{bare:.1} %")));
    for (kind, what) in [(Kind::OneProcess, "one process"), (Kind::OverRedis, "over Redis")] {
        let shares = cpu::percent(kind, TERMINALS).await?;
        let whole: f64 = shares.iter().map(|(_, share)| share).sum();
        let each: Vec<String> = shares.iter().map(|(name, share)| format!("{name} {share:.1}")).collect();
        let what = format!("(h) of a core, 1,000 terminals every 5 s, {what}");
        let row = Row::new(what, format!("{whole:.1} %")).beside(each.join(", "));
        report.table.add(row.at_most(whole, USUAL_PERCENT, " %"));
    }
    Ok(())
}

/// Every node comes back at once.
pub(super) async fn storm(report: &mut Report) -> Result<()> {
    let Storm { took, errors, failed } = storm::blow(NODES_IN_A_STORM).await?;
    let seconds = took.as_secs_f64();
    let row = Row::new("(i) 5,000 nodes registered after the port listens", format!("{seconds:.1} s"));
    report.table.add(row.beside(format!("{failed} tries found nobody")).at_most(seconds, 15.0, " s"));
    let row = Row::new("(i) of their tries, answered 5xx", errors);
    report.table.add(row.at_most(f64::from(errors), 0.0, ""));
    Ok(())
}
