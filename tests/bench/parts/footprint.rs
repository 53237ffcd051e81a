//! What the server holds in memory, beside a bare socket server.

use anyhow::Result;

use super::Report;
use crate::{figures::Bar, memory, process::mebibytes, site::Scale, table::Row};

/// The field whose memory is measured.
const FIELD: Scale = Scale { gateways: 1000, terminals: 10_000 };
/// The most mebibytes it should hold with nobody connected, and with everybody.
const QUIET_MIB: f64 = 64.0;
const CONNECTED_MIB: f64 = 150.0;
/// The most kibibytes that a connection should hold more than a bare one.
const MORE_KIB: f64 = 4.0;

pub(super) async fn measure(report: &mut Report) -> Result<()> {
    let memory = memory::measure(FIELD).await?;
    for (name, kibibytes, most) in [
        ("nobody connected", memory.idle, QUIET_MIB),
        ("1,000 nodes and 10,000 terminals", memory.whole, CONNECTED_MIB),
    ] {
        let held = mebibytes(kibibytes);
        let row = Row::new(format!("(c) memory, {name}"), format!("{held:.0} MiB"));
        report.table.add(row.at_most(held, most, " MiB"));
        let bar = Bar::new(&format!("at rest, {name}"), held, "");
        report.figures.memory.push(Bar { limit: Some(most), ..bar });
    }
    let memory::Connection { bare, ours } = memory::connection().await?;
    report.table.add(Row::new("(c) one more idle connection of a bare server", format!("{bare:.1} KiB")));
    let row = Row::new("(c) one more idle connection of a node", format!("{ours:.1} KiB"));
    let more = ours - bare;
    report.table.add(row.beside(format!("{more:+.1} KiB")).at_most(more, MORE_KIB, " KiB more"));
    Ok(())
}
