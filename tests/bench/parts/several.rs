//! The same over Redis, each part a process, beside a pipeline of npm's usual parts.

use anyhow::Result;
use telltale_tests::RedisServer;

use super::{OPEN_LOOP_INTERVAL_MS, OVER_REDIS, PROMPT_P99_MS, Report, TERMINALS, millis, speed_of_an_open_loop};
use crate::{
    figures::Bar,
    homes::Kind,
    jobs, path, pipeline,
    table::{self, Row, micros, rate},
};

/// How many times as fast as npm's parts one process should be, and several.
const ONE_BESIDE_NPM: f64 = 8.0;
const SEVERAL_BESIDE_NPM: f64 = 4.0;

pub(super) async fn measure(report: &mut Report) -> Result<()> {
    let npm = throughput(report).await?;
    // In a short run it was measured once.
    if !report.is_short {
        let again = path::closed_loop(Kind::OneProcess, TERMINALS, report.length.closed).await?.per_second;
        let row = Row::new("(b) the whole path again", rate(again)).beside(format!("{:.1} of (e)", again / npm));
        report.table.add(row.at_least(again / npm, ONE_BESIDE_NPM, ""));
    }
    over_redis(report, npm).await?;
    waits(report).await?;
    queued_jobs(report).await
}

/// What npm's parts do in a second.
async fn throughput(report: &mut Report) -> Result<f64> {
    let npm = pipeline::closed_loop(TERMINALS, report.length.limit).await?;
    report.table.add(Row::new("(e) npm: socket.io, bullmq, Redis; it reads no values", rate(npm.per_second)));
    report.table.add(Row::new("(e) the pipeline's processor for a reading", micros(npm.processor)));
    report.table.add(Row::new("(e) memory at its most meanwhile", format!("{:.0} MiB", npm.memory())));
    let note = "socket.io, bullmq, Redis; reads no values";
    report.figures.throughput.push(Bar::new("npm, the least of it", npm.per_second, note));
    report.figures.memory.push(Bar::new("npm, as fast as it goes", npm.memory(), "with Redis"));
    Ok(npm.per_second)
}

async fn over_redis(report: &mut Report, npm: f64) -> Result<()> {
    let several = path::closed_loop(Kind::OverRedis, TERMINALS, report.length.closed).await?;
    let ratio = several.per_second / npm;
    let row = Row::new("(f) the whole path over Redis", rate(several.per_second));
    report.table.add(row.beside(format!("{ratio:.1} of (e)")).at_least(ratio, SEVERAL_BESIDE_NPM, ""));
    report.table.add(Row::new("(f) the processes' processor for a reading", micros(several.processor)));
    let each: Vec<String> = several.memory.iter().map(|(name, memory)| format!("{name} {memory:.0}")).collect();
    let row = Row::new("(f) memory at its most meanwhile", format!("{:.0} MiB", several.memory()));
    report.table.add(row.beside(each.join(", ")));
    let bar = Bar::new("whole path over Redis", several.per_second, format!("{ratio:.1} of npm"));
    report.figures.throughput.push(bar);
    report.figures.memory.push(Bar::new(
        "over Redis, as fast as it goes",
        several.memory(),
        "5 processes, of which one is Redis",
    ));
    Ok(())
}

async fn waits(report: &mut Report) -> Result<()> {
    if !report.is_short {
        let npm = pipeline::open_loop(TERMINALS, report.length.open, OPEN_LOOP_INTERVAL_MS).await?;
        report.table.add(speed_of_an_open_loop("(e) at 2,000/s: shown", &npm));
        report.table.add(Row::new("(e) from post to push at 2,000/s: p50", table::millis(npm.wait(50))));
        report.table.add(Row::new("(e) from post to push at 2,000/s: p99", table::millis(npm.wait(99))));
        report.draw_waits("npm", &npm);
    }
    let open = path::run(Kind::OverRedis, TERMINALS, report.length.open, OPEN_LOOP_INTERVAL_MS).await?;
    report.table.add(speed_of_an_open_loop("(f) at 2,000/s: shown", &open));
    report.table.add(Row::new("(f) from post to push at 2,000/s: p50", table::millis(open.wait(50))));
    let p99 = Row::new("(f) from post to push at 2,000/s: p99", table::millis(open.wait(99)));
    report.table.add(p99.at_most(millis(open.wait(99)), PROMPT_P99_MS, " ms"));
    report.draw_waits(OVER_REDIS, &open);
    Ok(())
}

async fn queued_jobs(report: &mut Report) -> Result<()> {
    let redis = RedisServer::start().await?;
    let bullmq = pipeline::jobs_per_second(&redis, report.length.jobs).await?;
    report.table.add(Row::new("(g) bullmq: jobs that do nothing", rate(bullmq)));
    let ours = jobs::per_second(&redis, report.length.jobs).await?;
    let row = Row::new("(g) jobs that keep a record, in memory only", rate(ours));
    let row = row.beside(format!("{:.1} of bullmq, which keeps none", ours / bullmq));
    report.table.add(row.at_least(ours / bullmq, 1.0, ""));
    Ok(())
}
