//! How many readings a second, and how long each takes, beside the bare route.

use anyhow::Result;

use super::{
    ONE_PROCESS, OPEN_LOOP_INTERVAL_MS, PROMPT_P95_MS, PROMPT_P99_MS, Report, TERMINALS, millis, speed_of_an_open_loop,
};
use crate::{
    bare_path, disk,
    figures::Bar,
    homes::Kind,
    limit, path,
    table::{self, Row, micros, rate},
};

pub(super) async fn measure(report: &mut Report) -> Result<()> {
    let length = report.length;
    report.table.add(Row::new("disk: fsyncs one after another", rate(disk::fsyncs_per_second()?)));
    let limit = limit::per_second(TERMINALS, length.limit).await?;
    report.table.add(Row::new("(a) a bare route, one durable put", rate(limit)));
    let bare = bare_path::closed_loop(TERMINALS, length.closed).await?;
    let row = Row::new("(a) a bare path: asks, one durable put, shows", rate(bare.per_second));
    report.table.add(row.beside(format!("{:.2} of the bare route", bare.per_second / limit)));
    report.table.add(Row::new("(a) the bare path's processor for a reading", micros(bare.processor)));
    let whole = path::closed_loop(Kind::OneProcess, TERMINALS, length.closed).await?;
    let ratio = whole.per_second / limit;
    let row = Row::new("(b) the whole path, 1,000 terminals, 100 in flight", rate(whole.per_second));
    report.table.add(row.beside(format!("{ratio:.2} of (a)")).at_least(ratio, 0.6, ""));
    report.table.add(Row::new("(b) the server's processor for a reading", micros(whole.processor)));
    report.table.add(Row::new("(b) memory at its most meanwhile", format!("{:.0} MiB", whole.memory())));
    report.processor = Some(whole.processor);
    report.figures.throughput.push(Bar::new("bare route, one durable put", limit, "the limit of one process"));
    report.figures.throughput.push(Bar::new(
        "whole path, one process",
        whole.per_second,
        format!("{ratio:.2} of the bare route"),
    ));
    report.figures.memory.push(Bar::new("one process, as fast as it goes", whole.memory(), "1,000 terminals"));
    let open = path::run(Kind::OneProcess, TERMINALS, length.open, OPEN_LOOP_INTERVAL_MS).await?;
    report.table.add(speed_of_an_open_loop("(b) at 2,000/s: shown", &open));
    let row = |name, percentile| Row::new(name, table::millis(open.wait(percentile)));
    report.table.add(row("(b) from post to push at 2,000/s: p50", 50));
    let p95 = row("(b) from post to push at 2,000/s: p95", 95);
    report.table.add(p95.at_most(millis(open.wait(95)), PROMPT_P95_MS, " ms"));
    let p99 = row("(b) from post to push at 2,000/s: p99", 99);
    report.table.add(p99.at_most(millis(open.wait(99)), PROMPT_P99_MS, " ms"));
    report.draw_waits(ONE_PROCESS, &open);
    Ok(())
}
